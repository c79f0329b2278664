#include "parallel/watch_states.h"

#include "core/mem.h"
#include "parallel/node_memory.h"

#include <stddef.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* A rank's state in a message. */
typedef struct {
    int32_t rank, phase, waits, end, blamed;
    uint32_t alive, beats, stuck_ms;
    int64_t number;
} SentState;

/* What fits beside key and count. */
enum { STATES = (HEARTBEAT_BYTES - 2 * sizeof(int64_t)) / sizeof(SentState) };

typedef struct {
    uint64_t key;
    int64_t count;
    SentState states[STATES];
} Message;

enum { HEAD_BYTES = offsetof(Message, states) };

_Static_assert(sizeof(Message) <= HEARTBEAT_BYTES, "a message has this room");

/* Who is where. Collective. */
static void gather_members(Watch *watch, const Comm *comm) {
    Member mine = {.pid = (int32_t)getpid(), .node = watch->rank};
    watch->socket = heartbeats_open(&mine.place);
    host_name(mine.host);
    comm_broadcast(watch->node, &mine.node, sizeof mine.node, 0);
    watch->members = mem_new((size_t)watch->size, sizeof *watch->members);
    comm_gather(comm, &mine, sizeof mine, watch->members);
}

void watch_init(Watch *watch, const Comm *comm) {
    *watch = (Watch){.rank = comm_rank(comm), .size = comm_size(comm), .all = comm, .node = node_ranks(comm)};
    gather_members(watch, comm);
    watch->states = node_memory_new(watch->node, (size_t)watch->size, sizeof *watch->states);
    watch->ending = node_memory_new(watch->node, 1, sizeof *watch->ending);
    watch->seen = mem_new((size_t)watch->size, sizeof *watch->seen);
    if (getrandom(&watch->key, sizeof watch->key, GRND_NONBLOCK) < 0) watch->key = (uint64_t)getpid();
    comm_broadcast(comm, &watch->key, sizeof watch->key, 0);
}

void watch_free(Watch *watch) {
    heartbeats_close(&watch->socket);
    node_memory_free(watch->node, watch->ending);
    node_memory_free(watch->node, watch->states);
    comm_destroy(&watch->node);
    mem_free(watch->members);
    mem_free(watch->seen);
}

static SentState state_to_send(const Watch *watch, int rank) {
    const RankState *state = &watch->states[rank];
    const ProgressRecord *progress = &state->progress;
    return (SentState){.rank = rank,
                       .phase = atomic_load(&progress->phase),
                       .waits = atomic_load(&progress->waits),
                       .end = atomic_load(&state->end),
                       .blamed = atomic_load(&state->blamed),
                       .alive = atomic_load(&state->alive),
                       .beats = atomic_load(&progress->beats),
                       .stuck_ms = atomic_load(&state->stuck_ms),
                       .number = atomic_load(&progress->number)};
}

/* Of two that crossed on their way the newer one is kept. */
static void take_state(Watch *watch, const SentState *sent) {
    if (sent->rank < 0 || sent->rank >= watch->size || watch_is_here(watch, sent->rank)) return;
    if (sent->phase < 0 || sent->phase >= PROGRESS_PHASES) return;
    RankState *state = &watch->states[sent->rank];
    const unsigned known = atomic_load(&state->alive);
    if (known && (int32_t)(sent->alive - known) <= 0) return;
    atomic_store(&state->progress.phase, sent->phase);
    atomic_store(&state->progress.number, sent->number);
    atomic_store(&state->progress.waits, sent->waits);
    atomic_store(&state->progress.beats, sent->beats);
    atomic_store(&state->stuck_ms, sent->stuck_ms);
    atomic_store(&state->blamed, sent->blamed);
    atomic_store(&state->end, sent->end);
    atomic_store(&state->alive, sent->alive);
}

void watch_receive(Watch *watch) {
    _Alignas(Message) char data[HEARTBEAT_BYTES];
    for (int bytes = 0; (bytes = heartbeats_receive(watch->socket, data)) >= 0;) {
        const Message *message = (const Message *)data;
        if (bytes < HEAD_BYTES || message->key != watch->key) continue;
        const int64_t room = (bytes - HEAD_BYTES) / (int64_t)sizeof(SentState);
        for (int64_t i = 0; i < message->count && i < room; i++)
            take_state(watch, &message->states[i]);
    }
}

void watch_look(Watch *watch, double now_s) {
    for (int r = 0; r < watch->size; r++) {
        Seen *seen = &watch->seen[r];
        const unsigned alive = atomic_load(&watch->states[r].alive),
                       beats = atomic_load(&watch->states[r].progress.beats);
        if (beats != seen->beats || !seen->alive) seen->beats_s = now_s;
        if (alive != seen->alive) seen->alive_s = now_s;
        seen->alive = alive;
        seen->beats = beats;
    }
}

double watch_silent_s(const Watch *watch, int rank, double now_s) {
    return watch->seen[rank].alive ? now_s - watch->seen[rank].alive_s : 0;
}

bool watch_is_alive(const Watch *watch, int rank, double now_s) {
    return watch->seen[rank].alive && watch_silent_s(watch, rank, now_s) < 4 * watch->interval_s;
}

/* The lowest rank of this node that lives. */
static int first_here(const Watch *watch, double now_s) {
    for (int r = 0; r < watch->rank; r++)
        if (watch_is_here(watch, r) && watch_is_alive(watch, r, now_s)) return r;
    return watch->rank;
}

/* To the lowest rank of a node that lives, or to all of its ranks. Returns whether it was sent. */
static bool send_to_node(const Watch *watch, int node, const Message *message, bool all, double now_s) {
    const int bytes = (int)(HEAD_BYTES + (size_t)message->count * sizeof(SentState));
    bool sent = false;
    for (int r = node; r < watch->size && (all || !sent); r++) {
        if (watch->members[r].node != node || !(all || watch_is_alive(watch, r, now_s))) continue;
        heartbeats_send(watch->socket, &watch->members[watch->rank].place, &watch->members[r].place, message,
                        bytes);
        sent = true;
    }
    return sent;
}

static void send_message(const Watch *watch, const Message *message, double now_s) {
    for (int r = 0; r < watch->size; r++)
        if (watch->members[r].node == r && !watch_is_here(watch, r) &&
            !send_to_node(watch, r, message, false, now_s))
            send_to_node(watch, r, message, true, now_s);
}

void watch_send(const Watch *watch, double now_s) {
    Message message = {.key = watch->key};
    if (first_here(watch, now_s) != watch->rank) return;
    for (int r = 0; r < watch->size; r++) {
        if (!watch_is_here(watch, r)) continue;
        message.states[message.count++] = state_to_send(watch, r);
        if (message.count < STATES) continue;
        send_message(watch, &message, now_s);
        message.count = 0;
    }
    if (message.count) send_message(watch, &message, now_s);
}
