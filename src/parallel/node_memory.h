/* Memory that the ranks of a node have in common, as the threads of one process have: what they add up and
 * share there needs no messages. */
#ifndef PARDIGITS_PARALLEL_NODE_MEMORY_H
#define PARDIGITS_PARALLEL_NODE_MEMORY_H

#include "parallel/comm.h"

#include <stddef.h>

/* Collective: the ranks of comm on this rank's node, in the order of their ranks; at most as many together as
 * the environment variable PARDIGITS_NODE_RANKS says (it is for tests, and with 1 for machines where sharing
 * fails). Where the system doesn't let processes share memory, each rank is alone. Destroyed by comm_destroy.
 */
Comm *node_ranks(const Comm *comm);

/* Collective over a communicator of node_ranks (NULL: this rank is alone): count objects of size bytes,
 * zeroed, aligned to MEM_ALIGNMENT: the same memory on all ranks of the node, though at addresses of their
 * own. What one rank writes the others may read after a barrier; atomic variables work as between threads.
 * Freed by node_memory_free on each rank (NULL is allowed); not collective. */
void *node_memory_new(const Comm *node, size_t count, size_t size);
void node_memory_free(const Comm *node, void *pointer);

#endif
