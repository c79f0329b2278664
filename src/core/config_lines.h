/* How a value stands in the lines of an .ini file. Private to the configuration. */
#ifndef PARDIGITS_CORE_CONFIG_LINES_H
#define PARDIGITS_CORE_CONFIG_LINES_H

#include <stdio.h>

/* What of a text, without blanks at its ends, couldn't be read back from a file; NULL if it can. */
const char *config_check_lines(const char *value);

/* Writes a value and a line end; a long value goes on in lines that begin with blanks. */
void config_write_lines(FILE *file, const char *value);

/* A value and the line that goes on with it, without its comment: a blank comes between them, or nothing in
 * place of a backslash at the value's end. Freed by the caller (mem_free). */
char *config_join_lines(const char *value, const char *line);

#endif
