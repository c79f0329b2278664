/* What this build is made of. */
#ifndef PARDIGITS_API_BUILD_INFO_H
#define PARDIGITS_API_BUILD_INFO_H

#include <stdio.h>

/* Prints the version, compiler and its flags, the libraries, and the kernels that this processor gets. MPI
 * needn't be started. */
void build_info_print(FILE *file);

#endif
