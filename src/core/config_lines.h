/* What the lines of an .ini file can hold. Private to the configuration. */
#ifndef PARDIGITS_CORE_CONFIG_LINES_H
#define PARDIGITS_CORE_CONFIG_LINES_H

/* What of a text, without blanks at its ends, couldn't be read back from a file; NULL if it can. */
const char *config_check_lines(const char *value);

#endif
