/* The ranks of a run and their communication. Only src/parallel calls MPI.
 *
 * MPI is called only from the main thread. A failing MPI call ends the program on all ranks (fatal). */
#ifndef PARDIGITS_PARALLEL_COMM_H
#define PARDIGITS_PARALLEL_COMM_H

#include "core/progress.h"
#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A set of ranks that work together. It owns a duplicate of their communicator. */
typedef struct Comm Comm;

/* Starts MPI, checks the thread level that it grants, and returns all ranks of this run. Without mpirun there
 * is one rank. Collective; ended by comm_finalize. */
Comm *comm_init(int *argc, char ***argv);

/* One rank by itself that never calls MPI: for a library, whose host may use MPI in its own way, and for what
 * needs no other ranks. It can't be trained with. Destroyed by comm_destroy. */
Comm *comm_alone(void);

/* Whether mpirun, srun or the like started this process, as their environment variables tell. */
bool comm_was_launched(void);

/* Ends MPI, where comm uses it; destroys and clears *comm. Collective. */
void comm_finalize(Comm **comm);

/* The version of the MPI library, in one line. MPI needn't be started. */
void comm_library_version(char *text, int size);

/* Collective: the ranks that pass the same value of `group`, in the order of their ranks in comm. Destroyed
 * by comm_destroy, which is collective over these ranks. */
Comm *comm_split(const Comm *comm, int group);
void comm_destroy(Comm **comm);

int comm_rank(const Comm *comm);

/* This rank's number among all ranks of the run. */
int comm_rank_of_all(const Comm *comm);
int comm_size(const Comm *comm);

/* The number of ranks of comm on this rank's node, itself included. */
int comm_node_size(const Comm *comm);

/* Whether this rank is the lowest of comm on its node. */
bool comm_first_on_node(const Comm *comm);

/* What this process is doing, for the ranks that wait for it. It lives as long as the first Comm. */
Progress *comm_progress(const Comm *comm);

/* Collective: all ranks return the same status. If any rank failed, that is the status of the lowest rank
 * that failed, with its sentence, before which it names its host if that isn't rank 0's; otherwise
 * STATUS_STOPPED if any rank has it; otherwise STATUS_OK. Call it wherever a single rank can fail, before the
 * next collective operation. */
StatusCode comm_agree(const Comm *comm, Status *status);

/* Collective: waits until all ranks are here. */
void comm_barrier(const Comm *comm);

/* Collective: copies root's data[bytes] to every rank. */
void comm_broadcast(const Comm *comm, void *data, int64_t bytes, int root);

/* Collective: replaces values[n] by their sums over the ranks, modulo 2^64: exact in any order. */
void comm_sum_u64(const Comm *comm, uint64_t *values, int64_t n);

/* Collective: the largest value over the ranks. *which = the lowest rank that has it (which may be NULL). */
double comm_max(const Comm *comm, double value, int *which);

/* Collective: gathers rows that are split by partition_range(rows, size, rank). all[rows][row_bytes]: on
 * entry each rank has filled its own range; on return every rank has all rows. */
void comm_share_rows(const Comm *comm, void *all, int64_t rows, int64_t row_bytes);

/* Collective: each rank sends rows to every rank. send holds send_rows[0] rows for rank 0, then send_rows[1]
 * rows for rank 1, and so on; received likewise, by sender. A row has row_bytes bytes. send_rows[size],
 * receive_rows[size]. */
void comm_exchange_rows(const Comm *comm, const void *send, const int64_t *send_rows, void *received,
                        const int64_t *receive_rows, int64_t row_bytes);

/* Non-blocking variant: don't touch send and received before comm_exchange_wait, which
 * waits, frees and clears *exchange. With one rank the exchange is done at once, and is NULL. */
typedef struct CommExchange CommExchange;
CommExchange *comm_exchange_start(const Comm *comm, const void *send, const int64_t *send_rows,
                                  void *received, const int64_t *receive_rows, int64_t row_bytes);
bool comm_exchange_test(CommExchange *exchange);
void comm_exchange_wait(CommExchange **exchange);

/* Collective: all[size][bytes] = the mine[bytes] of every rank, in the order of the ranks. */
void comm_gather(const Comm *comm, const void *mine, int64_t bytes, void *all);

/* Collective: the concatenation of every rank's mine[bytes], in the order of the ranks; bytes may differ
 * between ranks. The result, of *total_bytes, is freed by the caller (mem_free). */
void *comm_gather_bytes(const Comm *comm, const void *mine, int64_t bytes, int64_t *total_bytes);

/* Collective: rank 0 is given every rank's mine[bytes], in the order of the ranks, and holds those of one
 * other rank at a time. take is called on rank 0 alone; bytes may differ between ranks. */
void comm_visit_bytes(const Comm *comm, const void *mine, int64_t bytes,
                      void (*take)(void *context, int rank, const void *data, int64_t bytes), void *context);

#endif
