#include "cnn/balance.h"

#include "core/integers.h"
#include "core/mem.h"

enum {
    FIRST_MICRO_BATCHES = 64, /* of a rank, in the first window: fractions of a second */
    FIRST_STEPS = 4,
    WINDOW_IMAGES = 1 << 16, /* of a rank, at most */
};

Balance balance_new(const BatchPartition *partition, const Comm *comm, bool adapts) {
    const int ranks = partition->ranks;
    const int64_t micro_batches =
        divide_up(smaller(partition->batch, partition->samples), partition->micro_batch);
    Balance balance = {.comm = comm, .adapts = adapts && ranks > 1};
    balance.window_steps =
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

/* Of the longest window. */
static int64_t most_steps(const BatchPartition *partition) {
    return larger(1, (int64_t)WINDOW_IMAGES * partition->ranks / partition->batch);
}

Range balance_window(const Balance *balance, const BatchPartition *partition, int64_t step) {
    const int64_t steps = epoch_steps(partition);
    if (partition->ranks == 1) return (Range){step, steps}; /* nothing is fetched */
    const int64_t most = most_steps(partition);
    return (Range){step,
                   smaller(step + (balance->adapts ? smaller(balance->window_steps, most) : most), steps)};
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
    log_line(
        log,
        "Shares follow the ranks' speed: of the %lld micro-batches of a step, rank %d computes %lld and rank "
        "%d computes %lld; the others are in between.",
        (long long)balance->cuts[partition->ranks], least, (long long)shares[least], most,
        (long long)shares[most]);
}

void balance_end_window(Balance *balance, BatchPartition *partition, Log *log) {
    if (!balance->adapts) return;
    measure(balance);
    balance->window_steps = smaller(2 * balance->window_steps, most_steps(partition));
    ShareCost *costs = mem_new((size_t)partition->ranks, sizeof *costs);
    comm_gather(balance->comm, &balance->cost, sizeof balance->cost, costs);
    if (shares_adapt(costs, partition->ranks, balance->shares)) {
        use_shares(balance, partition);
        tell(balance, partition, log);
    }
    mem_free(costs);
}
