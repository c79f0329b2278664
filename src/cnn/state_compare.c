/* Whether all ranks hold the same state. */
#include "cnn/state.h"

#include "core/host.h"
#include "core/mem.h"

#include <string.h>

/* An array of the state. */
typedef struct {
    const char *kind, *name; /* "momentum of ", "conv1/weight" */
    const float *values;     /* [count] */
    int64_t count;
    bool is_params; /* laid out like parameters, not like statistics */
} StateArray;

typedef struct {
    uint64_t hash;
    uint32_t not_numbers; /* whether there are NaN or infinite values */
} Digest;

/* Any change of one word changes the hash: each step is a bijection. Four chains, which go on beside each
 * other. */
static Digest digest_of(const float *values, int64_t count) {
    enum { LANES = 4 };
    const uint32_t exponent = 0x7f800000;
    uint64_t lanes[LANES] = {1, 2, 3, 4};
    uint32_t not_numbers = 0;
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        lanes[i % LANES] = (lanes[i % LANES] ^ bits) * 0x100000001b3;
        not_numbers |= (bits & exponent) == exponent;
    }
    Digest digest = {0xcbf29ce484222325, not_numbers};
    for (int k = 0; k < LANES; k++)
        digest.hash = (digest.hash ^ lanes[k] ^ lanes[k] >> 32) * 0x100000001b3;
    return digest;
}

enum { WHOLE_ARRAYS = 5 };

/* Arrays of the state as it lies in memory. */
static int list_whole(const TrainState *state, StateArray arrays[WHOLE_ARRAYS]) {
    const int64_t params = state->net->param_floats, statistics = state->net->statistic_floats;
    const StateArray all[WHOLE_ARRAYS] = {
        {"", NULL, state->params, params, true},
        {"the momentum of ", NULL, state->velocity, params, true},
        {"", NULL, state->statistics, statistics, false},
        {"the average of ", NULL, state->average, params, true},
        {"the average of ", NULL, state->average_statistics, statistics, false}};
    int count = 0;
    for (int i = 0; i < WHOLE_ARRAYS; i++)
        if (all[i].values) arrays[count++] = all[i];
    return count;
}

/* The same by layers; freed by the caller. */
static StateArray *list_arrays(const TrainState *state, int *count) {
    const Network *net = state->net;
    StateArray whole[WHOLE_ARRAYS];
    const int wholes = list_whole(state, whole);
    StateArray *arrays =
        mem_new((size_t)(wholes * (net->array_count + net->statistic_count)), sizeof *arrays);
    *count = 0;
    for (int w = 0; w < wholes; w++) {
        const bool params = whole[w].is_params;
        for (int a = 0; a < (params ? net->array_count : net->statistic_count); a++) {
            const char *name = params ? net->arrays[a].name : net->statistics[a].name;
            const int64_t first = params ? net->arrays[a].first : net->statistics[a].first,
                          n = params ? net->arrays[a].count : net->statistics[a].count;
            arrays[(*count)++] = (StateArray){whole[w].kind, name, whole[w].values + first, n, params};
        }
    }
    return arrays;
}

/* How many ranks have the same hash as this one. */
static int like(const Digest *all, int ranks, int rank) {
    int same = 0;
    for (int r = 0; r < ranks; r++)
        same += all[r].hash == all[rank].hash;
    return same;
}

/* The rank that differs from the others: the first one of the smallest group; -1: none does. *others: one of
 * the largest other group. */
static int find_odd_rank(const Digest *all, int ranks, int *others) {
    int odd = 0;
    *others = -1;
    for (int r = 1; r < ranks; r++)
        if (like(all, ranks, r) < like(all, ranks, odd)) odd = r;
    for (int r = 0; r < ranks; r++)
        if (all[r].hash != all[odd].hash && (*others < 0 || like(all, ranks, r) > like(all, ranks, *others)))
            *others = r;
    return *others < 0 ? -1 : odd;
}

/* Collective; freed by the caller. */
static char (*gather_hosts(const Comm *comm))[HOST_NAME] {
    char host[HOST_NAME], (*hosts)[HOST_NAME] = mem_new((size_t)comm_size(comm), sizeof *hosts);
    host_name(host);
    comm_gather(comm, host, sizeof host, hosts);
    return hosts;
}

static void tell_difference(const StateArray *array, const Digest *all, const Comm *comm, const char *when,
                            const char *advice, Status *status) {
    char(*hosts)[HOST_NAME] = gather_hosts(comm);
    const int ranks = comm_size(comm);
    int others;
    const int odd = find_odd_rank(all, ranks, &others);
    if (2 * like(all, ranks, odd) < ranks)
        status_set(
            status, STATUS_FAILED,
            "Rank %d (host %s) has other weights than the other ranks %s, first in %s%s: its memory or "
            "processor made an error. %s, without that host if it happens again.",
            odd, hosts[odd], when, array->kind, array->name, advice);
    else
        status_set(
            status, STATUS_FAILED,
            "Ranks %d (host %s) and %d (host %s) have different weights %s, first in %s%s: the memory or "
            "processor of one of both made an error. %s, without the host that is to blame if it happens "
            "again.",
            odd, hosts[odd], others, hosts[others], when, array->kind, array->name, advice);
    mem_free(hosts);
}

/* Looks for the first array that differs or isn't of numbers. Collective. */
static StatusCode name_array(const TrainState *state, const Comm *comm, const char *when, const char *advice,
                             Status *status) {
    int count, others;
    StateArray *arrays = list_arrays(state, &count);
    Digest *all = mem_new((size_t)comm_size(comm), sizeof *all);
    for (int a = 0; a < count && !status->code; a++) {
        const Digest mine = digest_of(arrays[a].values, arrays[a].count);
        comm_gather(comm, &mine, sizeof mine, all);
        if (find_odd_rank(all, comm_size(comm), &others) >= 0)
            tell_difference(&arrays[a], all, comm, when, advice, status);
        else if (all[0].not_numbers)
            status_set(status, STATUS_FAILED,
                       "Training diverged %s: %s%s holds values that are no numbers; lower cnn.lr.", when,
                       arrays[a].kind, arrays[a].name);
    }
    mem_free(all);
    mem_free(arrays);
    return status->code;
}

StatusCode train_state_compare_ranks(const TrainState *state, const Comm *comm, const char *when,
                                     const char *advice, Status *status) {
    StateArray whole[WHOLE_ARRAYS];
    const int wholes = list_whole(state, whole), ranks = comm_size(comm);
    Digest mine = {0, 0}, *all = mem_new((size_t)ranks, sizeof *all);
    for (int w = 0; w < wholes; w++) {
        const Digest part = digest_of(whole[w].values, whole[w].count);
        mine.hash = (mine.hash ^ part.hash) * 0x100000001b3;
        mine.not_numbers |= part.not_numbers;
    }
    comm_gather(comm, &mine, sizeof mine, all);
    bool wrong = false;
    for (int r = 0; r < ranks; r++)
        wrong = wrong || all[r].hash != all[0].hash || all[r].not_numbers;
    mem_free(all);
    return wrong ? name_array(state, comm, when, advice, status) : status->code;
}
