#include "svm/crew.h"

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

struct Crew {
    int threads;
    atomic_int idle;
    Share *shares; /* [threads] */
};

Crew *crew_create(int threads) {
    Crew *crew = mem_new(1, sizeof *crew);
    crew->threads = threads;
    crew->shares = mem_new((size_t)threads, sizeof *crew->shares);
    return crew;
}

void crew_destroy(Crew **crew) {
    mem_free((*crew)->shares);
    mem_free(*crew);
    *crew = NULL;
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

void crew_run(Crew *crew, int thread, void (*work)(void *context, int64_t chunk), void *context,
              int64_t chunks) {
    if (atomic_load(&crew->idle) == 0 || chunks < 2) {
        for (int64_t c = 0; c < chunks; c++)
            work(context, c);
        return;
    }
    Share *share = &crew->shares[thread];
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

void crew_join(Crew *crew) {
    atomic_fetch_add(&crew->idle, 1);
}

bool crew_help(Crew *crew) {
    bool any = false;
    for (int t = 0; t < crew->threads; t++) {
        Share *share = &crew->shares[t];
        atomic_fetch_add(&share->helpers, 1);
        if (atomic_load(&share->open)) any = take_chunks(share) || any;
        atomic_fetch_sub(&share->helpers, 1);
    }
    return any;
}
