/* Access to the MPI communicators, for the modules that pass one to MPI or to parallel HDF5. */
#ifndef PARDIGITS_PARALLEL_COMM_MPI_H
#define PARDIGITS_PARALLEL_COMM_MPI_H

#include "parallel/allreduce.h"
#include "parallel/comm.h"

#include <mpi.h>

/* The communicator that comm owns. */
MPI_Comm comm_mpi(const Comm *comm);

/* The communicator of the ranks on this node. */
MPI_Comm comm_node_mpi(const Comm *comm);

/* The type that MPI has for a sum's values. */
MPI_Datatype sum_mpi_type(SumType type);

/* Ends the program if an MPI call failed: comm_check(MPI_Barrier(c), "MPI_Barrier"). */
void comm_check(int mpi_code, const char *call);

#endif
