/* The file of a training's trace, in Chrome's trace event format: JSON that Perfetto and other viewers open.
 * A process is a rank, a track a thread or, beside the threads, a message. Times are those of rank 0's clock
 * (parallel/clock.h, at the beginning and at the end), in microseconds from the beginning on. */
#ifndef PARDIGITS_STORE_TRACE_FILE_H
#define PARDIGITS_STORE_TRACE_FILE_H

#include "core/log.h"
#include "core/status.h"
#include "core/trace.h"
#include "parallel/comm.h"

typedef struct TraceFile TraceFile;

/* Begins a trace of so many threads of this rank. path is checked now: STATUS_FAILED if it can't be written.
 * A file that is there stays until the new one is whole. Collective: ranks agree. Ended by trace_file_end. */
StatusCode trace_file_begin(TraceFile **file, const Comm *comm, int threads, const char *path,
                            Status *status);

/* What the threads note their spans in; NULL if the file is NULL. */
Trace *trace_file_trace(const TraceFile *file);

/* Gathers what the ranks have noted and writes it, and says so. Frees and clears *file (NULL is allowed).
 * Collective: ranks agree. */
StatusCode trace_file_end(TraceFile **file, Log *log, Status *status);

#endif
