/* What this build is made of. */
#ifndef PARDIGITS_API_BUILD_INFO_H
#define PARDIGITS_API_BUILD_INFO_H

#include <stdio.h>

/* Prints the version, compiler and its flags, the libraries, and the kernels that this processor gets. MPI
 * needn't be started. */
void build_info_print(FILE *file);

enum { BUILD_INFO_LINE = 128 };

/* The same in short: version, the start of the fingerprint (fingerprint.h), compiler, instruction set. */
void build_info_line(char text[BUILD_INFO_LINE]);

#endif
