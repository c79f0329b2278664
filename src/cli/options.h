/* The options and operands of a command. */
#ifndef PARDIGITS_CLI_OPTIONS_H
#define PARDIGITS_CLI_OPTIONS_H

#include "core/output.h"
#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

/* One option of a command. */
typedef struct {
    const char *name; /* without -- */
    bool *flag;       /* for an option without a value */
    const char **value;
    StatusCode (*take)(void *context, const char *value, Status *status); /* for an option that repeats */
    void *context;
    OutputFormat *format; /* set to as_format by an option without a value */
    OutputFormat as_format;
} Option;

/* --json and --csv. */
#define OPTIONS_OF_FORMAT(variable)                                                                          \
    {.name = "json", .format = (variable), .as_format = OUTPUT_JSON}, {                                      \
        .name = "csv", .format = (variable), .as_format = OUTPUT_CSV                                         \
    }

/* The operands of a command: how many, and what each is called in messages; the last name is also that of all
 * that may follow. */
typedef struct {
    int least, most;
    const char *const *names; /* [most], or fewer where the last one repeats */
} Operands;

/* Sets options from argv (any order, --name value or --name=value) and moves the operands to
 * argv[1..*operands]. options ends with a name that is NULL. STATUS_USAGE for an unknown option or a wrong
 * number of operands. */
StatusCode options_parse(int argc, char **argv, const Option *options, const Operands *wanted, int *operands,
                         Status *status);

/* The value of an option `name`, a number from least to most. STATUS_USAGE for anything else. */
StatusCode option_integer(const char *name, const char *text, int64_t least, int64_t most, int64_t *value,
                          Status *status);
StatusCode option_real(const char *name, const char *text, double least, double most, double *value,
                       Status *status);

/* HxW, each 8 to 64: the value of an option --shape. STATUS_USAGE for anything else. */
StatusCode shape_parse(const char *text, int *height, int *width, Status *status);

#endif
