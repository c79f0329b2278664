#include "parallel/clock.h"

#include "core/mem.h"
#include "core/timer.h"
#include "parallel/comm_mpi.h"

#include <math.h>

enum { ROUNDS = 32, TAG = 0 };

/* Whether rank 0, too, is on this rank's node, and so has the same clock. */
static bool shares_clock(const Comm *comm) {
    const int zero = 0;
    int there;
    MPI_Group all, node;
    comm_check(MPI_Comm_group(comm_mpi(comm), &all), "MPI_Comm_group");
    comm_check(MPI_Comm_group(comm_node_mpi(comm), &node), "MPI_Comm_group");
    comm_check(MPI_Group_translate_ranks(all, 1, &zero, node, &there), "MPI_Group_translate_ranks");
    comm_check(MPI_Group_free(&all), "MPI_Group_free");
    comm_check(MPI_Group_free(&node), "MPI_Group_free");
    return there != MPI_UNDEFINED;
}

/* By rank 0: tells the other one how far ahead its own clock is, from the fastest answer. */
static void ask(const Comm *comm, int rank) {
    const MPI_Comm mpi = comm_mpi(comm);
    double best_s = HUGE_VAL, offset_s = 0;
    for (int i = 0; i < ROUNDS; i++) {
        double theirs_s;
        const double sent_s = timer_now_s();
        comm_check(MPI_Send(NULL, 0, MPI_BYTE, rank, TAG, mpi), "MPI_Send");
        comm_check(MPI_Recv(&theirs_s, 1, MPI_DOUBLE, rank, TAG, mpi, MPI_STATUS_IGNORE), "MPI_Recv");
        const double took_s = timer_now_s() - sent_s;
        if (took_s >= best_s) continue;
        best_s = took_s;
        offset_s = sent_s + took_s / 2 - theirs_s;
    }
    comm_check(MPI_Send(&offset_s, 1, MPI_DOUBLE, rank, TAG, mpi), "MPI_Send");
}

static double answer(const Comm *comm) {
    const MPI_Comm mpi = comm_mpi(comm);
    double offset_s;
    for (int i = 0; i < ROUNDS; i++) {
        comm_check(MPI_Recv(NULL, 0, MPI_BYTE, 0, TAG, mpi, MPI_STATUS_IGNORE), "MPI_Recv");
        const double now_s = timer_now_s();
        comm_check(MPI_Send(&now_s, 1, MPI_DOUBLE, 0, TAG, mpi), "MPI_Send");
    }
    comm_check(MPI_Recv(&offset_s, 1, MPI_DOUBLE, 0, TAG, mpi, MPI_STATUS_IGNORE), "MPI_Recv");
    return offset_s;
}

double clock_offset_s(const Comm *comm) {
    const int rank = comm_rank(comm), ranks = comm_size(comm);
    if (ranks == 1) return 0;
    const bool shared = shares_clock(comm);
    bool *all = mem_new((size_t)ranks, sizeof *all);
    comm_gather(comm, &shared, sizeof shared, all);
    for (int r = 1; rank == 0 && r < ranks; r++)
        if (!all[r]) ask(comm, r);
    mem_free(all);
    return rank == 0 || shared ? 0 : answer(comm);
}
