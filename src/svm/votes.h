/* What a search for C and gamma has found so far: how many pairs of classes were for each class, for each
 * image and each cell of the grid. It comes in parts, each a pair of classes trained without one fold. */
#ifndef PARDIGITS_SVM_VOTES_H
#define PARDIGITS_SVM_VOTES_H

#include "svm/model.h"

typedef struct {
    int cells, folds, classes;
    int64_t images;
    uint64_t *done;  /* [pairs][folds]: 1 for the parts that have voted */
    uint64_t *votes; /* [cells][images][words]: a few bits for each class */
} SvmVotes;

/* None yet; freed by svm_votes_free. */
SvmVotes svm_votes_new(int cells, int folds, int classes, int64_t images);
void svm_votes_free(SvmVotes *votes);

/* One more vote for a class. Any thread. */
void svm_votes_cast(SvmVotes *votes, int cell, int64_t image, int label);

/* Adds those of all ranks' `fresh`, which have no part in common, to `votes`, which all ranks have alike.
 * Collective; fresh is spoilt. */
void svm_votes_gather(const Comm *comm, SvmVotes *fresh, SvmVotes *votes);

/* How many parts have voted. */
int svm_votes_parts(const SvmVotes *votes);

/* How many images of these labels have most votes for their class; a tie goes to the smaller one, as in
 * use. */
int64_t svm_votes_correct(const SvmVotes *votes, int cell, const uint8_t *labels);

/* /state/search: done [pairs][folds], votes [cells][images], with more than 16 classes
 * [cells][images][words]. Reading leaves the votes as they are if the file
 * has none. */
StatusCode svm_votes_write(H5File *file, const SvmVotes *votes, Status *status);
StatusCode svm_votes_read(const H5File *file, SvmVotes *votes, Status *status);

/* How many parts a file's search has done, and of how many; 0 and 0 where none is under way. */
int svm_votes_saved_parts(const H5File *file, int *all);

#endif
