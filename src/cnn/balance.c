#include "cnn/balance.h"

#include "core/integers.h"
#include "core/mem.h"

enum {
    FIRST_MICRO_BATCHES = 64, /* of a rank, in the first window: fractions of a second */
    FIRST_STEPS = 4,
    WINDOW_IMAGES = 1 << 13,  /* of a rank, at most */
    COMPARE_IMAGES = 1 << 16, /* of a rank, at most, between comparisons */
};

Balance balance_new(const BatchPartition *partition, const Comm *comm, bool adapts) {
    const int ranks = partition->ranks;
    const int64_t micro_batches =
        divide_up(smaller(partition->batch, partition->samples), partition->micro_batch);
    Balance balance = {.comm = comm, .adapts = adapts && ranks > 1};
    balance.first_steps = balance.window_steps = balance.compare_steps =
        larger(FIRST_STEPS, divide_up((int64_t)FIRST_MICRO_BATCHES * ranks, micro_batches));
    balance.shares = mem_new((size_t)ranks, sizeof *balance.shares);
    balance.cuts = mem_new((size_t)ranks + 1, sizeof *balance.cuts);
    for (int r = 0; r < ranks; r++)
        balance.shares[r] = range_size(partition_range(micro_batches, ranks, r));
    return balance;
}

void balance_free(Balance *balance) {
    mem_free(balance->shares);
    mem_free(balance->cuts);
}

/* In which every rank has about so many images. */
static int64_t steps_with_images(const BatchPartition *partition, int64_t images) {
    return larger(1, images * partition->ranks / partition->batch);
}

void balance_begin_epoch(Balance *balance) {
    balance->window_steps = balance->first_steps;
}

Range balance_next_window(Balance *balance, const BatchPartition *partition, int64_t step) {
    const int64_t steps = epoch_steps(partition), most = steps_with_images(partition, WINDOW_IMAGES);
    if (partition->ranks == 1) return (Range){step, steps};
    const Range window = {step, smaller(step + smaller(balance->window_steps, most), steps)};
    balance->window_steps = smaller(2 * balance->window_steps, most);
    return window;
}

void balance_add_step(Balance *balance, int64_t micro_batches, const StepResult *result) {
    balance->micro_batches += micro_batches;
    balance->micro_batches_s += result->micro_batches_s;
    balance->update_s += result->update_s;
    balance->steps++;
}

/* What this rank takes for a step, by the steps of the window. */
static void measure(Balance *balance) {
    if (balance->micro_batches > 0)
        balance->cost.each_s = balance->micro_batches_s / (double)balance->micro_batches;
    if (balance->steps > 0) balance->cost.fixed_s = balance->update_s / (double)balance->steps;
    balance->micro_batches = balance->steps = 0;
    balance->micro_batches_s = balance->update_s = 0;
}

static void use_shares(const Balance *balance, BatchPartition *partition) {
    for (int r = 0; r < partition->ranks; r++)
        balance->cuts[r + 1] = balance->cuts[r] + balance->shares[r];
    partition->cuts = balance->cuts;
}

static void tell(const Balance *balance, const BatchPartition *partition, Log *log) {
    const int64_t *shares = balance->shares;
    int least = 0, most = 0;
    for (int r = 1; r < partition->ranks; r++) {
        if (shares[r] < shares[least]) least = r;
        if (shares[r] > shares[most]) most = r;
    }
    if (shares[least] == shares[most]) {
        log_line(log,
                 "Shares follow the ranks' speed: each rank computes %lld of the micro-batches of a step.",
                 (long long)shares[least]);
        return;
    }
    log_line(
        log,
        "Shares follow the ranks' speed: of the %lld micro-batches of a step, rank %d computes %lld and rank "
        "%d computes %lld%s.",
        (long long)balance->cuts[partition->ranks], least, (long long)shares[least], most,
        (long long)shares[most], partition->ranks > 2 ? "; the others are in between" : "");
}

void balance_end_window(Balance *balance, BatchPartition *partition, Log *log) {
    if (!balance->adapts || balance->steps < balance->compare_steps) return;
    measure(balance);
    balance->compare_steps =
        smaller(2 * balance->compare_steps, steps_with_images(partition, COMPARE_IMAGES));
    ShareCost *costs = mem_new((size_t)partition->ranks, sizeof *costs);
    comm_gather(balance->comm, &balance->cost, sizeof balance->cost, costs);
    if (shares_adapt(costs, partition->ranks, balance->shares)) {
        use_shares(balance, partition);
        tell(balance, partition, log);
    }
    mem_free(costs);
}
