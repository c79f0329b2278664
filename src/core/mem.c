#define _DEFAULT_SOURCE
#include "core/mem.h"

#include "core/limits.h"
#include "core/status.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    HUGE_PAGE = 2 << 20,
    CHECKED_BYTES = 4 << 20, /* from here on the limit of the control group is looked up */
};

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

void mem_check_group(size_t bytes) {
    if (bytes < CHECKED_BYTES) return;
    const int64_t left = limits_memory_left("");
    if (left < 0 || bytes > (uint64_t)left)
        fatal("out of memory: %zu MiB were asked for, but the container or job may take only %lld MiB more; "
              "give it "
              "more memory, or use more nodes, fewer ranks a node, or a smaller cache",
              bytes >> 20, (long long)left / (1 << 20));
}

void *mem_new(size_t count, size_t size) {
    if (size && count > (SIZE_MAX - MEM_ALIGNMENT) / size)
        fatal("a size of %zu x %zu bytes overflows", count, size);
    size_t bytes = (count * size + MEM_ALIGNMENT) / MEM_ALIGNMENT * MEM_ALIGNMENT;
    mem_check_group(bytes);
    void *pointer = allocate(bytes);
    if (!pointer)
        fatal(
            "out of memory: %.4g MiB were asked for; use more ranks, fewer ranks a node, or a smaller cache",
            (double)bytes / (1 << 20));
    return memset(pointer, 0, bytes);
}

void *mem_copy(const void *source, size_t bytes) {
    void *copy = mem_new(bytes, 1);
    return bytes ? memcpy(copy, source, bytes) : copy;
}

char *mem_text(const char *text) {
    return mem_copy(text, strlen(text) + 1);
}

char *mem_format(const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int length = vsnprintf(NULL, 0, format, args);
    if (length < 0) fatal("a text can't be made in the format %s", format);
    char *text = mem_new((size_t)length + 1, 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}

/* The room is a power of two, which the count tells. */
void *mem_grow(void *array, size_t count, size_t size) {
    const size_t least = 8;
    if (count && (count < least || (count & (count - 1)))) return array;
    void *larger = mem_new(count ? 2 * count : least, size);
    if (count) memcpy(larger, array, count * size);
    mem_free(array);
    return larger;
}

void mem_free(void *pointer) {
    free(pointer);
}
