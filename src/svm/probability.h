/* Probabilities from decision values. Nothing here communicates. */
#ifndef PARDIGITS_SVM_PROBABILITY_H
#define PARDIGITS_SVM_PROBABILITY_H

#include <stdint.h>

/* P(y = +1 | decision) = 1 / (1 + exp(slope * decision + offset)), fitted to decision values [n] of images
 * that the machine wasn't trained on, with labels y [n] of +1 and -1, by Newton's method on the regularised
 * likelihood (Platt 2000; Lin, Lin, Weng, "A note on Platt's probabilistic outputs for support vector
 * machines", Machine Learning 68, 2007). */
void svm_fit_sigmoid(const double *decision, const int8_t *y, int64_t n, double *slope, double *offset);

/* The probability of +1. */
double svm_sigmoid(double decision, double slope, double offset);

/* Probabilities of k classes from those of each pair: between [k][k], between[i][j] = P(i | i or j) = 1 -
 * between[j][i] (Wu, Lin, Weng, "Probability estimates for multi-class classification by pairwise coupling",
 * JMLR 5, 2004, second method); work [svm_couple_work(k)], probability [k]. */
void svm_couple(int k, const double *between, double *work, double *probability);

/* Numbers of work memory that it takes. */
int64_t svm_couple_work(int k);

#endif
