/* A configuration as an .ini file. Format: sections, "key = value", comments behind # or ;; a line that
 * begins with a blank goes on with the value above it. */
#ifndef PARDIGITS_CORE_CONFIG_FILE_H
#define PARDIGITS_CORE_CONFIG_FILE_H

#include "core/config.h"

#include <stdio.h>

/* Sets the keys that an .ini file contains. STATUS_USAGE if it can't be read or its content is wrong. */
StatusCode config_read_file(Config *config, const char *path, Status *status);

/* Writes all keys and their values as an .ini file, each with its help. */
void config_write(const Config *config, FILE *file);

#endif
