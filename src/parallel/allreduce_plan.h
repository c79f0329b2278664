/* The steps of allreduce algorithms, as plain arithmetic. */
#ifndef PARDIGITS_PARALLEL_ALLREDUCE_PLAN_H
#define PARDIGITS_PARALLEL_ALLREDUCE_PLAN_H

#include "core/partition.h"

#include <stdbool.h>
#include <stdint.h>

/* A rank sends values [send] to rank `to` and receives [receive] from rank `from`, which are added to its own
 * or replace them. -1: nobody, and the range is empty. */
typedef struct {
    int to, from;
    Range send, receive;
    bool add;
} AllreduceStep;

typedef struct {
    const char *name;
    int (*count)(int ranks); /* steps at most */
    /* Writes the steps of a rank for n values; returns how many. */
    int (*plan)(int rank, int ranks, int64_t n, AllreduceStep *steps);
    int parts; /* a message has about n / parts values; 0: n / ranks */
} AllreducePlan;

/* All algorithms; the last one's name is NULL. */
extern const AllreducePlan allreduce_plans[];

/* The algorithm for so many bytes on so many ranks. */
const AllreducePlan *allreduce_choose(int64_t bytes, int ranks);

#endif
