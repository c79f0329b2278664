#include "svm/pair_workers.h"

#include "core/mem.h"

#include <sched.h>
#include <stdatomic.h>

/* What one thread has to share. The owner opens it and, when it has found no chunk left, closes it and waits
 * until no helper is inside; a helper looks only after having entered. So nobody sees it change. */
typedef struct {
    _Alignas(MEM_ALIGNMENT) atomic_bool open;
    atomic_int helpers;
    atomic_llong next;
    int64_t chunks;
    void (*work)(void *context, int64_t chunk);
    void *context;
} Share;

struct PairWorkers {
    int threads;
    atomic_int idle;
    Share *shares; /* [threads] */
};

PairWorkers *pair_workers_create(int threads) {
    PairWorkers *workers = mem_new(1, sizeof *workers);
    workers->threads = threads;
    workers->shares = mem_new((size_t)threads, sizeof *workers->shares);
    return workers;
}

void pair_workers_destroy(PairWorkers **workers) {
    mem_free((*workers)->shares);
    mem_free(*workers);
    *workers = NULL;
}

/* Takes chunks until there are none; true if there was one. */
static bool take_chunks(Share *share) {
    bool any = false;
    for (;;) {
        int64_t chunk = atomic_fetch_add(&share->next, 1);
        if (chunk >= share->chunks) return any;
        share->work(share->context, chunk);
        any = true;
    }
}

void pair_workers_run(PairWorkers *workers, int thread, void (*work)(void *context, int64_t chunk),
                      void *context, int64_t chunks) {
    if (atomic_load(&workers->idle) == 0 || chunks < 2) {
        for (int64_t c = 0; c < chunks; c++)
            work(context, c);
        return;
    }
    Share *share = &workers->shares[thread];
    share->work = work;
    share->context = context;
    share->chunks = chunks;
    atomic_store(&share->next, 0);
    atomic_store(&share->open, true);
    take_chunks(share);
    atomic_store(&share->open, false);
    while (atomic_load(&share->helpers) > 0)
        sched_yield();
}

void pair_workers_join(PairWorkers *workers) {
    atomic_fetch_add(&workers->idle, 1);
}

bool pair_workers_help(PairWorkers *workers) {
    bool any = false;
    for (int t = 0; t < workers->threads; t++) {
        Share *share = &workers->shares[t];
        atomic_fetch_add(&share->helpers, 1);
        if (atomic_load(&share->open)) any = take_chunks(share) || any;
        atomic_fetch_sub(&share->helpers, 1);
    }
    return any;
}
