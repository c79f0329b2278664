/* What the fuzzers share. A fuzzer is one source per reader, fuzz_READER.c, which defines
 * LLVMFuzzerTestOneInput (https://llvm.org/docs/LibFuzzer.html): it gives the bytes to the reader, and fails
 * where the reader crashes, hangs, leaks, ends the program (fatal), or asks for more memory than it may.
 * Readers take paths, so the bytes become files of a folder that is the process's own. */
#ifndef PARDIGITS_FUZZ_FUZZ_H
#define PARDIGITS_FUZZ_FUZZ_H

#include "core/config.h"
#include "core/status.h"
#include "parallel/context.h"

#include <stddef.h>
#include <stdint.h>

/* libFuzzer calls these; they return 0. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The path of a file of that name in this process's folder; the caller frees it (mem_free). */
char *fuzz_path(const char *name);

/* Writes a file of that name into the folder; the caller frees the path (mem_free). */
char *fuzz_write(const char *name, const uint8_t *data, size_t size);

/* Reads a file into *data, which the caller frees (mem_free); returns its size. */
size_t fuzz_read(const char *path, uint8_t **data);

/* One rank without MPI, one thread, no log. */
const Context *fuzz_context(void);

/* What a configuration says is written, and must be read back as the same values. */
void fuzz_check_config(const Config *config);

/* A failure must be explained: stops the fuzzer where a code has no sentence, or a sentence no end. */
void fuzz_check_status(const Status *status);

/* Stops the fuzzer with a sentence unless it holds: a property of what was read. */
void fuzz_require(int holds, const char *property);

#endif
