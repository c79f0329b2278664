/* Memory shared by the ranks of a node, as threads share the memory of a process: they exchange data there
 * without messages. */
#ifndef PARDIGITS_PARALLEL_NODE_MEMORY_H
#define PARDIGITS_PARALLEL_NODE_MEMORY_H

#include "parallel/comm.h"

#include <stddef.h>

/* Collective: the ranks of comm on this rank's node that share memory, in the order of their ranks. The
 * environment variable PARDIGITS_NODE_RANKS limits how many do (for tests; 1 turns sharing off where it
 * fails). If the system doesn't let processes share memory, each rank is alone. Destroyed by comm_destroy. */
Comm *node_ranks(const Comm *comm);

/* count objects of size bytes, zeroed, aligned to MEM_ALIGNMENT, in memory that all ranks of `node` share;
 * the address differs from rank to rank. Collective over node, which node_ranks returned (NULL: this rank is
 * alone). The others may read what a rank wrote after a barrier; atomic variables work as between threads.
 * Each rank frees it by node_memory_free (NULL is allowed), which isn't collective. */
void *node_memory_new(const Comm *node, size_t count, size_t size);
void node_memory_free(const Comm *node, void *pointer);

#endif
