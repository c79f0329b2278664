#include "parallel/allreduce.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/waiting.h"
#include "parallel/allreduce_plan.h"
#include "parallel/comm_mpi.h"

#include <string.h>

enum {
    MESSAGE_BYTES = 60 << 10, /* below the 64 KiB that MPI libraries send over TCP without a handshake */
    LANES = 16,               /* segments under way at the same time */
    REQUESTS = 2 * LANES,
};

static const char mpi_name[] = "mpi";

/* Lane l of all ranks takes the segments l, l + lanes, ... in this order: so its messages between two ranks
 * are sent and awaited in the same order, and need no more than one tag, however far other lanes are ahead.
 */
typedef struct {
    int64_t first; /* value of the segment under way */
    int step;
    void *received; /* what is to be added */
} Lane;

struct Allreduce {
    const Comm *comm;
    SumType type;
    char *values;
    int64_t n;
    int tag;
    const AllreducePlan *plan; /* NULL: MPI_Iallreduce */
    int64_t segment_values, segments, finished;
    int step_count, last_step_count;
    AllreduceStep *steps, *last_steps; /* of a segment; of the last one, which is smaller */
    int lane_count;
    Lane lanes[LANES];
    MPI_Request requests[REQUESTS]; /* a lane's receive and send */
    int pending[LANES];             /* how many of them are under way */
};

int sum_type_bytes(SumType type) {
    static const int bytes[] = {[SUM_I64] = 8, [SUM_I32] = 4, [SUM_I16] = 2};
    return bytes[type];
}

SumType sum_type_of_bits(int bits) {
    return bits == 64 ? SUM_I64 : bits == 32 ? SUM_I32 : SUM_I16;
}

MPI_Datatype sum_mpi_type(SumType type) {
    return type == SUM_I64 ? MPI_INT64_T : type == SUM_I32 ? MPI_INT32_T : MPI_INT16_T;
}

/* Unsigned, so that compilers need not think of overflow. */
static void add_values(SumType type, int64_t n, const void *received, void *values) {
    const uint64_t *from64 = received;
    const uint32_t *from32 = received;
    const uint16_t *from16 = received;
    uint64_t *to64 = values;
    uint32_t *to32 = values;
    uint16_t *to16 = values;
    switch (type) {
    case SUM_I64:
        for (int64_t i = 0; i < n; i++)
            to64[i] += from64[i];
        break;
    case SUM_I32:
        for (int64_t i = 0; i < n; i++)
            to32[i] += from32[i];
        break;
    case SUM_I16:
        for (int64_t i = 0; i < n; i++)
            to16[i] = (uint16_t)(to16[i] + from16[i]);
        break;
    }
}

static const AllreducePlan *find_plan(const char *name) {
    for (const AllreducePlan *plan = allreduce_plans; plan->name; plan++)
        if (!strcmp(plan->name, name)) return plan;
    if (strcmp(name, mpi_name)) fatal("there is no allreduce algorithm called %s", name);
    return NULL;
}

static int64_t largest_received(const Allreduce *sum) {
    int64_t largest = 0;
    for (int s = 0; s < sum->step_count; s++)
        if (sum->steps[s].add && range_size(sum->steps[s].receive) > largest)
            largest = range_size(sum->steps[s].receive);
    return largest;
}

static void plan_segments(Allreduce *sum) {
    const int rank = comm_rank(sum->comm), ranks = comm_size(sum->comm);
    const int parts = sum->plan->parts ? sum->plan->parts : ranks;
    const int most_steps = sum->plan->count(ranks);
    sum->segment_values = smaller((int64_t)MESSAGE_BYTES / sum_type_bytes(sum->type) * parts, sum->n);
    sum->segments = divide_up(sum->n, sum->segment_values);
    const int64_t last_values = sum->n - (sum->segments - 1) * sum->segment_values;
    sum->steps = mem_new((size_t)most_steps, sizeof *sum->steps);
    sum->last_steps = mem_new((size_t)most_steps, sizeof *sum->last_steps);
    sum->step_count = sum->plan->plan(rank, ranks, sum->segment_values, sum->steps);
    sum->last_step_count = sum->plan->plan(rank, ranks, last_values, sum->last_steps);
    sum->lane_count = (int)smaller(LANES, sum->segments);
    const size_t received = (size_t)(largest_received(sum) * sum_type_bytes(sum->type));
    for (int lane = 0; lane < sum->lane_count; lane++)
        sum->lanes[lane].received = mem_new(received, 1);
}

Allreduce *allreduce_create(const Comm *comm, SumType type, void *values, int64_t n, const char *algorithm,
                            int tag) {
    const int ranks = comm_size(comm);
    Allreduce *sum = mem_new(1, sizeof *sum);
    *sum = (Allreduce){.comm = comm, .type = type, .values = values, .n = n, .tag = tag};
    sum->plan = algorithm ? find_plan(algorithm) : allreduce_choose(n * sum_type_bytes(type), ranks);
    for (int r = 0; r < REQUESTS; r++)
        sum->requests[r] = MPI_REQUEST_NULL;
    if (sum->plan && n > 0 && ranks > 1) plan_segments(sum);
    return sum;
}

void allreduce_destroy(Allreduce **sum_pointer) {
    Allreduce *sum = *sum_pointer;
    if (!sum) return;
    for (int lane = 0; lane < sum->lane_count; lane++)
        mem_free(sum->lanes[lane].received);
    mem_free(sum->steps);
    mem_free(sum->last_steps);
    mem_free(sum);
    *sum_pointer = NULL;
}

static bool is_last(const Allreduce *sum, const Lane *lane) {
    return lane->first + sum->segment_values >= sum->n;
}

static const AllreduceStep *step_of(const Allreduce *sum, const Lane *lane) {
    return (is_last(sum, lane) ? sum->last_steps : sum->steps) + lane->step;
}

static bool has_steps_left(const Allreduce *sum, const Lane *lane) {
    return lane->step < (is_last(sum, lane) ? sum->last_step_count : sum->step_count);
}

static char *value_at(const Allreduce *sum, const Lane *lane, int64_t place) {
    return sum->values + (lane->first + place) * sum_type_bytes(sum->type);
}

/* Posts the messages of the lane's step. */
static void start_step(Allreduce *sum, int l) {
    Lane *lane = &sum->lanes[l];
    const int tag = sum->tag + ALLREDUCE_MAX_TAGS * l;
    const AllreduceStep *step = step_of(sum, lane);
    const MPI_Comm mpi = comm_mpi(sum->comm);
    const MPI_Datatype type = sum_mpi_type(sum->type);
    if (step->from >= 0) {
        void *into = step->add ? lane->received : value_at(sum, lane, step->receive.begin);
        comm_check(MPI_Irecv(into, (int)range_size(step->receive), type, step->from, tag, mpi,
                             &sum->requests[2 * l]),
                   "MPI_Irecv");
        sum->pending[l]++;
    }
    if (step->to >= 0) {
        comm_check(MPI_Isend(value_at(sum, lane, step->send.begin), (int)range_size(step->send), type,
                             step->to, tag, mpi, &sum->requests[2 * l + 1]),
                   "MPI_Isend");
        sum->pending[l]++;
    }
}

static void start_segment(Allreduce *sum, int l, int64_t segment) {
    if (segment >= sum->segments) return;
    sum->lanes[l].first = segment * sum->segment_values;
    sum->lanes[l].step = 0;
    start_step(sum, l);
}

/* The messages of the lane's step are done. */
static void finish_step(Allreduce *sum, int l) {
    Lane *lane = &sum->lanes[l];
    const AllreduceStep *step = step_of(sum, lane);
    if (step->add)
        add_values(sum->type, range_size(step->receive), lane->received,
                   value_at(sum, lane, step->receive.begin));
    lane->step++;
    if (has_steps_left(sum, lane)) {
        start_step(sum, l);
    } else {
        sum->finished++;
        start_segment(sum, l, lane->first / sum->segment_values + sum->lane_count);
    }
}

void allreduce_start(Allreduce *sum) {
    const int ranks = comm_size(sum->comm);
    sum->finished = 0;
    if (ranks == 1 || sum->n == 0) return;
    if (!sum->plan) {
        comm_check(MPI_Iallreduce(MPI_IN_PLACE, sum->values, (int)sum->n, sum_mpi_type(sum->type), MPI_SUM,
                                  comm_mpi(sum->comm), &sum->requests[0]),
                   "MPI_Iallreduce");
        return;
    }
    for (int l = 0; l < sum->lane_count; l++)
        start_segment(sum, l, l);
}

bool allreduce_test(Allreduce *sum) {
    if (!sum->plan) {
        int done;
        comm_check(MPI_Test(&sum->requests[0], &done, MPI_STATUS_IGNORE), "MPI_Test");
        return done;
    }
    if (sum->finished == sum->segments) return true;
    int count, which[REQUESTS];
    comm_check(MPI_Testsome(2 * sum->lane_count, sum->requests, &count, which, MPI_STATUSES_IGNORE),
               "MPI_Testsome");
    for (int i = 0; i < count; i++)
        if (--sum->pending[which[i] / 2] == 0) finish_step(sum, which[i] / 2);
    return sum->finished == sum->segments;
}

void allreduce_wait(Allreduce *sum) {
    const Waiting waiting = waiting_begin();
    progress_wait_begin(comm_progress(sum->comm));
    while (!allreduce_test(sum))
        waiting_pause(&waiting);
    progress_wait_end(comm_progress(sum->comm));
}

const char *allreduce_algorithm(const Allreduce *sum) {
    return sum->plan ? sum->plan->name : mpi_name;
}

const char *const *allreduce_names(void) {
    static const char *const names[] = {"doubling", "halving", "ring", mpi_name, NULL};
    return names;
}
