#include "pardigits/mem.h"

#include "pardigits/status.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *mem_new(size_t count, size_t size) {
    if (size && count > (SIZE_MAX - MEM_ALIGNMENT) / size)
        fatal("a size of %zu x %zu bytes overflows", count, size);
    size_t bytes = (count * size + MEM_ALIGNMENT) / MEM_ALIGNMENT * MEM_ALIGNMENT;
    void *pointer = aligned_alloc(MEM_ALIGNMENT, bytes);
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
