/* The same step by a formula, to compare the simulation with: messages don't disturb each other, and nobody
 * looks late. */
#ifndef SIMULATE_FORMULA_H
#define SIMULATE_FORMULA_H

#include "cnn/plan.h"

#include "simulate/profile.h"

/* How messages travel between any two ranks. */
typedef struct {
    double latency_s;  /* of the network */
    double overhead_s; /* of a message, at each end */
    double s_per_byte; /* of the network and of both ends' copies */
} Wire;

/* Seconds of a step of so many micro-batches a rank on so many ranks, whose gradient travels in value_bytes a
 * value: compute + update + what of the sum isn't hidden behind compute. The bytes of a bucket follow those
 * of the buckets before it, from when it is complete in the last micro-batch; then come the latencies and
 * overheads of the messages that the algorithm sends one after the other. */
double formula_step_s(const MicroBatchPlan *plan, const Profile *profile, int64_t micro_batches,
                      int value_bytes, int ranks, Wire wire);

#endif
