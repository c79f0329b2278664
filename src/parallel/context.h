/* The ranks, log and threads that almost every function needs, passed as one argument. */
#ifndef PARDIGITS_PARALLEL_CONTEXT_H
#define PARDIGITS_PARALLEL_CONTEXT_H

#include "core/log.h"
#include "parallel/comm.h"

typedef struct {
    const Comm *comm;
    Log *log;
    int threads; /* OpenMP threads of this rank */
} Context;

#endif
