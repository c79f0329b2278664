/* What a model family (KNN, SVM, CNN) supplies to the rest of the program: one table of operations. A new
 * family is a new folder that fills this table, an `extern` below, and what README lists. */
#ifndef PARDIGITS_MODEL_FAMILY_H
#define PARDIGITS_MODEL_FAMILY_H

#include "core/config.h"
#include "core/log.h"
#include "core/mem.h"
#include "parallel/comm.h"
#include "parallel/stop.h"
#include "store/dataset.h"
#include "store/h5io.h"
#include "store/metrics.h"

#include <stdbool.h>
#include <stdint.h>

/* Everything that training works with. All ranks hold the same values, but for `shard`. */
typedef struct {
    const Comm *comm;
    const Config *config;
    Log *log;
    int threads;         /* OpenMP threads of this rank */
    int64_t train_count; /* images to train on: the first train_count of the training part */
    ImageSet shard;     /* this rank's rows of them: partition_range(train_count, size, rank), preprocessed */
    ImageSource source; /* where all of them came from */
    ImageSet valid;     /* held-out images, whole on every rank, preprocessed; n = 0 for none */
    const char *model_path; /* where checkpoints and the model go (checkpoint_save) */
    const H5File *resume;   /* the checkpoint to go on from, or NULL to start fresh */
    Metrics *metrics;       /* on rank 0; calls on other ranks do nothing */
    StopWatch *watch;       /* of groups of ranks that train apart: a signal on any rank of any; or NULL */
} TrainJob;

/* A prediction for one image. */
typedef struct {
    uint8_t label;
    float confidence; /* the family's own measure in [0, 1] of how sure it is */
} Prediction;

/* The training images that are nearest to each of some queries, nearest first. */
typedef struct {
    int64_t each;        /* images of a query */
    ImageSet set;        /* [queries][each], as the model keeps them */
    uint32_t *indices;   /* [queries][each] in the training set */
    uint32_t *distances; /* [queries][each], by the family's own measure */
} NearestImages;

typedef struct {
    const char *name; /* as in run.model */

    /* Whether the configuration makes sense beyond what the table of keys checks; called before anything is
     * written. The same on every rank. NULL if there is nothing to check. */
    StatusCode (*check)(const Config *config, Status *status);

    /* Trains and saves. Collective. Returns STATUS_STOPPED after a signal, having saved what --resume needs.
     * All ranks return the same status. */
    StatusCode (*train)(TrainJob *job, Status *status);

    /* Reads a model file (opened serially on every rank) into *model. Collective: a family may keep only this
     * rank's share. config is the one stored in the file, with the user's keys of use. All ranks return the
     * same status. Destroyed by destroy. */
    StatusCode (*load)(void **model, const H5File *file, const Config *config, const Comm *comm,
                       Status *status);

    /* Predicts images [n][784], already preprocessed and the same on every rank; out[n] is whole on every
     * rank. The same result for any number of ranks and threads. Collective. */
    StatusCode (*predict)(void *model, const Comm *comm, int threads, const uint8_t *images, int64_t n,
                          Prediction *out, Status *status);

    /* One line for people, such as "60000 reference images, k = 3". */
    void (*describe)(const H5File *file, const Config *config, char *text, int size);

    void (*destroy)(void **model);

    /* Up to `most` of the training images that decide about each of images [n][784]: on rank 0, freed by
     * nearest_images_free. file is the model's. Collective; all ranks return the same status. NULL where a
     * family keeps no training images. */
    StatusCode (*nearest)(void *model, const H5File *file, const Comm *comm, int threads,
                          const uint8_t *images, int64_t n, int64_t most, NearestImages *nearest,
                          Status *status);

    /* How many networks an ensemble averages. NULL where a family has none, as predict_by_members. */
    int (*members)(const void *model);

    /* As predict, into out [members][n]: what the first 1, 2, ... of the members say together. */
    StatusCode (*predict_by_members)(void *model, const Comm *comm, int threads, const uint8_t *images,
                                     int64_t n, Prediction *out, Status *status);
} ModelFamily;

static inline void nearest_images_free(NearestImages *nearest) {
    image_set_free(&nearest->set);
    mem_free(nearest->indices);
    mem_free(nearest->distances);
    *nearest = (NearestImages){0};
}

extern const ModelFamily knn_family, svm_family, cnn_family;

#endif
