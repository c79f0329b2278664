/* Threads that work together inside a micro-batch give the bits of one thread: on networks with every kind of
 * layer and stage, on full micro-batches and others. Also how a step's micro-batches are shared. */
#include "cnn/train_step.h"

#include "cnn/contribution.h"
#include "core/mem.h"
#include "core/rng.h"
#include "parallel/team.h"

#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MICRO_BATCH = 64, MOST_THREADS = 5 };

/* Made-up images, parameters and what a training sets. */
typedef struct {
    Network net;
    uint8_t *images, labels[MICRO_BATCH];
    uint32_t rows[MICRO_BATCH], indices[MICRO_BATCH];
    float *params;
    PackedWeights packed;
} Fixture;

static Fixture *fixture_new(const char *line, ImageSpec spec) {
    Fixture *f = mem_new(1, sizeof *f);
    Status status = {0};
    const int64_t pixels = MICRO_BATCH * (int64_t)image_spec_pixels(spec);
    if (network_parse(&f->net, line, spec, &status)) fail_msg("%s", status.text);
    f->images = mem_new((size_t)pixels + 4, 1);
    for (int64_t p = 0; p < pixels; p += 4) {
        uint32_t bits[4];
        rng_u32x4((RngKey){11, RNG_TEST}, 0, 0, (uint32_t)p, bits);
        for (int k = 0; k < 4; k++)
            f->images[p + k] = (uint8_t)bits[k];
    }
    for (int i = 0; i < MICRO_BATCH; i++) {
        f->labels[i] = (uint8_t)(i * 3 % spec.classes);
        f->rows[i] = (uint32_t)(MICRO_BATCH - 1 - i);
        f->indices[i] = (uint32_t)(1000 - 7 * i);
    }
    f->params = mem_new((size_t)f->net.param_floats, sizeof(float));
    network_init_params(&f->net, 5, f->params);
    f->packed = packed_weights_new(&f->net, NULL);
    packed_weights_fill(&f->net, f->params, &f->packed);
    return f;
}

static void fixture_free(Fixture *f) {
    packed_weights_free(&f->packed);
    mem_free(f->params);
    mem_free(f->images);
    mem_free(f);
}

/* Contributions of two micro-batches, one after the other in the same memory, of n images and of one less. */
static float *contributions_of(Fixture *f, int n, int threads) {
    const int64_t floats = contribution_floats(&f->net);
    const MicroBatchSetup setup = {.micro_batch = MICRO_BATCH,
                                   .team = threads,
                                   .seed = 3,
                                   .augmentation = {.rotate_deg = 9, .shift_pixels = 2}};
    MicroBatchWork *work = micro_batch_work_new(&f->net, &setup);
    float *contributions = mem_new(2 * (size_t)floats, sizeof *contributions);
    Team team;
    team_init(&team, threads);
#pragma omp parallel num_threads(threads)
    {
        MicroBatchScratch scratch = micro_batch_scratch_new(&f->net, MICRO_BATCH);
        const TeamMember member = {&team, omp_get_thread_num(), &scratch};
        for (int k = 0; k < 2; k++) {
            const Samples samples = {n - k, f->images, f->labels, f->rows, f->indices};
            const MicroBatch batch = {f->params, &f->packed, 4, samples, contributions + k * floats, NULL};
            micro_batch_run(work, &batch, &member);
        }
        micro_batch_scratch_free(&scratch);
    }
    micro_batch_work_free(&work);
    return contributions;
}

static void check_teams(const char *line, ImageSpec spec, int n) {
    Fixture *f = fixture_new(line, spec);
    const size_t bytes = 2 * (size_t)contribution_floats(&f->net) * sizeof(float);
    float *expected = contributions_of(f, n, 1);
    assert_true(expected[contribution_loss(&f->net)] > 0);
    for (int threads = 2; threads <= MOST_THREADS; threads++) {
        float *got = contributions_of(f, n, threads);
        if (memcmp(got, expected, bytes)) fail_msg("%s: %d images, %d threads differ", line, n, threads);
        mem_free(got);
    }
    mem_free(expected);
    fixture_free(f);
}

static const ImageSpec large = {28, 28, 10, 0, false}, small = {9, 12, 11, 0, false};

static void check_line(const char *line, ImageSpec spec) {
    static const int images[] = {MICRO_BATCH, 19, 2};
    for (size_t i = 0; i < sizeof images / sizeof *images; i++)
        check_teams(line, spec, images[i]);
}

/* Products of few channels, and Winograd's method where it pays; whole vectors of filters, and others. */
static void test_batch_norm_and_dropout(void **state) {
    (void)state;
    check_line("conv:32:3 bn relu conv:40:3 bn relu pool:2 dropout:0.3 conv:21:5:s2:p2 bn relu "
               "dense:70 bn relu dropout:0.4 dense:classes",
               large);
}

static void test_without_batch_norm(void **state) {
    (void)state;
    check_line("conv:20:5 pool:2 relu conv:24:5:p2 relu pool:2 dense:100 relu dense:50 relu dense:30 relu "
               "dropout:0.5 dense:40 dense:classes",
               large);
}

static void test_residual_connections(void **state) {
    (void)state;
    check_line("conv:16:3:p1 bn relu@a conv:16:3:p1 bn relu conv:16:3:p1 bn add:a relu@b conv:16:3:p1 add:b "
               "relu add:a avgpool:2 conv:8:1 avgpool:all dense:classes",
               large);
}

/* All images of a stage are one group. */
static void test_small_images(void **state) {
    (void)state;
    check_line("bn conv:6:3 bn relu pool:2:s1 conv:18:3 relu avgpool:2 dense:classes", small);
    check_line("dense:classes", small);
    check_line("avgpool:all bn dense:classes", small);
}

/* Turns are taken in their order, and tasks once each. */
static void test_turns_and_tasks(void **state) {
    (void)state;
    enum { TASKS = 2000 };
    Team team;
    Turns turns;
    int order[TASKS] = {0}, taken = 0;
    team_init(&team, 4);
    turns_restart(&turns);
#pragma omp parallel num_threads(4)
    {
        for (int k; (k = team_next_task(&team)) < TASKS;) {
            turns_begin(&turns, k);
            order[taken++] = k;
            turns_end(&turns);
        }
        team_barrier(&team);
    }
    assert_int_equal(taken, TASKS);
    for (int k = 0; k < TASKS; k++)
        assert_int_equal(order[k], k);
    assert_int_equal(team_next_task(&team), 0);
}

static void test_shares_of_a_step(void **state) {
    (void)state;
    static const struct {
        int64_t micro_batches;
        int threads;
        StepShare expected;
    } cases[] = {
        {0, 2, {0, 0, 0}},   {1, 2, {0, 1, 2}}, {2, 2, {2, 0, 0}}, {3, 2, {2, 1, 2}},  {4, 2, {4, 0, 0}},
        {4, 64, {0, 4, 16}}, {6, 4, {4, 2, 2}}, {3, 4, {0, 1, 4}}, {6, 16, {0, 2, 8}}, {5, 1, {5, 0, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const StepShare got = step_share(cases[i].micro_batches, cases[i].threads);
        assert_int_equal(got.alone, cases[i].expected.alone);
        assert_int_equal(got.teams, cases[i].expected.teams);
        assert_int_equal(got.team_threads, cases[i].expected.team_threads);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch_norm_and_dropout), cmocka_unit_test(test_without_batch_norm),
        cmocka_unit_test(test_residual_connections),   cmocka_unit_test(test_small_images),
        cmocka_unit_test(test_turns_and_tasks),        cmocka_unit_test(test_shares_of_a_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
