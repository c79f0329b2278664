/* What a training of an SVM says of itself: rows of its metrics, and lines of the log. */
#ifndef PARDIGITS_SVM_TRAIN_REPORT_H
#define PARDIGITS_SVM_TRAIN_REPORT_H

#include "svm/model.h"
#include "svm/solve_pairs.h"

/* The tables of the metrics, with the rows of what the checkpoint holds: pairs, with virtual examples that
 * are shifted by so many pixels. */
void svm_report_begin(const SvmTask *task, const SvmPairs *pairs, int shift_pixels);

/* Rows of the metrics for the pairs solved now, and warnings. facts [pairs->count] */
void svm_report_pairs(const SvmTask *task, const SvmPairs *pairs, const SvmPairFacts *facts);

/* How many of the held-out images the model recognises, if there are any. Collective. */
void svm_report_validation(const TrainJob *job, const SvmModel *model);

/* Ends a round. Collective. */
void svm_report_round(const TrainJob *job);

#endif
