/* All ranks of a job have to be started alike, or their results would differ, or they would wait for each
 * other for ever. Each function is collective and fails on every rank, with a sentence about the first one
 * that differs from rank 0. */
#ifndef PARDIGITS_CLI_SAME_START_H
#define PARDIGITS_CLI_SAME_START_H

#include "core/config.h"
#include "parallel/comm.h"

/* The program and the kind of processor. STATUS_FAILED */
StatusCode require_same_build(const Comm *comm, Status *status);

/* The command line. STATUS_USAGE */
StatusCode require_same_arguments(const Comm *comm, int argc, char *const *argv, Status *status);

/* The configuration, which each rank has read from a file by itself; run.data may differ, as one dataset may
 * have several paths. STATUS_USAGE */
StatusCode require_same_config(const Comm *comm, const char *path, const Config *config, Status *status);

#endif
