#include "parallel/comm_mpi.h"

#include "core/host.h"
#include "core/mem.h"
#include "core/partition.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With one rank nothing is sent, so its functions don't call MPI. */
struct Comm {
    MPI_Comm mpi, node; /* the ranks of this Comm; those of them on this node; MPI_COMM_NULL: alone, without
                           MPI */
    int rank, size, node_rank, node_size;
    int rank_of_all;    /* among all ranks of the run */
    bool apart;         /* from rank 0: on another node */
    Progress *progress; /* of this process: all its communicators have the same */
    bool owns_progress;
};

static void abort_all_ranks(int exit_code) {
    MPI_Abort(MPI_COMM_WORLD, exit_code);
}

void comm_check(int mpi_code, const char *call) {
    if (mpi_code == MPI_SUCCESS) return;
    char reason[MPI_MAX_ERROR_STRING];
    int length;
    MPI_Error_string(mpi_code, reason, &length);
    fatal("%s failed: %s", call, reason);
}

static void own_progress(Comm *comm) {
    comm->progress = mem_new(1, sizeof *comm->progress);
    comm->owns_progress = true;
    progress_init(comm->progress);
}

/* A Comm that owns the given communicator. */
static Comm *comm_around(MPI_Comm mpi, Progress *progress) {
    Comm *comm = mem_new(1, sizeof *comm);
    comm->mpi = mpi;
    comm->progress = progress;
    if (!progress) own_progress(comm);
    comm_check(MPI_Comm_set_errhandler(comm->mpi, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    comm_check(MPI_Comm_rank(comm->mpi, &comm->rank), "MPI_Comm_rank");
    comm_check(MPI_Comm_rank(MPI_COMM_WORLD, &comm->rank_of_all), "MPI_Comm_rank");
    comm_check(MPI_Comm_size(comm->mpi, &comm->size), "MPI_Comm_size");
    comm_check(MPI_Comm_split_type(comm->mpi, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &comm->node),
               "MPI_Comm_split_type");
    comm_check(MPI_Comm_rank(comm->node, &comm->node_rank), "MPI_Comm_rank");
    comm_check(MPI_Comm_size(comm->node, &comm->node_size), "MPI_Comm_size");
    int first = comm->rank;
    comm_check(MPI_Bcast(&first, 1, MPI_INT, 0, comm->node), "MPI_Bcast");
    comm->apart = first > 0;
    return comm;
}

/* What MPI is to know that only the environment tells it. */
static void prepare_mpi(void) {
    /* in `srun --pty bash` Open MPI would take this for a task of srun, and miss what srun gives to tasks of
     * MPI */
    if (!comm_was_launched()) unsetenv("SLURM_NODELIST");
    /* file pointers that ranks share, which nothing here uses: without room in /dev/shm the first kind fails,
     * and no file opens; the second one waits for ever where each host has its own copy of a file */
    setenv("OMPI_MCA_sharedfp", "^sm,lockedfile", 0);
}

Comm *comm_init(int *argc, char ***argv) {
    int granted;
    prepare_mpi();
    comm_check(MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &granted), "MPI_Init_thread");
    fatal_set_exit(abort_all_ranks);
    if (granted < MPI_THREAD_FUNNELED)
        fatal("this MPI library doesn't support threads (MPI_THREAD_FUNNELED)");
    MPI_Comm mpi;
    comm_check(MPI_Comm_dup(MPI_COMM_WORLD, &mpi), "MPI_Comm_dup");
    return comm_around(mpi, NULL);
}

Comm *comm_alone(void) {
    Comm *comm = mem_new(1, sizeof *comm);
    *comm = (Comm){.mpi = MPI_COMM_NULL, .node = MPI_COMM_NULL, .rank = 0, .size = 1, .node_size = 1};
    own_progress(comm);
    return comm;
}

static bool is_alone(const Comm *comm) {
    return comm->mpi == MPI_COMM_NULL;
}

bool comm_was_launched(void) {
    /* Open MPI; PMIx; MPICH, Intel MPI and Hydra; MVAPICH; PALS; Flux; jsrun */
    static const char *const signs[] = {"OMPI_COMM_WORLD_SIZE",
                                        "PMIX_RANK",
                                        "PMIX_NAMESPACE",
                                        "PMI_SIZE",
                                        "PMI_RANK",
                                        "PMI_FD",
                                        "PMI_PORT",
                                        "MPI_LOCALNRANKS",
                                        "MPI_LOCALRANKID",
                                        "MV2_COMM_WORLD_SIZE",
                                        "PALS_RANKID",
                                        "FLUX_TASK_RANK",
                                        "JSM_NAMESPACE_SIZE"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (getenv(signs[i])) return true;
    /* of srun, but for its only task, such as a shell: there MPI_Init may fail, and there are no other ranks
     */
    const char *tasks = getenv("SLURM_STEP_NUM_TASKS");
    return tasks && strcmp(tasks, "1");
}

void comm_library_version(char *text, int size) {
    char version[MPI_MAX_LIBRARY_VERSION_STRING];
    int length;
    comm_check(MPI_Get_library_version(version, &length), "MPI_Get_library_version");
    snprintf(text, (size_t)size, "%.*s", (int)strcspn(version, ",\n"), version);
}

Comm *comm_split(const Comm *whole, int group) {
    if (is_alone(whole)) return comm_alone();
    MPI_Comm mpi;
    comm_check(MPI_Comm_split(whole->mpi, group, whole->rank, &mpi), "MPI_Comm_split");
    return comm_around(mpi, whole->progress);
}

void comm_destroy(Comm **comm) {
    if (!is_alone(*comm)) {
        comm_check(MPI_Comm_free(&(*comm)->node), "MPI_Comm_free");
        comm_check(MPI_Comm_free(&(*comm)->mpi), "MPI_Comm_free");
    }
    if ((*comm)->owns_progress) mem_free((*comm)->progress);
    mem_free(*comm);
    *comm = NULL;
}

void comm_finalize(Comm **comm) {
    const bool alone = is_alone(*comm);
    comm_destroy(comm);
    if (!alone) comm_check(MPI_Finalize(), "MPI_Finalize");
}

MPI_Comm comm_mpi(const Comm *comm) {
    if (is_alone(comm)) fatal("comm: this needs MPI, which wasn't started");
    return comm->mpi;
}

MPI_Comm comm_node_mpi(const Comm *comm) {
    return comm->node;
}

int comm_rank(const Comm *comm) {
    return comm->rank;
}

int comm_rank_of_all(const Comm *comm) {
    return comm->rank_of_all;
}

int comm_size(const Comm *comm) {
    return comm->size;
}

int comm_node_size(const Comm *comm) {
    return comm->node_size;
}

bool comm_first_on_node(const Comm *comm) {
    return comm->node_rank == 0;
}

Progress *comm_progress(const Comm *comm) {
    return comm->progress;
}

/* A blocking call of MPI: meanwhile this rank waits for others. */
#define BLOCKING(comm, call, name)                                                                           \
    do {                                                                                                     \
        progress_wait_begin((comm)->progress);                                                               \
        comm_check(call, name);                                                                              \
        progress_wait_end((comm)->progress);                                                                 \
    } while (0)

/* A file may be missing there, or be another one, and be as it should where people look. Ranks that have
 * agreed in a group have named one. */
static void name_host(Status *status) {
    static const char words[] = "On host ";
    char host[HOST_NAME];
    Status named = {0};
    if (!strncmp(status->text, words, strlen(words))) return;
    host_name(host);
    status_set(&named, status->code, "%s%s: %s", words, host, status->text);
    *status = named;
}

StatusCode comm_agree(const Comm *comm, Status *status) {
    enum { NONE = INT_MAX };
    if (comm->size == 1) return status->code;
    const bool stopped = status->code == STATUS_STOPPED, failed = status->code != STATUS_OK && !stopped;
    int mine[2] = {failed ? comm->rank : NONE, stopped ? comm->rank : NONE}, first[2];
    BLOCKING(comm, MPI_Allreduce(mine, first, 2, MPI_INT, MPI_MIN, comm->mpi), "MPI_Allreduce");
    const int told = first[0] != NONE ? first[0] : first[1];
    if (failed && told == comm->rank && comm->apart) name_host(status);
    if (told != NONE) comm_broadcast(comm, status, sizeof *status, told);
    return status->code;
}

void comm_barrier(const Comm *comm) {
    if (comm->size > 1) BLOCKING(comm, MPI_Barrier(comm->mpi), "MPI_Barrier");
}

/* MPI counts in int: larger transfers are sent in pieces of at most this many items. */
enum { PIECE = 1 << 28 };

void comm_broadcast(const Comm *comm, void *data, int64_t bytes, int root) {
    if (comm->size == 1) return;
    for (char *at = data; bytes > 0; at += PIECE, bytes -= PIECE) {
        int count = bytes < PIECE ? (int)bytes : PIECE;
        BLOCKING(comm, MPI_Bcast(at, count, MPI_BYTE, root, comm->mpi), "MPI_Bcast");
    }
}

void comm_sum_u64(const Comm *comm, uint64_t *values, int64_t n) {
    if (comm->size == 1) return;
    for (; n > 0; values += PIECE, n -= PIECE) {
        int count = n < PIECE ? (int)n : PIECE;
        BLOCKING(comm, MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_UINT64_T, MPI_SUM, comm->mpi),
                 "MPI_Allreduce");
    }
}

/* The checked cast to MPI's int. */
static int as_count(int64_t count) {
    if (count > INT_MAX)
        fatal("a message of %lld items is larger than MPI can send; use more ranks", (long long)count);
    return (int)count;
}

double comm_max(const Comm *comm, double value, int *which) {
    struct {
        double value;
        int rank;
    } mine = {value, comm->rank}, largest = mine;
    if (comm->size > 1)
        BLOCKING(comm, MPI_Allreduce(&mine, &largest, 1, MPI_DOUBLE_INT, MPI_MAXLOC, comm->mpi),
                 "MPI_Allreduce");
    if (which) *which = largest.rank;
    return largest.value;
}

static MPI_Datatype row_type(int64_t row_bytes) {
    MPI_Datatype type;
    comm_check(MPI_Type_contiguous(as_count(row_bytes), MPI_BYTE, &type), "MPI_Type_contiguous");
    comm_check(MPI_Type_commit(&type), "MPI_Type_commit");
    return type;
}

void comm_share_rows(const Comm *comm, void *all, int64_t rows, int64_t row_bytes) {
    if (comm->size == 1) return;
    int *counts = mem_new((size_t)comm->size, sizeof *counts),
        *starts = mem_new((size_t)comm->size, sizeof *starts);
    for (int r = 0; r < comm->size; r++) {
        Range range = partition_range(rows, comm->size, r);
        counts[r] = as_count(range_size(range));
        starts[r] = as_count(range.begin);
    }
    MPI_Datatype type = row_type(row_bytes);
    BLOCKING(comm, MPI_Allgatherv(MPI_IN_PLACE, 0, type, all, counts, starts, type, comm->mpi),
             "MPI_Allgatherv");
    comm_check(MPI_Type_free(&type), "MPI_Type_free");
    mem_free(starts);
    mem_free(counts);
}

/* Pointers to no bytes may be NULL, which memcpy mustn't get. */
static void copy_bytes(void *to, const void *from, int64_t bytes) {
    if (bytes > 0) memcpy(to, from, (size_t)bytes);
}

/* counts[2 * size] = each rank's number of rows, then where each begins, as MPI_Ialltoallv expects. */
static void counts_and_starts(const int64_t *rows, int size, int *counts) {
    int64_t start = 0;
    for (int r = 0; r < size; r++) {
        counts[r] = as_count(rows[r]);
        counts[size + r] = as_count(start);
        start += rows[r];
    }
}

struct CommExchange {
    const Comm *comm;
    MPI_Request request;
    MPI_Datatype type;
    int counts[]; /* [4][size], which MPI reads until the exchange is done */
};

CommExchange *comm_exchange_start(const Comm *comm, const void *send, const int64_t *send_rows,
                                  void *received, const int64_t *receive_rows, int64_t row_bytes) {
    const int size = comm->size;
    if (size == 1) {
        copy_bytes(received, send, send_rows[0] * row_bytes);
        return NULL;
    }
    CommExchange *exchange = mem_new(1, sizeof *exchange + (size_t)size * 4 * sizeof(int));
    exchange->comm = comm;
    int *sent = exchange->counts, *got = sent + 2 * size;
    counts_and_starts(send_rows, size, sent);
    counts_and_starts(receive_rows, size, got);
    exchange->type = row_type(row_bytes);
    comm_check(MPI_Ialltoallv(send, sent, sent + size, exchange->type, received, got, got + size,
                              exchange->type, comm->mpi, &exchange->request),
               "MPI_Ialltoallv");
    return exchange;
}

bool comm_exchange_test(CommExchange *exchange) {
    int done;
    if (!exchange) return true;
    comm_check(MPI_Test(&exchange->request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    return done;
}

void comm_exchange_wait(CommExchange **exchange) {
    if (!*exchange) return;
    BLOCKING((*exchange)->comm, MPI_Wait(&(*exchange)->request, MPI_STATUS_IGNORE), "MPI_Wait");
    comm_check(MPI_Type_free(&(*exchange)->type), "MPI_Type_free");
    mem_free(*exchange);
    *exchange = NULL;
}

void comm_exchange_rows(const Comm *comm, const void *send, const int64_t *send_rows, void *received,
                        const int64_t *receive_rows, int64_t row_bytes) {
    CommExchange *exchange = comm_exchange_start(comm, send, send_rows, received, receive_rows, row_bytes);
    comm_exchange_wait(&exchange);
}

void comm_gather(const Comm *comm, const void *mine, int64_t bytes, void *all) {
    if (comm->size == 1) {
        copy_bytes(all, mine, bytes);
        return;
    }
    int count = as_count(bytes);
    BLOCKING(comm, MPI_Allgather(mine, count, MPI_BYTE, all, count, MPI_BYTE, comm->mpi), "MPI_Allgather");
}

void *comm_gather_bytes(const Comm *comm, const void *mine, int64_t bytes, int64_t *total_bytes) {
    int64_t *sizes = mem_new((size_t)comm->size, sizeof *sizes), total = 0;
    comm_gather(comm, &bytes, sizeof bytes, sizes);
    for (int r = 0; r < comm->size; r++)
        total += sizes[r];
    char *all = mem_new((size_t)total, 1);
    int64_t start = 0;
    for (int r = 0; r < comm->size; r++) {
        if (r == comm->rank) copy_bytes(all + start, mine, bytes);
        comm_broadcast(comm, all + start, sizes[r], r);
        start += sizes[r];
    }
    mem_free(sizes);
    *total_bytes = total;
    return all;
}

/* The other end is the same with send as false. */
static void pass_bytes(const Comm *comm, bool send, void *data, int64_t bytes, int rank) {
    for (char *at = data; bytes > 0; at += PIECE, bytes -= PIECE) {
        const int count = bytes < PIECE ? (int)bytes : PIECE;
        if (send)
            BLOCKING(comm, MPI_Send(at, count, MPI_BYTE, rank, 0, comm->mpi), "MPI_Send");
        else
            BLOCKING(comm, MPI_Recv(at, count, MPI_BYTE, rank, 0, comm->mpi, MPI_STATUS_IGNORE), "MPI_Recv");
    }
}

void comm_visit_bytes(const Comm *comm, const void *mine, int64_t bytes,
                      void (*take)(void *context, int rank, const void *data, int64_t bytes), void *context) {
    if (comm->rank > 0) {
        pass_bytes(comm, true, &bytes, sizeof bytes, 0);
        pass_bytes(comm, true, (void *)(uintptr_t)mine, bytes, 0); /* MPI only reads it */
        return;
    }
    take(context, 0, mine, bytes);
    for (int r = 1; r < comm->size; r++) {
        int64_t theirs;
        pass_bytes(comm, false, &theirs, sizeof theirs, r);
        void *data = mem_new((size_t)theirs, 1);
        pass_bytes(comm, false, data, theirs, r);
        take(context, r, data, theirs);
        mem_free(data);
    }
}
