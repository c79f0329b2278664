/* Stands in for micro_batch.c, micro_batch_work.c and packed_weights.c of src/cnn: computes nothing, but
 * takes as long as the profile says, and tells what is ready when the real one does. Its contributions depend
 * on nothing but a value's place, so the mean gradient is the same for any number of ranks. */
#include "cnn/contribution.h"
#include "cnn/micro_batch.h"

#include "simulate/profile.h"

#include "core/mem.h"
#include "core/rng.h"
#include "core/status.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    MicroBatchWork base;
    Profile profile;
    double noise; /* standard deviation of a micro-batch's time, as a share of it */
} SimulatedWork;

PackedWeights packed_weights_new(const Network *net, const Comm *node) {
    (void)net;
    return (PackedWeights){.node = node};
}

void packed_weights_free(PackedWeights *packed) {
    (void)packed;
}

void packed_weights_fill(const Network *net, const float *params, const PackedWeights *packed) {
    (void)net, (void)params, (void)packed;
}

void packed_weights_restart(const PackedWeights *packed) {
    (void)packed;
}

MicroBatchWork *micro_batch_work_new(const Network *net, const MicroBatchSetup *setup) {
    SimulatedWork *work = mem_new(1, sizeof *work);
    const char *noise = getenv("SIMULATE_NOISE");
    work->base.net = net;
    work->base.plan = micro_batch_plan_create(net, setup->micro_batch);
    work->base.micro_batch = setup->micro_batch;
    work->base.seed = setup->seed;
    work->noise = noise ? atof(noise) : 0;
    profile_read(&work->profile);
    const int stages = work->base.plan.forward_count + work->base.plan.backward_count;
    if (work->profile.count != stages + 2)
        fatal("the profile is of another network: it has %d stages, this one %d", work->profile.count - 2,
              stages);
    return &work->base;
}

void micro_batch_work_free(MicroBatchWork **work) {
    mem_free(*work);
    *work = NULL;
}

MicroBatchScratch micro_batch_scratch_new(const Network *net, int micro_batch) {
    (void)net, (void)micro_batch;
    return (MicroBatchScratch){0};
}

void micro_batch_scratch_free(MicroBatchScratch *scratch) {
    (void)scratch;
}

/* How much longer than the profile this micro-batch takes: drawn by its first sample and the step. */
static double slowness(const SimulatedWork *work, const MicroBatch *batch) {
    float normal[4];
    if (work->noise == 0) return 1;
    rng_normal4((RngKey){work->base.seed, RNG_TEST}, batch->epoch, batch->samples.indices[0], 0, normal);
    const double factor = 1 + work->noise * normal[0];
    return factor > 0 ? factor : 0;
}

static void fill_contribution(const Network *net, float *contribution) {
    for (int64_t i = 0; i < net->param_floats; i++)
        contribution[i] = (float)(i % 7 - 3) / 64;
    memset(contribution + net->param_floats, 0, (size_t)net->statistic_floats * sizeof(float));
    contribution[contribution_loss(net)] = 1;
    contribution[contribution_correct(net)] = 1;
}

double micro_batch_run(MicroBatchWork *base, const MicroBatch *batch, const TeamMember *member) {
    const SimulatedWork *work = (const SimulatedWork *)base;
    const MicroBatchEvents *events = batch->events;
    const Network *net = base->net;
    const double factor = slowness(work, batch);
    int back = 0;
    (void)member;
    fill_contribution(net, batch->contribution);
    for (int p = 0; p < work->profile.count; p++) {
        const ProfilePhase *phase = &work->profile.phases[p];
        const bool is_back = !strcmp(phase->kind, "backward"),
                   is_stage = is_back || !strcmp(phase->kind, "forward");
        for (int g = 0; g < phase->groups; g++) {
            simulate_work(factor * phase->seconds / phase->groups);
            if (is_stage) events->group_done(events->context);
        }
        if (!strcmp(phase->kind, "loss"))
            events->values_ready(events->context, (Range){net->param_floats, contribution_floats(net)});
        if (is_back) events->values_ready(events->context, base->plan.backward[back++].params);
    }
    return 0;
}
