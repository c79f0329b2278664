/* Sums of integers over the ranks of a communicator, while the caller works on something else.
 *
 * A sum is planned once and run once a step. Its values are cut into segments; each segment goes through the
 * steps of an algorithm, several segments at a time, so that the wire, the additions and the caller's work
 * overlap. Messages are point-to-point and small enough to be sent without a handshake, so that every MPI
 * library moves them in the same way. Algorithms (Thakur, Rabenseifner & Gropp, "Optimization of collective
 * communication operations in MPICH", IJHPCA 19, 2005):
 *     doubling  recursive doubling: log2(ranks) messages of all values; for few values
 *     halving   recursive halving, then doubling (Rabenseifner): 2 log2(ranks) messages, 2 n values sent
 *     ring      2 (ranks - 1) messages, 2 n values sent, even on any number of ranks
 *     mpi       MPI_Iallreduce of the MPI library, to compare with
 * Every algorithm gives the same bits on every rank, as long as no sum of any ranks' values overflows. (Then
 * results differ: Open MPI 4.1 saturates sums of 16 bits.) */
#ifndef PARDIGITS_PARALLEL_ALLREDUCE_H
#define PARDIGITS_PARALLEL_ALLREDUCE_H

#include "parallel/comm.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum { SUM_I64, SUM_I32, SUM_I16 } SumType;

/* Bytes of a value: 8, 4 or 2. */
int sum_type_bytes(SumType type);

/* The type whose values have 64, 32 or 16 bits. */
SumType sum_type_of_bits(int bits);

enum { ALLREDUCE_MAX_TAGS = 256 }; /* sums under way at the same time */

/* A sum that is planned. */
typedef struct Allreduce Allreduce;

/* Collective: plans the sum of values [n] of a type over the ranks of comm, which must outlive it as values
 * must. algorithm: a name of above, or NULL for the one that suits size and ranks. tag, below
 * ALLREDUCE_MAX_TAGS, is the same on all ranks and no other's that is under way at the same time on comm.
 * Destroyed by allreduce_destroy; not collective. */
Allreduce *allreduce_create(const Comm *comm, SumType type, void *values, int64_t n, const char *algorithm,
                            int tag);
void allreduce_destroy(Allreduce **sum);

/* Collective, as each of these: starts the sum. Values must not be touched before it is done. */
void allreduce_start(Allreduce *sum);

/* Lets messages pass; true when the sum is done. MPI makes no progress outside of this, so call it often. */
bool allreduce_test(Allreduce *sum);

/* Waits until the sum is done. */
void allreduce_wait(Allreduce *sum);

/* The algorithm that was planned. */
const char *allreduce_algorithm(const Allreduce *sum);

/* Names of the algorithms, ended by NULL. */
const char *const *allreduce_names(void);

#endif
