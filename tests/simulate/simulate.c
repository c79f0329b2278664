/* A simulated cluster: the real step loop (src/cnn/train_step.c), gradient reducer and messages between
 * ranks, built with SimGrid's smpicc. Only what a micro-batch computes is replaced: it takes the time of a
 * profile. One rank is one node of the platform, with one thread. Usage, under smpirun: simulate step
 * CONFIG.ini STEPS LATENCY_US OVERHEAD_US NS_PER_BYTE [KEY=VALUE]... Training steps; cnn.batch is the batch
 * of all ranks. The platform's latency, overheads and rate are for the formula. Prints
 * ranks,images,algorithm,step_ms,exposed_ms,formula_ms,digest simulate sums VALUES ALGORITHM [ALGORITHM]...
 *         Sums of so many 16-bit integers. Prints ranks,bytes,chosen algorithm, then milliseconds of each */
#include "simulate/formula.h"

#include "cnn/gradient_blocks.h"
#include "cnn/train_step.h"

#include "core/config_file.h"
#include "core/integers.h"
#include "core/mem.h"
#include "core/timer.h"
#include "data/shard.h"
#include "model/run_options.h"
#include "parallel/allreduce_bench.h"
#include "parallel/allreduce_plan.h"
#include "parallel/node_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const ConfigKey model_key = {
    .name = "run.model", .type = CONFIG_TEXT, .initial = "cnn", .unit = "", .help = ""};
static const ConfigTable model_keys = {.count = 1, .keys = &model_key};

typedef struct {
    Comm *comm;
    Comm *node;
    Config *config;
    CnnOptions options;
    Network net;
    Profile profile;
    TrainState state;
    TrainStep step;
    BatchPartition partition;
    double step_s, exposed_s;
} Simulation;

static void read_config(Simulation *simulation, int argc, char **argv) {
    static const ConfigTable *const tables[] = {&model_keys, &run_keys, &cnn_keys};
    static const ConfigTables all = {3, tables};
    Status status = {0};
    simulation->config = config_create(&all);
    config_read_file(simulation->config, argv[2], &status);
    for (int i = 7; i < argc && !status.code; i++)
        config_set(simulation->config, argv[i], "the command line", &status);
    simulation->options = cnn_options(simulation->config);
    if (!status.code)
        network_parse(&simulation->net, simulation->options.layers, image_spec_mnist(), &status);
    if (status.code) fatal("%s", status.text);
}

/* All zeros, which steps then change. */
static TrainState new_state(const Simulation *simulation) {
    const Network *net = &simulation->net;
    const size_t params = (size_t)net->param_floats;
    TrainState state = {.net = net, .node = simulation->node};
    state.params = mem_new(params, sizeof *state.params);
    state.velocity = mem_new(params, sizeof *state.velocity);
    state.statistics = mem_new((size_t)net->statistic_floats, sizeof *state.statistics);
    if (cnn_sum_bits(&simulation->options) < 64)
        state.ranges = mem_new((size_t)gradient_blocks_count(net->param_floats), sizeof *state.ranges);
    return state;
}

static void simulation_begin(Simulation *simulation) {
    const CnnOptions *options = &simulation->options;
    simulation->node = node_ranks(simulation->comm);
    simulation->state = new_state(simulation);
    const TrainJob job = {.comm = simulation->comm, .config = simulation->config, .threads = 1};
    simulation->step = train_step_new(&simulation->state, options, &job);
    simulation->partition = (BatchPartition){options->batch, options->batch, options->micro_batch,
                                             comm_size(simulation->comm), NULL};
}

static void simulation_end(Simulation *simulation) {
    train_step_free(&simulation->step);
    mem_free(simulation->state.params);
    mem_free(simulation->state.velocity);
    mem_free(simulation->state.statistics);
    mem_free(simulation->state.ranges);
    comm_destroy(&simulation->node);
    config_destroy(&simulation->config);
}

/* As src/cnn/train.c does, without what it reports. Samples have new numbers in each step, by which noise is
 * drawn. */
static void run_step(Simulation *simulation, int64_t number, const uint32_t *indices) {
    const int64_t batch = simulation->options.batch, micro_batch = simulation->options.micro_batch;
    const Range mine = epoch_rank_positions(&simulation->partition, 0, comm_rank(simulation->comm));
    const Samples samples = {range_size(mine), NULL, NULL, indices, indices};
    const StepPlace place = {.lr = 1e-3, .first_micro_batch = mine.begin / micro_batch};
    simulation->state.step = number;
    const StepResult result = train_step_run(&simulation->step, &simulation->state, place, batch, &samples);
    simulate_work(simulation->profile.update_s);
    if (result.diverged || result.loss_sum != (double)round_up(batch, micro_batch))
        fatal("the sum over the ranks is wrong: %g instead of %lld", result.loss_sum, (long long)batch);
    simulation->exposed_s += result.exposed_s;
}

/* The first step opens the connections of a real cluster, so it doesn't count. */
static void run_steps(Simulation *simulation, int steps) {
    const Range mine = epoch_rank_positions(&simulation->partition, 0, comm_rank(simulation->comm));
    uint32_t *indices = mem_new((size_t)range_size(mine), sizeof *indices);
    double began_s = 0;
    for (int s = 0; s <= steps; s++) {
        for (int64_t i = 0; i < range_size(mine); i++)
            indices[i] = (uint32_t)(s * simulation->options.batch + mine.begin + i);
        if (s == 1) {
            simulation->exposed_s = 0;
            began_s = timer_now_s();
        }
        run_step(simulation, s, indices);
    }
    simulation->step_s = (timer_now_s() - began_s) / steps;
    simulation->exposed_s /= steps;
    mem_free(indices);
}

/* Of the parameters: the same for any number of ranks. */
static uint64_t digest(const Simulation *simulation) {
    const unsigned char *bytes = (const unsigned char *)simulation->state.params;
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
    for (size_t i = 0; i < (size_t)simulation->net.param_floats * sizeof(float); i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3;
    return hash;
}

static void refuse_different_ranks(const Simulation *simulation) {
    uint64_t mine = digest(simulation), first = mine;
    comm_broadcast(simulation->comm, &first, sizeof first, 0);
    if (mine != first) fatal("the parameters of rank %d differ", comm_rank(simulation->comm));
}

static void print_result(const Simulation *simulation, Wire wire) {
    const CnnOptions *options = &simulation->options;
    const int ranks = comm_size(simulation->comm), value_bytes = cnn_sum_bits(options) / 8;
    const int64_t micro_batches = divide_up(divide_up(options->batch, options->micro_batch), ranks);
    const double formula_s = formula_step_s(&simulation->step.works[0]->plan, &simulation->profile,
                                            micro_batches, value_bytes, ranks, wire);
    printf("%d,%lld,%s,%.4f,%.4f,%.4f,%016llx\n", ranks, (long long)options->batch,
           allreduce_choose(simulation->net.param_floats * value_bytes, ranks)->name,
           1e3 * simulation->step_s, 1e3 * simulation->exposed_s, 1e3 * formula_s,
           (unsigned long long)digest(simulation));
}

static void simulate_step(Comm *comm, int argc, char **argv) {
    const Wire wire = {1e-6 * atof(argv[4]), 1e-6 * atof(argv[5]), 1e-9 * atof(argv[6])};
    Simulation *simulation = mem_new(1, sizeof *simulation);
    simulation->comm = comm;
    read_config(simulation, argc, argv);
    profile_read(&simulation->profile);
    simulation_begin(simulation);
    run_steps(simulation, atoi(argv[3]));
    refuse_different_ranks(simulation);
    if (comm_rank(comm) == 0) print_result(simulation, wire);
    simulation_end(simulation);
    mem_free(simulation);
}

static void simulate_sums(const Comm *comm, int argc, char **argv) {
    const int64_t values = atoll(argv[2]), bytes = values * sum_type_bytes(SUM_I16);
    const bool is_first = comm_rank(comm) == 0;
    if (is_first)
        printf("%d,%lld,%s", comm_size(comm), (long long)bytes,
               allreduce_choose(bytes, comm_size(comm))->name);
    for (int i = 3; i < argc; i++) {
        const double seconds = allreduce_bench_s(comm, SUM_I16, values, argv[i], 1);
        if (is_first) printf(",%.4f", 1e3 * seconds);
    }
    if (is_first) printf("\n");
}

int main(int argc, char **argv) {
    Comm *comm = comm_init(&argc, &argv);
    if (argc > 6 && !strcmp(argv[1], "step"))
        simulate_step(comm, argc, argv);
    else if (argc > 3 && !strcmp(argv[1], "sums"))
        simulate_sums(comm, argc, argv);
    else
        fatal("usage: simulate step CONFIG.ini STEPS LATENCY_US OVERHEAD_US NS_PER_BYTE [KEY=VALUE]... | "
              "sums VALUES ALGORITHM...");
    comm_finalize(&comm);
    return 0;
}
