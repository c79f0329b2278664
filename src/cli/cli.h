/* The commands. A command is one cmd_*.c, and is listed in main.c. */
#ifndef PARDIGITS_CLI_CLI_H
#define PARDIGITS_CLI_CLI_H

#include "core/status.h"
#include "parallel/context.h"

#include <stdbool.h>

typedef struct {
    const char *name;
    /* argv[0] is the name. Every rank calls it. */
    StatusCode (*run)(const Context *context, int argc, char **argv, Status *status);
    const char *usage, *help;
    bool needs_mpi; /* also with one rank */
} Command;

extern const Command command_prepare, command_train, command_evaluate, command_predict, command_show,
    command_digest, command_export, command_import, command_scaling, command_report, command_watch,
    command_keys, command_bench;

/* The dataset that commands use without --data. */
#define DEFAULT_DATA "data/mnist.h5"

#endif
