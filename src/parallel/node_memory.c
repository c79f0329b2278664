#define _GNU_SOURCE
#include "parallel/node_memory.h"

#include "core/environment.h"
#include "core/mem.h"
#include "parallel/comm_mpi.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Lies before the memory that the caller receives. */
typedef union {
    size_t bytes; /* of the mapping */
    char padding[MEM_ALIGNMENT];
} Header;

/* Where the other ranks find the first one's memory: a file without a name, so nothing is left after a crash.
 */
typedef struct {
    pid_t process;
    int file; /* -1: there is none */
    dev_t device;
    ino_t inode;
} Place;

static Place make_file(size_t bytes) {
    Place place = {getpid(), memfd_create("pardigits", MFD_CLOEXEC), 0, 0};
    struct stat facts;
    if (place.file < 0) return place;
    if (ftruncate(place.file, (off_t)bytes) || fstat(place.file, &facts)) {
        close(place.file);
        place.file = -1;
        return place;
    }
    place.device = facts.st_dev;
    place.inode = facts.st_ino;
    return place;
}

/* Opens the same file in this process; -1 if that fails. */
static int open_file(const Place *place) {
    char path[64];
    struct stat facts;
    snprintf(path, sizeof path, "/proc/%lld/fd/%d", (long long)place->process, place->file);
    const int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return -1;
    if (!fstat(file, &facts) && facts.st_dev == place->device && facts.st_ino == place->inode) return file;
    close(file);
    return -1;
}

/* Collective: maps the same memory on all ranks; NULL on all of them if it fails on one. */
static Header *map_together(const Comm *node, size_t bytes) {
    const bool is_first = comm_rank(node) == 0;
    Place place = {.file = -1};
    if (is_first) place = make_file(bytes);
    comm_broadcast(node, &place, sizeof place, 0);
    const int file = is_first || place.file < 0 ? place.file : open_file(&place);
    void *memory = MAP_FAILED;
    if (file >= 0) memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    uint64_t failed = memory == MAP_FAILED;
    comm_sum_u64(node, &failed, 1);
    if (file >= 0) close(file);
    if (!failed) return memory;
    if (memory != MAP_FAILED) munmap(memory, bytes);
    return NULL;
}

static bool can_share(const Comm *node) {
    Header *trial = map_together(node, sizeof *trial);
    if (trial) munmap(trial, sizeof *trial);
    return trial != NULL;
}

Comm *node_ranks(const Comm *comm) {
    const int most = environment_number("PARDIGITS_NODE_RANKS", INT_MAX), rank = comm_rank(comm);
    int here, *ranks = mem_new((size_t)comm_node_size(comm), sizeof *ranks);
    comm_check(MPI_Comm_rank(comm_node_mpi(comm), &here), "MPI_Comm_rank");
    comm_check(MPI_Allgather(&rank, 1, MPI_INT, ranks, 1, MPI_INT, comm_node_mpi(comm)), "MPI_Allgather");
    Comm *node = comm_split(comm, ranks[most > 0 ? here / most * most : 0]);
    mem_free(ranks);
    uint64_t alone = !can_share(node);
    comm_sum_u64(comm, &alone, 1);
    if (!alone) return node;
    comm_destroy(&node);
    return comm_split(comm, rank);
}

static bool is_alone(const Comm *node) {
    return !node || comm_size(node) == 1;
}

void *node_memory_new(const Comm *node, size_t count, size_t size) {
    if (is_alone(node)) return mem_new(count, size);
    if (size && count > (SIZE_MAX >> 1) / size) fatal("a size of %zu x %zu bytes overflows", count, size);
    const size_t bytes = sizeof(Header) + count * size;
    if (comm_rank(node) == 0) mem_check_group(bytes); /* what ends one rank ends all */
    Header *header = map_together(node, bytes);
    if (!header)
        fatal("out of memory: the ranks of a node need %zu MiB of shared memory together; use more nodes, "
              "fewer images or a smaller network",
              bytes >> 20);
    if (comm_rank(node) == 0) header->bytes = bytes;
    comm_barrier(node);
    return header + 1;
}

void node_memory_free(const Comm *node, void *pointer) {
    if (is_alone(node)) {
        mem_free(pointer);
    } else if (pointer) {
        Header *header = (Header *)pointer - 1;
        munmap(header, header->bytes);
    }
}
