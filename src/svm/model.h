/* A multi-class SVM: one two-class machine for each pair of classes, over one list of unique support vectors.
 */
#ifndef PARDIGITS_SVM_MODEL_H
#define PARDIGITS_SVM_MODEL_H

#include "pardigits/comm.h"
#include "pardigits/config.h"
#include "pardigits/dataset.h"
#include "pardigits/family.h"
#include "pardigits/h5io.h"
#include "pardigits/pixdot.h"
#include "pardigits/svm.h"

#include <stdbool.h>
#include <stdint.h>

enum { SVM_PAIRS = CLASSES * (CLASSES - 1) / 2 };

/* The machine between classes a < b: a positive decision value means a. */
typedef struct {
    bool solved;
    int64_t support_count;
    int32_t
        *support; /* [support_count] ascending: training images, or in a model rows of its support vectors */
    double *coefficient; /* [support_count] y alpha, y = +1 for class a */
    double rho, objective;
    int64_t iterations;
} SvmPair;

typedef struct {
    SvmKernel kernel;
    bool present[CLASSES]; /* classes that there are training images of */
    SvmPair pairs[SVM_PAIRS];
    int64_t n;       /* unique support vectors */
    int32_t *index;  /* [n] which training images they are, ascending */
    uint8_t *labels; /* [n] */
    uint8_t *images; /* [n][28][28] */
    PixRows packed;  /* images, for prediction */
} SvmModel;

/* Pairs are numbered (0,1), (0,2), ... (8,9). */
int svm_pair_number(int a, int b);
void svm_pair_classes(int number, int *a, int *b);

/* Whether both classes of a pair have training images. */
bool svm_pair_exists(const bool present[CLASSES], int number);

/* How many pairs of these are solved. */
int svm_pairs_solved(const SvmPair pairs[SVM_PAIRS]);

void svm_pairs_free(SvmPair pairs[SVM_PAIRS]);

SvmKernel svm_config_kernel(const Config *config);

/* The model of the solved pairs, whose support are training images: images [][784], labels []. */
SvmModel *svm_model_create(const SvmKernel *kernel, const bool present[CLASSES],
                           const SvmPair pairs[SVM_PAIRS], const ImageSet *train);
void svm_model_destroy(SvmModel **model);

/* CheckpointWriter of an SvmModel. */
StatusCode svm_model_write(H5File *file, const void *model, Status *status);

/* Reads a model on this rank; not collective. It may lack pairs if its training isn't finished. */
StatusCode svm_model_read(SvmModel **model, const H5File *file, const Config *config, Status *status);

/* Predicts n images as ModelFamily's predict does. Collective. */
void svm_model_predict(const SvmModel *model, const Comm *comm, int threads, const uint8_t *images, int64_t n,
                       Prediction *out);

/* ModelFamily's train. */
StatusCode svm_train(TrainJob *job, Status *status);

#endif
