/* A multi-class SVM: one two-class machine for each pair of classes, over one list of unique support vectors.
 */
#ifndef PARDIGITS_SVM_MODEL_H
#define PARDIGITS_SVM_MODEL_H

#include "core/config.h"
#include "kernels/pixdot.h"
#include "model/model.h"
#include "store/h5io.h"
#include "svm/samples.h"
#include "svm/svm.h"
#include "svm/svm_options.h"

#include <stdbool.h>
#include <stdint.h>

/* The machine between classes a < b: a positive decision value means a. */
typedef struct {
    bool solved;
    int64_t support_count;
    int32_t *support;    /* [support_count] ascending: samples, or in a model rows of its support vectors */
    double *coefficient; /* [support_count] y alpha, y = +1 for class a */
    double rho, objective;
    double slope, offset; /* of a calibrated model: P(a) = 1 / (1 + exp(slope * decision + offset)) */
    int64_t iterations;
} SvmPair;

/* The pairs of some classes. They are numbered (0,1), (0,2), ... (1,2), ... */
typedef struct {
    int classes, count; /* count = classes (classes - 1) / 2 */
    SvmPair *items;     /* [count] */
} SvmPairs;

typedef struct {
    ImageSpec spec; /* of the images that it takes */
    SvmKernel kernel;
    bool gradient; /* the kernel sees what gradient_features makes of images */
    bool searched; /* C and gamma were found by a search: they aren't those of the configuration */
    double c;      /* where searched */
    bool present[CLASSES_MAX]; /* [spec.classes] classes that there are training images of */
    int class_count;
    uint8_t classes[CLASSES_MAX]; /* [class_count] the same; an earlier one wins a tie of votes */
    bool calibrated;              /* pairs have slope and offset */
    SvmPairs pairs;
    int64_t n; /* unique support vectors */
    SvmSample
        *origin;      /* [n] where they come from, in the order of samples; image -1 where that isn't known */
    uint8_t *labels;  /* [n] */
    uint8_t *images;  /* [n][pixels] as the kernel sees them */
    int shift_pixels; /* of the samples that it was trained on, see SvmSamples */
    int64_t from_count; /* where shifted */
    int32_t *from;      /* [from_count] */
    PixRows packed;     /* images, for prediction */
    double *inverses;   /* their inverse lengths as the kernel wants them */
} SvmModel;

int svm_pair_count(int classes);
int svm_pair_number(int classes, int a, int b);
void svm_pair_classes(int classes, int number, int *a, int *b);

/* The number of the pair of two classes in any order. *sign: 1 where its values are those of a against b, -1
 * where they are of b against a. */
int svm_pair_between(int classes, int a, int b, int *sign);

/* How many pairs there are of which both classes have training images: present [classes]. */
int svm_pairs_existing(int classes, const bool *present);

/* The machine for classes number i < j in the order of the model, and the sign that its values take there. */
const SvmPair *svm_pair_of(const SvmModel *model, int i, int j, int *sign);

/* None of them solved. Freed by svm_pairs_free. */
SvmPairs svm_pairs_new(int classes);
void svm_pairs_free(SvmPairs *pairs);

/* Makes all of them unsolved. */
void svm_pairs_clear(SvmPairs *pairs);

/* The samples that support any pair, ascending; *count of n samples. Freed by the caller. */
int32_t *svm_pairs_support(const SvmPairs *pairs, int64_t n, int64_t *count);

/* How many pairs of these are solved. */
int svm_pairs_solved(const SvmPairs *pairs);

SvmKernel svm_options_kernel(const SvmOptions *options);

/* Images [n][height][width] as the model's kernel sees them; freed by mem_free. */
uint8_t *svm_model_features(const SvmModel *model, const uint8_t *images, int64_t n, int threads);

/* The model of the solved pairs, whose support are numbers of samples. */
SvmModel *svm_model_create(const SvmKernel *kernel, const bool *present, const SvmPairs *pairs,
                           const SvmSamples *samples);
void svm_model_destroy(SvmModel **model);

/* Packs the images of a model whose kernel and images are set. */
void svm_model_pack(SvmModel *model);

/* CheckpointWriter of an SvmModel. */
StatusCode svm_model_write(H5File *file, const void *model, Status *status);

/* Reads a model on this rank; not collective. It may lack pairs if its training isn't finished. */
StatusCode svm_model_read(SvmModel **model, const H5File *file, const Config *config, ImageSpec spec,
                          Status *status);

/* Where predictions of n images go. */
typedef struct {
    Prediction *best;     /* [n] */
    float *probabilities; /* [n][classes], of a calibrated model; NULL: not wanted */
    double *decisions;    /* [n][pairs] decision values, NaN of pairs that aren't solved; NULL: not wanted */
} SvmPredictions;

/* Predicts images, preprocessed already, as ModelFamily's predict does. Collective. */
void svm_model_predict(const SvmModel *model, const Context *context, const ImageSet *images,
                       SvmPredictions out);

/* ModelFamily's train. */
StatusCode svm_train(TrainJob *job, Status *status);

/* STATUS_FAILED unless so many training images are of several classes. */
StatusCode svm_check_classes(int64_t images, int classes, Status *status);

extern const ModelFamily svm_family;

#endif
