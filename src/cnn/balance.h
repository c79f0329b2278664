/* The ranks' shares of a step's micro-batches: even ones, until measured speeds show that others are faster.
 * The sums of a step are exact, so who computes a micro-batch changes no bit. */
#ifndef PARDIGITS_CNN_BALANCE_H
#define PARDIGITS_CNN_BALANCE_H

#include "cnn/train_step.h"

#include "core/log.h"
#include "core/shares.h"
#include "data/shard.h"

typedef struct {
    const Comm *comm;
    bool adapts;
    int64_t first_steps, window_steps; /* of an epoch's first window; of the next one */
    int64_t compare_steps;             /* after how many the shares may change next */
    int64_t *shares;                   /* [ranks] micro-batches of a whole step */
    int64_t *cuts;                     /* [ranks + 1] their sums: BatchPartition's cuts */
    double micro_batches_s, update_s;  /* of this rank in this window */
    int64_t micro_batches, steps;
    ShareCost cost; /* of this rank, in the last window in which it had micro-batches */
} Balance;

/* Even shares, which adapt if that is wanted (run.balance) and there are several ranks. comm is kept. Freed
 * by balance_free. */
Balance balance_new(const BatchPartition *partition, const Comm *comm, bool adapts);
void balance_free(Balance *balance);

/* The next window is an epoch's first. */
void balance_begin_epoch(Balance *balance);

/* The steps from `step` on whose images are fetched together: few at first, as all ranks wait for these, then
 * twice as many each time, as they arrive during the window before. With one rank the whole rest of the
 * epoch, as nothing is fetched. */
Range balance_next_window(Balance *balance, const BatchPartition *partition, int64_t step);

/* A step with so many micro-batches of this rank is done. */
void balance_add_step(Balance *balance, int64_t micro_batches, const StepResult *result);

/* Ends a window. After few steps at first, then twice as many each time, all ranks compare their speeds, and
 * partition->cuts becomes that of the shares for the windows that are begun from now on. Says in log where
 * they changed. Collective. */
void balance_end_window(Balance *balance, BatchPartition *partition, Log *log);

#endif
