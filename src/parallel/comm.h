/* The ranks of a run and what they exchange. src/parallel is the only code that calls MPI.
 *
 * MPI is called from the main thread alone. A failing MPI call ends the program on all ranks (fatal). */
#ifndef PARDIGITS_PARALLEL_COMM_H
#define PARDIGITS_PARALLEL_COMM_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ranks that work together; owns a communicator of its own. */
typedef struct Comm Comm;

/* Starts MPI (also without mpirun: then one rank), checks the thread level that it grants and gives the ranks
 * of this run. Collective; ended by comm_finalize. */
Comm *comm_init(int *argc, char ***argv);

/* Ends MPI, destroys and clears *comm. Collective. */
void comm_finalize(Comm **comm);

/* Collective: the ranks that name the same group, in the order of their ranks here. Destroyed by
 * comm_destroy, collectively in the group. */
Comm *comm_split(const Comm *comm, int group);
void comm_destroy(Comm **comm);

int comm_rank(const Comm *comm);
int comm_size(const Comm *comm);

/* How many ranks of this run share this rank's node. */
int comm_node_size(const Comm *comm);

/* Collective: all ranks leave by the same exit. If any rank's status is a failure, every rank returns the
 * failing status of the lowest such rank, sentence included, or else a rank's STATUS_STOPPED, or STATUS_OK.
 * Called before the next collective operation wherever a single rank can fail. */
StatusCode comm_agree(const Comm *comm, Status *status);

/* Collective: waits for all. */
void comm_barrier(const Comm *comm);

/* Collective: root's bytes to everyone. */
void comm_broadcast(const Comm *comm, void *data, int64_t bytes, int root);

/* Collective: values[0..n) becomes the sum over the ranks, modulo 2^64: exact in any order. */
void comm_sum_u64(const Comm *comm, uint64_t *values, int64_t n);

/* The same while the caller goes on working: comm_sum_start returns at once, values must not be touched
 * before comm_sum_wait, which waits, frees and clears *sum. Collective: all ranks start their sums in the
 * same order. MPI may make progress only within comm_sum_test, of any sum, so it is to be called now and
 * then; true: the sum is done. */
typedef struct CommSum CommSum;
CommSum *comm_sum_start(const Comm *comm, uint64_t *values, int64_t n);
bool comm_sum_test(CommSum *sum);
void comm_sum_wait(CommSum **sum);

/* Collective: the largest value of any rank, and which (lowest) rank has it (which may be NULL). */
double comm_max(const Comm *comm, double value, int *which);

/* Collective: rows cut by partition_range(rows, size, rank). all holds `rows` rows of row_bytes and, on each
 * rank, that rank's own range filled in; on return it is whole on every rank. */
void comm_share_rows(const Comm *comm, void *all, int64_t rows, int64_t row_bytes);

/* Collective: rank r receives what each rank put aside for r. Counts are in rows of row_bytes; send and
 * received rows lie one behind the other in the order of the ranks. send_rows[size], receive_rows[size]. */
void comm_exchange_rows(const Comm *comm, const void *send, const int64_t *send_rows, void *received,
                        const int64_t *receive_rows, int64_t row_bytes);

/* The same while the caller goes on working, as with comm_sum_start: send and received must not be touched
 * before comm_exchange_wait, which waits, frees and clears *exchange. */
typedef struct CommExchange CommExchange;
CommExchange *comm_exchange_start(const Comm *comm, const void *send, const int64_t *send_rows,
                                  void *received, const int64_t *receive_rows, int64_t row_bytes);
bool comm_exchange_test(CommExchange *exchange);
void comm_exchange_wait(CommExchange **exchange);

/* Collective: one int64 to each rank and from each rank; send[size], received[size]. */
void comm_exchange_counts(const Comm *comm, const int64_t *send, int64_t *received);

/* Collective: all[size][bytes] = what each rank passed as mine[bytes], in the order of the ranks. */
void comm_gather(const Comm *comm, const void *mine, int64_t bytes, void *all);

/* Collective: every rank's bytes, one behind the other in the order of the ranks, on every rank. The result,
 * of *total_bytes, is freed by the caller (mem_free). */
void *comm_gather_bytes(const Comm *comm, const void *mine, int64_t bytes, int64_t *total_bytes);

#endif
