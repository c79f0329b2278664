#include "store/trace_file.h"

#include "core/host.h"
#include "core/mem.h"
#include "parallel/clock.h"
#include "store/atomic_file.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct TraceFile {
    const Comm *comm;
    Trace *trace;
    char *path;
    AtomicFile whole;          /* on rank 0 */
    FILE *out;                 /* of rank 0 */
    double began_s, offset_s;  /* on this rank's clock; of it then */
    double origin_s;           /* rank 0's began_s */
    int64_t written, replaced; /* spans; on rank 0 */
};

/* What a rank sends: this, then its spans, sorted, in seconds from the origin on rank 0's clock. */
typedef struct {
    char host[HOST_NAME];
    int threads;
    int64_t spans, replaced; /* replaced: by newer ones */
} RankSpans;

static void open_file(TraceFile *file, Status *status) {
    if (atomic_file_check_kind(file->path, status)) return;
    if (atomic_file_begin(&file->whole, file->path, status)) return;
    file->out = fopen(file->whole.temporary, "w");
    if (!file->out)
        status_set(status, STATUS_USAGE, "The trace %s can't be written: %s; name another file by --trace.",
                   file->path, strerror(errno));
}

static void free_file(TraceFile **pointer) {
    TraceFile *file = *pointer;
    trace_destroy(&file->trace);
    mem_free(file->path);
    if (file->whole.path) atomic_file_let_go(&file->whole);
    mem_free(file);
    *pointer = NULL;
}

StatusCode trace_file_begin(TraceFile **pointer, const Comm *comm, int threads, const char *path,
                            Status *status) {
    TraceFile *file = *pointer = mem_new(1, sizeof *file);
    file->comm = comm;
    file->path = mem_text(path);
    if (comm_rank(comm) == 0) open_file(file, status);
    if (comm_agree(comm, status)) {
        free_file(pointer);
        return status->code;
    }
    file->trace = trace_create(threads);
    file->offset_s = clock_offset_s(comm);
    file->began_s = file->origin_s = timer_now_s();
    comm_broadcast(comm, &file->origin_s, sizeof file->origin_s, 0);
    return STATUS_OK;
}

Trace *trace_file_trace(const TraceFile *file) {
    return file ? file->trace : NULL;
}

/* By track; an outer span before those in it. */
static int compare_spans(const void *left, const void *right) {
    const TraceSpan *a = left, *b = right;
    if (a->track != b->track) return a->track < b->track ? -1 : 1;
    if (a->begin_s != b->begin_s) return a->begin_s < b->begin_s ? -1 : 1;
    return (a->end_s < b->end_s) - (a->end_s > b->end_s);
}

/* The number of a thread's oldest span that is kept. */
static int64_t oldest(const TraceThread *thread) {
    return thread->noted < thread->room ? 0 : thread->noted - thread->room;
}

/* To rank 0's clock, from which this one's may drift away evenly. Collective. */
static void align(const TraceFile *file, TraceSpan *spans, int64_t n) {
    const double drifted_s = clock_offset_s(file->comm) - file->offset_s;
    const double drift = drifted_s / (timer_now_s() - file->began_s);
    for (int64_t i = 0; i < n; i++) {
        double *const times[] = {&spans[i].begin_s, &spans[i].end_s};
        for (int k = 0; k < 2; k++)
            *times[k] += file->offset_s + drift * (*times[k] - file->began_s) - file->origin_s;
    }
}

/* This rank's spans, as it sends them; freed by mem_free. Collective. */
static RankSpans *pack(const TraceFile *file, int64_t *bytes) {
    const Trace *trace = file->trace;
    RankSpans rank = {.threads = trace->thread_count};
    host_name(rank.host);
    for (int t = 0; t < rank.threads; t++) {
        rank.spans += trace->threads[t].noted - oldest(&trace->threads[t]);
        rank.replaced += oldest(&trace->threads[t]);
    }
    *bytes = (int64_t)sizeof rank + rank.spans * (int64_t)sizeof(TraceSpan);
    RankSpans *packed = mem_new((size_t)*bytes, 1);
    TraceSpan *spans = (TraceSpan *)(packed + 1), *next = spans;
    *packed = rank;
    for (int t = 0; t < rank.threads; t++) {
        const TraceThread *thread = &trace->threads[t];
        for (int64_t n = oldest(thread); n < thread->noted; n++)
            *next++ = thread->spans[n % thread->room];
    }
    align(file, spans, rank.spans);
    qsort(spans, (size_t)rank.spans, sizeof *spans, compare_spans);
    return packed;
}

/* An event, which it frees, in a line of its own. */
static void write_event(TraceFile *file, cJSON *event, bool first) {
    char *text = cJSON_PrintUnformatted(event);
    fprintf(file->out, "%s\n%s", first ? "" : ",", text);
    cJSON_free(text);
    cJSON_Delete(event);
}

/* Perfetto keeps process 0 and thread 0 for Linux's idle ones, so both count from 1. */
static cJSON *new_event(const char *name, const char *phase, int rank, int track) {
    cJSON *event = cJSON_CreateObject();
    cJSON_AddStringToObject(event, "name", name);
    cJSON_AddStringToObject(event, "ph", phase);
    cJSON_AddNumberToObject(event, "pid", rank + 1);
    cJSON_AddNumberToObject(event, "tid", track + 1);
    return event;
}

/* What a viewer calls a rank or track, and its place below the others. */
static void write_name(TraceFile *file, const char *of, int rank, int track, const char *name) {
    char kind[32];
    snprintf(kind, sizeof kind, "%s_name", of);
    cJSON *event = new_event(kind, "M", rank, track);
    cJSON_AddStringToObject(cJSON_AddObjectToObject(event, "args"), "name", name);
    write_event(file, event, !strcmp(of, "process") && rank == 0);
    snprintf(kind, sizeof kind, "%s_sort_index", of);
    event = new_event(kind, "M", rank, track);
    cJSON_AddNumberToObject(cJSON_AddObjectToObject(event, "args"), "sort_index",
                            !strcmp(of, "process") ? rank : track);
    write_event(file, event, false);
}

static void write_track_name(TraceFile *file, int rank, int threads, int track) {
    char name[48];
    if (track < threads)
        snprintf(name, sizeof name, "thread %d", track);
    else
        snprintf(name, sizeof name, "bucket %d", track - threads);
    write_name(file, "thread", rank, track, name);
}

static int64_t nanoseconds(double seconds) {
    return llround(seconds * 1e9);
}

/* A span ends 1 ns before the next one may begin: viewers add ts and dur as floats, and would see an overlap.
 */
static void write_span(TraceFile *file, const TraceSpan *span, int rank, int track) {
    const TraceKindText *kind = &trace_kinds[span->kind];
    const int64_t begin_ns = nanoseconds(span->begin_s), end_ns = nanoseconds(span->end_s) - 1;
    char name[96], numbers[2][24] = {"", ""};
    for (int k = 0; k < kind->in_name; k++)
        snprintf(numbers[k], sizeof numbers[k], "%s%lld", k ? "-" : " ", (long long)span->numbers[k]);
    snprintf(name, sizeof name, "%s%s%s", kind->name, numbers[0], numbers[1]);
    cJSON *event = new_event(name, "X", rank, track);
    cJSON_AddStringToObject(event, "cat", kind->name);
    cJSON_AddNumberToObject(event, "ts", (double)begin_ns / 1e3);
    cJSON_AddNumberToObject(event, "dur", fmax(0, (double)(end_ns - begin_ns)) / 1e3);
    cJSON *args = kind->numbers[0] ? cJSON_AddObjectToObject(event, "args") : NULL;
    for (int k = 0; k < 2 && kind->numbers[k]; k++)
        cJSON_AddNumberToObject(args, kind->numbers[k], (double)span->numbers[k]);
    write_event(file, event, false);
}

/* Of comm_visit_bytes. */
static void write_rank(void *context, int rank, const void *data, int64_t bytes) {
    TraceFile *file = context;
    const RankSpans *sent = data;
    const TraceSpan *spans = (const TraceSpan *)(sent + 1);
    char name[96];
    (void)bytes;
    snprintf(name, sizeof name, "rank %d on %s", rank, sent->host);
    write_name(file, "process", rank, 0, name);
    for (int64_t i = 0; i < sent->spans; i++) {
        const int track = spans[i].track < sent->threads
                              ? spans[i].track
                              : spans[i].track - TRACE_TRACKS_BESIDE + sent->threads;
        if (i == 0 || spans[i].track != spans[i - 1].track)
            write_track_name(file, rank, sent->threads, track);
        write_span(file, &spans[i], rank, track);
    }
    file->written += sent->spans;
    file->replaced += sent->replaced;
}

static void close_file(TraceFile *file, Log *log, Status *status) {
    fprintf(file->out, "\n],\"displayTimeUnit\":\"ms\"}\n");
    const bool good = !ferror(file->out);
    if (fclose(file->out) != 0 || !good)
        status_set(status, STATUS_FAILED, "The trace %s couldn't be written: %s.", file->path,
                   strerror(errno));
    if (atomic_file_end(&file->whole, status)) return;
    log_line(log, "%s holds %lld spans of %d rank%s", file->path, (long long)file->written,
             comm_size(file->comm), comm_size(file->comm) == 1 ? "" : "s");
    if (file->replaced)
        log_line(log, "%lld older spans are missing in it: a thread keeps its newest %lld",
                 (long long)file->replaced, (long long)file->trace->threads[0].room);
}

StatusCode trace_file_end(TraceFile **pointer, Log *log, Status *status) {
    TraceFile *file = *pointer;
    int64_t bytes;
    if (!file) return status->code;
    RankSpans *mine = pack(file, &bytes);
    if (file->out) fprintf(file->out, "{\"traceEvents\":[");
    comm_visit_bytes(file->comm, mine, bytes, write_rank, file);
    if (file->out) close_file(file, log, status);
    mem_free(mine);
    const Comm *comm = file->comm;
    free_file(pointer);
    return comm_agree(comm, status);
}
