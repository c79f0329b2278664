/* Heap memory, aligned for the widest vector loads. Running out of memory ends the program (fatal). */
#ifndef PARDIGITS_CORE_MEM_H
#define PARDIGITS_CORE_MEM_H

#include <stddef.h>

enum { MEM_ALIGNMENT = 64 }; /* bytes: one cache line, one 512-bit vector */

/* count objects of size bytes, zeroed, aligned to MEM_ALIGNMENT; never NULL (count 0 gives a valid pointer).
 * Freed by mem_free. */
void *mem_new(size_t count, size_t size) __attribute__((malloc, alloc_size(1, 2), returns_nonnull));

/* A copy of the `bytes` bytes at source (0: it may be NULL), aligned likewise; freed by mem_free. */
void *mem_copy(const void *source, size_t bytes) __attribute__((returns_nonnull));

/* A copy of a string; freed by mem_free. */
char *mem_text(const char *text) __attribute__((returns_nonnull));

/* A text that printf's format makes; freed by mem_free. */
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

/* Makes room for one more element of `size` bytes in an array of `count`: the array, or a larger one that
 * takes its place. It began as NULL with count 0, and grows by this function alone. Freed by mem_free. */
void *mem_grow(void *array, size_t count, size_t size) __attribute__((returns_nonnull));

/* Frees memory from the functions above (NULL is allowed). */
void mem_free(void *pointer);

/* Ends the program if its control group (a container, a job) can't take so many bytes more: the kernel would
 * kill it without a word. mem_new does this itself. */
void mem_check_group(size_t bytes);

#endif
