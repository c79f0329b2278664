#include "svm/votes.h"

#include "core/mem.h"

/* A class has a vote of each of its pairs: one less than there are classes. */
enum { FEW_CLASSES = 16, FEW_BITS = 4, BITS = 8 };
_Static_assert(FEW_CLASSES - 1 < 1 << FEW_BITS, "votes of few classes fit their bits");
_Static_assert(FEW_CLASSES *FEW_BITS <= 64, "few classes take one word an image");
_Static_assert(CLASSES_MAX - 1 < 1 << BITS, "votes of many classes fit their bits");

static int vote_bits(const SvmVotes *votes) {
    return votes->classes <= FEW_CLASSES ? FEW_BITS : BITS;
}

/* Words of an image. */
static int64_t words(const SvmVotes *votes) {
    return (votes->classes * vote_bits(votes) + 63) / 64;
}

static int64_t votes_of(const SvmVotes *votes, const uint64_t *of_image, int label) {
    const int bits = vote_bits(votes), at = bits * label;
    return (int64_t)(of_image[at / 64] >> at % 64 & (((uint64_t)1 << bits) - 1));
}

static int64_t parts(const SvmVotes *votes) {
    return (int64_t)svm_pair_count(votes->classes) * votes->folds;
}

SvmVotes svm_votes_new(int cells, int folds, int classes, int64_t images) {
    SvmVotes votes = {.cells = cells, .folds = folds, .classes = classes, .images = images};
    votes.done = mem_new((size_t)parts(&votes), sizeof *votes.done);
    votes.votes = mem_new((size_t)(cells * images * words(&votes)), sizeof *votes.votes);
    return votes;
}

void svm_votes_free(SvmVotes *votes) {
    mem_free(votes->done);
    mem_free(votes->votes);
    *votes = (SvmVotes){0};
}

void svm_votes_cast(SvmVotes *votes, int cell, int64_t image, int label) {
    const int at = vote_bits(votes) * label;
    uint64_t *word = votes->votes + (cell * votes->images + image) * words(votes) + at / 64;
    const uint64_t vote = (uint64_t)1 << at % 64;
#pragma omp atomic
    *word += vote;
}

static void add(const Comm *comm, uint64_t *fresh, int64_t n, uint64_t *to) {
    comm_sum_u64(comm, fresh, n);
    for (int64_t i = 0; i < n; i++)
        to[i] += fresh[i];
}

void svm_votes_gather(const Comm *comm, SvmVotes *fresh, SvmVotes *votes) {
    add(comm, fresh->done, parts(votes), votes->done);
    add(comm, fresh->votes, votes->cells * votes->images * words(votes), votes->votes);
}

int svm_votes_parts(const SvmVotes *votes) {
    int count = 0;
    for (int64_t p = 0; p < parts(votes); p++)
        count += votes->done[p] != 0;
    return count;
}

int64_t svm_votes_correct(const SvmVotes *votes, int cell, const uint8_t *labels) {
    int64_t correct = 0;
    for (int64_t i = 0; i < votes->images; i++) {
        const uint64_t *of_image = votes->votes + (cell * votes->images + i) * words(votes);
        int best = 0;
        for (int c = 1; c < votes->classes; c++)
            if (votes_of(votes, of_image, c) > votes_of(votes, of_image, best)) best = c;
        correct += best == labels[i];
    }
    return correct;
}

static H5Shape done_shape(const SvmVotes *votes) {
    return (H5Shape){2, {svm_pair_count(votes->classes), votes->folds}};
}

static H5Shape votes_shape(const SvmVotes *votes) {
    return (H5Shape){words(votes) > 1 ? 3 : 2, {votes->cells, votes->images, words(votes)}};
}

StatusCode svm_votes_write(H5File *file, const SvmVotes *votes, Status *status) {
    if (h5_write(file, "/state/search/done", H5_U64, done_shape(votes), votes->done, status))
        return status->code;
    return h5_write(file, "/state/search/votes", H5_U64, votes_shape(votes), votes->votes, status);
}

int svm_votes_saved_parts(const H5File *file, int *all) {
    static const char name[] = "/state/search/done";
    Status ignored = {0};
    H5Shape shape;
    *all = 0;
    if (!h5_exists(file, name) || h5_shape(file, name, &shape, &ignored) || shape.rank != 2) return 0;
    const int64_t count = shape.dims[0] * shape.dims[1];
    uint64_t *done = mem_new((size_t)count, sizeof *done);
    int parts = 0;
    if (!h5_read(file, name, H5_U64, shape, done, &ignored)) *all = (int)count;
    for (int64_t p = 0; p < *all; p++)
        parts += done[p] != 0;
    mem_free(done);
    return parts;
}

StatusCode svm_votes_read(const H5File *file, SvmVotes *votes, Status *status) {
    if (!h5_exists(file, "/state/search")) return STATUS_OK;
    if (h5_read(file, "/state/search/done", H5_U64, done_shape(votes), votes->done, status))
        return status->code;
    return h5_read(file, "/state/search/votes", H5_U64, votes_shape(votes), votes->votes, status);
}
