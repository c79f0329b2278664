/* Files to be written: that nothing is lost with them. */
#ifndef PARDIGITS_CLI_CHECK_OUTPUT_H
#define PARDIGITS_CLI_CHECK_OUTPUT_H

#include "core/status.h"
#include "parallel/context.h"

/* STATUS_USAGE if out, a file to be written, is one of the inputs, a file that a run keeps in its folder, an
 * HDF5 file of another format than `format`, that of what is written (NULL: it isn't HDF5), or where HDF5 is
 * written any other file. Collective. */
StatusCode check_kept(const Context *context, const char *out, const char *format, int inputs,
                      char *const input[], Status *status);

/* The same, and atomic_file_check. Collective. */
StatusCode check_output(const Context *context, const char *out, const char *format, int inputs,
                        char *const input[], Status *status);

/* STATUS_USAGE if out is one of more inputs, known later. Collective. */
StatusCode check_not_among(const Context *context, const char *out, int inputs, char *const input[],
                           Status *status);

/* STATUS_USAGE if two of the files to be written (NULL: it isn't) have the same place. */
StatusCode check_outputs_differ(int count, const char *const outs[], Status *status);

/* Makes the folder of an option that results go to (NULL: none), before anything is computed. STATUS_USAGE if
 * it is a file. On rank 0. */
StatusCode make_output_folder(const char *option, const char *folder, Status *status);

/* STATUS_USAGE unless out, a picture to be written, is named as a PNG. */
StatusCode check_png(const char *out, Status *status);

/* Fails if two of the models, files or folders of runs, are the same. where: begins the sentence. */
StatusCode check_models_differ(const char *where, int count, char **paths, Status *status);

#endif
