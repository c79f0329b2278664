#include "svm/votes.h"

#include "core/mem.h"

enum { VOTE_BITS = 4 }; /* a digit takes part in 9 pairs of classes */

static int64_t parts(const SvmVotes *votes) {
    return (int64_t)SVM_PAIRS * votes->folds;
}

SvmVotes svm_votes_new(int cells, int folds, int64_t images) {
    SvmVotes votes = {.cells = cells, .folds = folds, .images = images};
    votes.done = mem_new((size_t)parts(&votes), sizeof *votes.done);
    votes.votes = mem_new((size_t)(cells * images), sizeof *votes.votes);
    return votes;
}

void svm_votes_free(SvmVotes *votes) {
    mem_free(votes->done);
    mem_free(votes->votes);
    *votes = (SvmVotes){0};
}

void svm_votes_cast(SvmVotes *votes, int cell, int64_t image, int digit) {
    uint64_t *of_image = votes->votes + cell * votes->images + image;
    const uint64_t vote = (uint64_t)1 << (VOTE_BITS * digit);
#pragma omp atomic
    *of_image += vote;
}

static void add(const Comm *comm, uint64_t *fresh, int64_t n, uint64_t *to) {
    comm_sum_u64(comm, fresh, n);
    for (int64_t i = 0; i < n; i++)
        to[i] += fresh[i];
}

void svm_votes_gather(const Comm *comm, SvmVotes *fresh, SvmVotes *votes) {
    add(comm, fresh->done, parts(votes), votes->done);
    add(comm, fresh->votes, votes->cells * votes->images, votes->votes);
}

int svm_votes_parts(const SvmVotes *votes) {
    int count = 0;
    for (int64_t p = 0; p < parts(votes); p++)
        count += votes->done[p] != 0;
    return count;
}

int64_t svm_votes_correct(const SvmVotes *votes, int cell, const uint8_t *labels) {
    const uint64_t *of_cell = votes->votes + cell * votes->images, mask = ((uint64_t)1 << VOTE_BITS) - 1;
    int64_t correct = 0;
    for (int64_t i = 0; i < votes->images; i++) {
        int best = 0;
        for (int c = 1; c < CLASSES; c++)
            if ((of_cell[i] >> (VOTE_BITS * c) & mask) > (of_cell[i] >> (VOTE_BITS * best) & mask)) best = c;
        correct += best == labels[i];
    }
    return correct;
}

static H5Shape done_shape(const SvmVotes *votes) {
    return (H5Shape){2, {SVM_PAIRS, votes->folds}};
}

static H5Shape votes_shape(const SvmVotes *votes) {
    return (H5Shape){2, {votes->cells, votes->images}};
}

StatusCode svm_votes_write(H5File *file, const SvmVotes *votes, Status *status) {
    if (h5_write(file, "/state/search/done", H5_U64, done_shape(votes), votes->done, status))
        return status->code;
    return h5_write(file, "/state/search/votes", H5_U64, votes_shape(votes), votes->votes, status);
}

StatusCode svm_votes_read(const H5File *file, SvmVotes *votes, Status *status) {
    if (!h5_exists(file, "/state/search")) return STATUS_OK;
    if (h5_read(file, "/state/search/done", H5_U64, done_shape(votes), votes->done, status))
        return status->code;
    return h5_read(file, "/state/search/votes", H5_U64, votes_shape(votes), votes->votes, status);
}
