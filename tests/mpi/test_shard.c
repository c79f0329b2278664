/* How an epoch is cut, and that each rank gets exactly the samples that its micro-batches need. */
#include "core/mem.h"
#include "core/rng.h"
#include "data/shard.h"
#include "parallel/node_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Samples, batch, micro-batch: one sample, fewer samples than ranks, steps and micro-batches with and without
 * a rest. */
static const int64_t shapes[][3] = {{1, 1, 1},       {1, 128, 32},    {2, 128, 32}, {3, 2, 1},
                                    {7, 3, 2},       {100, 10, 4},    {100, 64, 8}, {128, 32, 32},
                                    {1000, 128, 16}, {1001, 1000, 32}};
enum { SHAPES = sizeof shapes / sizeof *shapes, MOST_RANKS = 8 };

static BatchPartition cut_of(int shape, int ranks) {
    return (BatchPartition){shapes[shape][0], shapes[shape][1], shapes[shape][2], ranks, NULL};
}

/* The ranks' parts of a step lie one behind the other, are whole micro-batches, and differ by at most one
 * micro-batch. */
static void check_step(const BatchPartition *partition, int64_t step) {
    Range whole = epoch_step_positions(partition, step);
    int64_t next = whole.begin, least = INT64_MAX, most = 0;
    for (int r = 0; r < partition->ranks; r++) {
        Range part = epoch_rank_positions(partition, step, r);
        int64_t micro_batches = (range_size(part) + partition->micro_batch - 1) / partition->micro_batch;
        assert_int_equal(part.begin, next);
        if (part.begin < part.end) assert_int_equal((part.begin - whole.begin) % partition->micro_batch, 0);
        next = part.end;
        least = micro_batches < least ? micro_batches : least;
        most = micro_batches > most ? micro_batches : most;
    }
    assert_int_equal(next, whole.end);
    assert_true(most - least <= 1);
}

static void test_cut(void **state) {
    (void)state;
    for (int shape = 0; shape < SHAPES; shape++)
        for (int ranks = 1; ranks <= 9; ranks++) {
            BatchPartition partition = cut_of(shape, ranks);
            int64_t steps = epoch_steps(&partition), next = 0, together = 0;
            for (int64_t step = 0; step < steps; step++) {
                Range range = epoch_step_positions(&partition, step);
                assert_int_equal(range.begin, next);
                assert_true(range_size(range) > 0 && range_size(range) <= partition.batch);
                next = range.end;
                check_step(&partition, step);
            }
            for (int r = 0; r < ranks; r++)
                together += epoch_rank_samples(&partition, (Range){0, steps}, r);
            assert_int_equal(next, partition.samples);
            assert_int_equal(together, partition.samples);
        }
}

static uint8_t pixel_of(int64_t sample, int pixel) {
    return (uint8_t)(sample * 31 + pixel * 7 + sample / 256);
}

static ImageSet shard_of(const BatchPartition *partition, int rank) {
    Range own = partition_range(partition->samples, partition->ranks, rank);
    ImageSet set = image_set_new(range_size(own), image_spec_mnist());
    for (int64_t i = 0; i < set.n; i++) {
        for (int p = 0; p < IMAGE_PIXELS; p++)
            set.images[i * IMAGE_PIXELS + p] = pixel_of(own.begin + i, p);
        set.labels[i] = (uint8_t)((own.begin + i) % CLASSES);
    }
    return set;
}

static void check_sample(const Samples *samples, int64_t i, uint32_t expected) {
    assert_int_equal(samples->indices[i], expected);
    assert_int_equal(samples->labels[samples->rows[i]], expected % CLASSES);
    for (int p = 0; p < IMAGE_PIXELS; p++)
        assert_int_equal(samples->images[(int64_t)samples->rows[i] * IMAGE_PIXELS + p],
                         pixel_of(expected, p));
}

/* Every sample of some steps stands where the order wants it. */
static void check_steps(const Comm *comm, const BatchPartition *partition, const ImageSet *shard,
                        const uint32_t *order, Range steps, uint64_t *seen) {
    EpochShard mine = epoch_shard_start(partition, comm, shard, order, steps);
    epoch_shard_wait(&mine);
    int64_t i = 0;
    for (int64_t step = steps.begin; step < steps.end; step++) {
        Range range = epoch_rank_positions(partition, step, comm_rank(comm));
        Samples slice = samples_slice(&mine.samples, i, range_size(range));
        for (int64_t p = range.begin; p < range.end; p++, i++) {
            check_sample(&slice, p - range.begin, order[p]);
            seen[order[p]]++;
        }
    }
    assert_int_equal(i, mine.samples.n);
    epoch_shard_free(&mine);
}

/* In two parts; seen [samples] counts how often this rank got a sample. */
static void check_exchange(const Comm *comm, const BatchPartition *partition, uint32_t epoch,
                           uint64_t *seen) {
    int rank = comm_rank(comm);
    uint32_t *order = mem_new((size_t)partition->samples, sizeof *order);
    rng_permutation(3, epoch, order, (uint32_t)partition->samples);
    ImageSet shard = shard_of(partition, rank);
    const int64_t steps = epoch_steps(partition), middle = steps / 3;
    check_steps(comm, partition, &shard, order, (Range){0, middle}, seen);
    check_steps(comm, partition, &shard, order, (Range){middle, steps}, seen);
    image_set_free(&shard);
    mem_free(order);
}

static void test_exchange(void **state) {
    const Comm *comm = *state;
    assert_true(comm_size(comm) <= MOST_RANKS);
    for (int shape = 0; shape < SHAPES; shape++) {
        BatchPartition partition = cut_of(shape, comm_size(comm));
        uint64_t *seen = mem_new((size_t)partition.samples, sizeof *seen);
        const int64_t cuts[MOST_RANKS + 1] = {0, 1, 3, 3, 7, 7, 9, 11, 12};
        for (uint32_t epoch = 0; epoch < 3; epoch++) {
            partition.cuts = epoch ? cuts : NULL;
            check_exchange(comm, &partition, epoch, seen);
        }
        comm_sum_u64(comm, seen, partition.samples);
        for (int64_t i = 0; i < partition.samples; i++)
            assert_int_equal(seen[i], 3); /* once an epoch */
        mem_free(seen);
    }
}

/* Ranks that wish for different rows, all of them, or none: groups as an ensemble makes them. */
static void test_fetch(void **state) {
    const Comm *comm = *state;
    int ranks = comm_size(comm), rank = comm_rank(comm);
    for (int shape = 0; shape < SHAPES; shape++)
        for (int groups = 1; groups <= ranks + 1; groups++) {
            BatchPartition partition = cut_of(shape, ranks);
            Comm *group = comm_split(comm, rank % groups);
            Range wanted = partition_range(partition.samples, comm_size(group), comm_rank(group));
            if (rank % groups == ranks - 1) wanted = (Range){0, 0};
            assert_int_equal(comm_rank(group), rank / groups);
            assert_int_equal(comm_size(group), (ranks - rank % groups + groups - 1) / groups);
            ImageSet shard = shard_of(&partition, rank),
                     set = shard_fetch(comm, partition.samples, &shard, wanted);
            assert_int_equal(set.n, range_size(wanted));
            for (int64_t i = 0; i < set.n; i++) {
                assert_int_equal(set.labels[i], (wanted.begin + i) % CLASSES);
                for (int p = 0; p < IMAGE_PIXELS; p++)
                    assert_int_equal(set.images[i * IMAGE_PIXELS + p], pixel_of(wanted.begin + i, p));
            }
            image_set_free(&set);
            image_set_free(&shard);
            comm_destroy(&group);
        }
}

static void check_share(const Comm *comm, const BatchPartition *partition) {
    Comm *node = node_ranks(comm);
    ImageSet shard = shard_of(partition, comm_rank(comm)),
             all = shard_share(comm, node, partition->samples, &shard);
    assert_null(shard.images);
    assert_int_equal(all.n, partition->samples);
    for (int64_t i = 0; i < all.n; i++) {
        assert_int_equal(all.labels[i], i % CLASSES);
        for (int p = 0; p < IMAGE_PIXELS; p++)
            assert_int_equal(all.images[i * IMAGE_PIXELS + p], pixel_of(i, p));
    }
    shard_share_free(node, &all);
    comm_destroy(&node);
}

/* All ranks on one node, two a node with a rest, and each on its own. */
static void test_share(void **state) {
    static const char *const node_sizes[] = {"0", "2", "1"};
    for (int n = 0; n < 3; n++)
        for (int shape = 0; shape < SHAPES; shape++) {
            const BatchPartition partition = cut_of(shape, comm_size(*state));
            setenv("PARDIGITS_NODE_RANKS", node_sizes[n], 1);
            check_share(*state, &partition);
        }
    unsetenv("PARDIGITS_NODE_RANKS");
}

int main(int argc, char **argv) {
    Comm *comm = comm_init(&argc, &argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut),
        cmocka_unit_test_prestate(test_exchange, comm),
        cmocka_unit_test_prestate(test_fetch, comm),
        cmocka_unit_test_prestate(test_share, comm),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_finalize(&comm);
    return failed;
}
