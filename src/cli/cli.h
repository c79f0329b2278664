/* The commands. A command is one cmd_*.c with one function, listed in main.c. */
#ifndef PARDIGITS_CLI_CLI_H
#define PARDIGITS_CLI_CLI_H

#include "core/status.h"
#include "parallel/context.h"

/* Runs a command: argv[0] is its name. Every rank calls it. */
typedef StatusCode (*CommandRun)(const Context *context, int argc, char **argv, Status *status);

StatusCode cmd_prepare(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_train(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_evaluate(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_predict(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_show(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_digest(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_export(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_import(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_bench(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_scaling(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_report(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_watch(const Context *context, int argc, char **argv, Status *status);
StatusCode cmd_keys(const Context *context, int argc, char **argv, Status *status);

/* The dataset that commands use without --data. */
#define DEFAULT_DATA "data/mnist.h5"

#endif
