#include "api/build_info.h"

#include "conv/conv.h"
#include "core/cpu.h"
#include "core/fingerprint.h"
#include "kernels/pixdot.h"
#include "parallel/comm.h"
#include "store/h5io.h"

#include "pardigits/pardigits.h"

/* The Makefile says both, to this file alone. */
#ifndef BUILD_ARCH
#define BUILD_ARCH  "unknown"
#define BUILD_FLAGS "unknown"
#endif

void build_info_print(FILE *file) {
    char mpi[128], hdf5[32], convolutions[128], fingerprint[65];
    fingerprint_hex(fingerprint);
    conv_backend_names(convolutions, sizeof convolutions);
    comm_library_version(mpi, sizeof mpi);
    h5_library_version(hdf5, sizeof hdf5);
    fprintf(file, "pardigits %s\n", pardigits_version());
    fprintf(file, "build           %.12s (ranks of a run, and a run that is resumed, must have the same)\n",
            fingerprint);
    fprintf(file, "compiler        %s, ARCH=%s\n", __VERSION__, BUILD_ARCH);
    fprintf(file, "flags           %s\n", BUILD_FLAGS);
    fprintf(file, "MPI             %s\n", mpi);
    fprintf(file, "HDF5            %s\n", hdf5);
    fprintf(file, "dot products    %s\n", pixdot_kernel_name());
    fprintf(file, "convolutions    %s\n", convolutions);
    fprintf(file, "matrix tiles    %s\n", cpu_tiles_granted() ? "granted" : "not used");
}

void build_info_line(char text[BUILD_INFO_LINE]) {
    char fingerprint[65];
    fingerprint_hex(fingerprint);
    snprintf(text, BUILD_INFO_LINE, "pardigits %s (%.12s), compiler %s, ARCH=%s", pardigits_version(),
             fingerprint, __VERSION__, BUILD_ARCH);
}
