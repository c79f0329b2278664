#define _DEFAULT_SOURCE
#include "core/mem.h"

#include "core/status.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 };

/* Large blocks lie in huge pages where Linux has them on demand: a pass over them then misses fewer page
 * table entries. */
static void *allocate(size_t bytes) {
    if (bytes < HUGE_PAGE) return aligned_alloc(MEM_ALIGNMENT, bytes);
    bytes = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    void *pointer = aligned_alloc(HUGE_PAGE, bytes);
#ifdef MADV_HUGEPAGE
    if (pointer) madvise(pointer, bytes, MADV_HUGEPAGE); /* if it is refused: small ones */
#endif
    return pointer;
}

void *mem_new(size_t count, size_t size) {
    if (size && count > (SIZE_MAX - MEM_ALIGNMENT) / size)
        fatal("a size of %zu x %zu bytes overflows", count, size);
    size_t bytes = (count * size + MEM_ALIGNMENT) / MEM_ALIGNMENT * MEM_ALIGNMENT;
    void *pointer = allocate(bytes);
    if (!pointer)
        fatal("out of memory: %zu MiB were asked for; use more ranks, fewer ranks a node, or a smaller cache",
              bytes >> 20);
    return memset(pointer, 0, bytes);
}

void *mem_copy(const void *source, size_t bytes) {
    return memcpy(mem_new(bytes, 1), source, bytes);
}

char *mem_text(const char *text) {
    return mem_copy(text, strlen(text) + 1);
}

void mem_free(void *pointer) {
    free(pointer);
}
