/* A folder that a training writes to. */
#ifndef PARDIGITS_CLI_WRITABLE_FOLDER_H
#define PARDIGITS_CLI_WRITABLE_FOLDER_H

#include "core/status.h"

/* Makes the folder where it is missing, and tries to write in it. `what` and `other` are of the sentence if
 * it can't be written. */
StatusCode writable_folder(const char *folder, const char *what, const char *other, Status *status);

#endif
