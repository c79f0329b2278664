/* The threads of a rank when there are more of them than problems: those without one of their own help the
 * others with theirs, chunk by chunk. */
#ifndef PARDIGITS_SVM_PAIR_WORKERS_H
#define PARDIGITS_SVM_PAIR_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct PairWorkers PairWorkers;

PairWorkers *pair_workers_create(int threads);
void pair_workers_destroy(PairWorkers **workers);

/* Runs work(context, chunk) for all chunks, with the help of idle threads; returns when all are done.
 * `thread` is the caller's number. Chunks are independent of each other. */
void pair_workers_run(PairWorkers *workers, int thread, void (*work)(void *context, int64_t chunk),
                      void *context, int64_t chunks);

/* A thread has no more problems of its own, and will call pair_workers_help from now on. */
void pair_workers_join(PairWorkers *workers);

/* Helps wherever there are chunks to do; false if there were none. */
bool pair_workers_help(PairWorkers *workers);

#endif
