/* A trace: which thread of a rank did what, when. Each thread notes its spans in a buffer of its own, without
 * locks; when that is full the newest replace the oldest. Whoever is handed NULL traces nothing, at the cost
 * of one comparison. store/trace_file.h writes what the ranks have noted. */
#ifndef PARDIGITS_CORE_TRACE_H
#define PARDIGITS_CORE_TRACE_H

#include "core/timer.h"

#include <stdint.h>

typedef enum {
    TRACE_RUN,
    TRACE_READ,        /* images from the dataset */
    TRACE_EPOCH,       /* its number, from 1 */
    TRACE_FETCH,       /* images from other ranks */
    TRACE_STEP,        /* its number, from 1 */
    TRACE_MICRO_BATCH, /* its number in the rank and step; images */
    TRACE_LOAD,
    TRACE_FORWARD, /* a stage: first and last layer, from 1 */
    TRACE_LOSS,
    TRACE_BACKWARD, /* likewise: last and first layer */
    TRACE_REDUCE,   /* a bucket; bytes */
    TRACE_WAIT,     /* for other threads or ranks */
    TRACE_UPDATE,
    TRACE_VALIDATE,
    TRACE_CHECKPOINT,
    TRACE_PAIR,    /* of classes */
    TRACE_HELP,    /* another thread with its pair */
    TRACE_SEARCH,  /* a pair and a fold, of a search for C and gamma */
    TRACE_INDEX,   /* of the images to search */
    TRACE_NEAREST, /* images: of which, from this on and so many */
    TRACE_SHARE,   /* what was solved with the other ranks */
    TRACE_KINDS
} TraceKind;

/* What a viewer shows of a kind of span. */
typedef struct {
    const char *name;
    const char *numbers[2]; /* what its numbers are; NULL: it has none */
    int in_name;            /* how many of them stand in the name, too */
} TraceKindText;
extern const TraceKindText trace_kinds[TRACE_KINDS];

typedef struct {
    double begin_s, end_s; /* timer_now_s */
    int64_t numbers[2];
    int32_t kind, track;
} TraceSpan;

enum { TRACE_MOST_SPANS = 1 << 17 }; /* of a thread; fewer where a rank has more than 8 threads */

/* A thread's own. Spans of its track lie apart or one in the other. */
typedef struct {
    int64_t noted, room; /* spans so far; a power of two */
    int track;
    TraceSpan *spans; /* [room] the n-th is at n % room */
} TraceThread;

typedef struct {
    int thread_count;
    TraceThread *threads; /* [thread_count] */
} Trace;

/* Not collective; freed by trace_destroy (NULL is allowed). */
Trace *trace_create(int threads);
void trace_destroy(Trace **trace);

/* A thread's; NULL: there is no trace. */
TraceThread *trace_thread(const Trace *trace, int thread);

/* The time, for the beginning of a span. */
static inline double trace_begin(const TraceThread *thread) {
    return thread ? timer_now_s() : 0;
}

/* The span that began then ends now: returned, as the beginning of the next one. By the thread itself, as the
 * next. */
double trace_end(TraceThread *thread, TraceKind kind, double begin_s, int64_t first, int64_t second);

/* A span of something that goes on beside the threads, such as a message, on a track of its own: from 0. */
void trace_end_beside(TraceThread *thread, TraceKind kind, double begin_s, int track, int64_t number);

/* Tracks behind those of the threads. */
enum { TRACE_TRACKS_BESIDE = 1 << 20 };

#endif
