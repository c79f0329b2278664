/* What the fuzzers of HDF5 files share: a mutator that libFuzzer calls, and files with a right checksum. */
#ifndef PARDIGITS_FUZZ_H5_MUTATOR_H
#define PARDIGITS_FUZZ_H5_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's own, and the one that it calls instead. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);

/* As fuzz_write, with the checksum behind the bytes (store/file_sum.h). */
char *fuzz_write_summed(const char *name, const uint8_t *data, size_t size);

#endif
