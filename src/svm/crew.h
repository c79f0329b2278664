/* The threads of a rank when there are more of them than problems: those without one of their own help the
 * others with theirs, chunk by chunk. */
#ifndef PARDIGITS_SVM_CREW_H
#define PARDIGITS_SVM_CREW_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Crew Crew;

Crew *crew_create(int threads);
void crew_destroy(Crew **crew);

/* Runs work(context, chunk) for all chunks, with the help of idle threads; returns when all are done.
 * `thread` is the caller's number. Chunks are independent of each other. */
void crew_run(Crew *crew, int thread, void (*work)(void *context, int64_t chunk), void *context,
              int64_t chunks);

/* A thread has no more problems of its own, and will call crew_help from now on. */
void crew_join(Crew *crew);

/* Helps wherever there are chunks to do; false if there were none. */
bool crew_help(Crew *crew);

#endif
