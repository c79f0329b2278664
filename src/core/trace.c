#include "core/trace.h"

#include "core/mem.h"

enum { TRACE_RANK_SPANS = 1 << 20 }; /* of all threads of a rank */

const TraceKindText trace_kinds[TRACE_KINDS] = {
    [TRACE_RUN] = {"train", {NULL, NULL}, 0},
    [TRACE_READ] = {"read images", {NULL, NULL}, 0},
    [TRACE_EPOCH] = {"epoch", {"epoch", NULL}, 1},
    [TRACE_FETCH] = {"fetch images", {NULL, NULL}, 0},
    [TRACE_STEP] = {"step", {"step", NULL}, 1},
    [TRACE_MICRO_BATCH] = {"micro-batch", {"micro_batch", "images"}, 1},
    [TRACE_LOAD] = {"load", {NULL, NULL}, 0},
    [TRACE_FORWARD] = {"forward", {"first_layer", "last_layer"}, 2},
    [TRACE_LOSS] = {"loss", {NULL, NULL}, 0},
    [TRACE_BACKWARD] = {"backward", {"last_layer", "first_layer"}, 2},
    [TRACE_REDUCE] = {"reduce", {"bucket", "bytes"}, 1},
    [TRACE_WAIT] = {"wait", {NULL, NULL}, 0},
    [TRACE_UPDATE] = {"update", {NULL, NULL}, 0},
    [TRACE_VALIDATE] = {"validate", {NULL, NULL}, 0},
    [TRACE_CHECKPOINT] = {"checkpoint", {NULL, NULL}, 0},
    [TRACE_PAIR] = {"pair", {"class_a", "class_b"}, 2},
    [TRACE_HELP] = {"help", {NULL, NULL}, 0},
    [TRACE_SEARCH] = {"search", {"pair", "fold"}, 2},
    [TRACE_INDEX] = {"build index", {NULL, NULL}, 0},
    [TRACE_NEAREST] = {"nearest images", {"first", "images"}, 0},
    [TRACE_SHARE] = {"share", {NULL, NULL}, 0},
};

Trace *trace_create(int threads) {
    Trace *trace = mem_new(1, sizeof *trace);
    int64_t room = TRACE_MOST_SPANS;
    while (room * threads > TRACE_RANK_SPANS && room > 1)
        room /= 2;
    trace->thread_count = threads;
    trace->threads = mem_new((size_t)threads, sizeof *trace->threads);
    for (int t = 0; t < threads; t++)
        trace->threads[t] =
            (TraceThread){.room = room, .track = t, .spans = mem_new((size_t)room, sizeof(TraceSpan))};
    return trace;
}

void trace_destroy(Trace **pointer) {
    Trace *trace = *pointer;
    if (!trace) return;
    for (int t = 0; t < trace->thread_count; t++)
        mem_free(trace->threads[t].spans);
    mem_free(trace->threads);
    mem_free(trace);
    *pointer = NULL;
}

TraceThread *trace_thread(const Trace *trace, int thread) {
    return trace ? &trace->threads[thread] : NULL;
}

static void note(TraceThread *thread, const TraceSpan *span) {
    thread->spans[thread->noted++ & (thread->room - 1)] = *span;
}

double trace_end(TraceThread *thread, TraceKind kind, double begin_s, int64_t first, int64_t second) {
    if (!thread) return 0;
    const double now_s = timer_now_s();
    note(thread, &(TraceSpan){begin_s, now_s, {first, second}, (int32_t)kind, thread->track});
    return now_s;
}

void trace_end_beside(TraceThread *thread, TraceKind kind, double begin_s, int track, int64_t number) {
    if (!thread) return;
    note(thread,
         &(TraceSpan){begin_s, timer_now_s(), {track, number}, (int32_t)kind, TRACE_TRACKS_BESIDE + track});
}
