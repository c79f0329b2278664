/* A KNN model in memory and in its file. Private to src/knn. */
#ifndef PARDIGITS_KNN_MODEL_H
#define PARDIGITS_KNN_MODEL_H

#include "knn/knn.h"
#include "knn/knn_options.h"

typedef struct {
    KnnMethod method;
    bool weighted; /* votes */
    KnnReference reference;
    uint8_t *labels; /* [reference.total], whole on every rank */
    uint8_t *images; /* [own part][pixels] that the reference may point to; NULL: it needs none, or a job has
                        them */
} KnnModel;

/* The method of the options; k is 0 for auto. */
KnnMethod knn_method(const KnnOptions *options, ImageSpec spec);

/* Whether a rank with so many images of so many pixels searches by an index for k neighbours. */
bool knn_prunes(const KnnOptions *options, int64_t rows, int pixels, int64_t k);

/* Predicts images as they were preprocessed; out [n] and shares [n][classes] of the votes (NULL: not wanted)
 * are whole on every rank. Collective. */
void knn_model_predict(const KnnModel *model, const Context *context, const ImageSet *images, Prediction *out,
                       float *shares);

/* ModelFamily's nearest. */
StatusCode knn_model_nearest(const Model *model, const Context *context, const ModelImages *images,
                             int64_t most, NearestImages *nearest, Status *status);

static inline KnnVoting knn_model_voting(const KnnModel *model) {
    return (KnnVoting){model->weighted, model->method.spec.classes, model->labels};
}

void knn_model_free(KnnModel *model);

/* How k is chosen: each training image is voted on by the others. */
typedef struct {
    int64_t k_max, next; /* images before `next` have been tried */
    int64_t *right;      /* [k_max + 1]: how many of those k neighbours are right for */
} KnnTrials;

/* Saves the reference images, which come to rank 0 in blocks, and k; or, if trials isn't NULL, the trials so
 * far of a model that isn't finished. Collective. */
StatusCode knn_model_save(const TrainJob *job, int64_t k, const KnnTrials *trials, Status *status);

/* Saves the trials so far in the course of the training; a failure is logged. Collective. */
void knn_trials_checkpoint(const TrainJob *job, const KnnTrials *trials);

/* Reads the trials of a model that isn't finished, if it has any. STATUS_FAILED if it was trained on other
 * than total images. Serial. */
StatusCode knn_trials_read(const H5File *file, int64_t total, KnnTrials *trials, Status *status);

/* Reads a file: images of this rank, all labels, and the k that training chose. *model is freed also after a
 * failure. Collective; ranks agree. */
StatusCode knn_model_read(KnnModel *model, const Model *opened, const Context *context, Status *status);

/* The shape of a model file: how many reference images, and k. */
StatusCode knn_model_facts(const Model *opened, int64_t *total, int64_t *k, Status *status);

/* Reads the reference image `index`. Serial. */
StatusCode knn_model_read_image(const Model *opened, int64_t index, uint8_t *image, Status *status);

/* Tries the images that haven't been tried, until rank 0's clock (timer_now_s) says save_at_s, or a signal
 * reaches any rank: then *stopped is true. Returns whether all images have been tried. The trials are the
 * same on all ranks. Collective. */
bool knn_leave_one_out(const KnnModel *model, const TrainJob *job, double save_at_s, KnnTrials *trials,
                       bool *stopped);

/* ModelFamily.rehearse: makes what the training searches in, and counts what the model's file takes, which is
 * built in memory and checked. */
StatusCode knn_rehearse(TrainJob *job, Output *output, int64_t *bytes, Status *status);

StatusCode knn_train(TrainJob *job, Status *status);

#endif
