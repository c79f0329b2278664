/* Models, and what a family of them (KNN, SVM, CNN) supplies to the rest of the program: one table of
 * operations. A new family is a folder that fills this table and a line in the list of families. */
#ifndef PARDIGITS_MODEL_MODEL_H
#define PARDIGITS_MODEL_MODEL_H

#include "core/config.h"
#include "core/output.h"
#include "model/train_job.h"
#include "parallel/context.h"
#include "store/class_names.h"
#include "store/h5io.h"
#include "store/image_set.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct ModelFamily ModelFamily;

/* A trained model, open for use. */
typedef struct {
    const ModelFamily *family;
    Config *config; /* as stored, with the user's keys of use */
    ImageSpec spec; /* of the images that it takes */
    ClassNames class_names;
    H5File *file; /* open as long as the model */
    void *state;  /* the family's own, made by load; NULL: only the file is open */
} Model;

/* Images as a model sees them. Only model_images_create makes them, so none gets past the preprocessing. */
typedef struct {
    ImageSet set; /* n, labels and spec as in the dataset */
} ModelImages;

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

/* A file format that models are written in. */
typedef struct {
    const char *format; /* as in --format */
    /* Writes the file, whole or not at all. Rank 0 alone calls it; context is for the log. */
    StatusCode (*write)(const Model *model, const Context *context, const char *path, Status *status);
    /* The same of images as this model sees them, each with its label; NULL: the format has none. */
    StatusCode (*write_images)(const Model *model, const ModelImages *images, const char *path,
                               Status *status);
} ModelExporter;

/* A file format that models are read from. */
typedef struct {
    const char *format;
    const char *const *keys; /* up to a NULL: keys that the user may set, because the file doesn't say them */
    /* Reads a file on this rank: *content, and what it says of the configuration. *spec is of the images that
     * the model takes: fields that are 0 before the call weren't said by the user; the importer fills them.
     * first_feature: how the file numbers the first pixel; -1: not said by the user. */
    StatusCode (*read)(void **content, ImageSpec *spec, Config *config, const char *path, int first_feature,
                       Status *status);
    CheckpointWriter write;       /* of the content */
    void (*free)(void **content); /* NULL content is allowed */
} ModelImporter;

/* A measurement of `bench`. */
typedef struct {
    const char *name;
    bool takes_network, takes_images; /* uses the configuration's network, and `images` */
    /* Fills the output on rank 0. Collective: all ranks return the same status. */
    StatusCode (*run)(const Context *context, const Config *config, int images, Output *output,
                      Status *status);
} ModelBench;

struct ModelFamily {
    const char *name; /* as in run.model */

    /* Whether the configuration makes sense for such images beyond what the table of keys checks; called
     * before anything is written. The same on every rank. NULL if there is nothing to check. */
    StatusCode (*check)(const Config *config, ImageSpec spec, Status *status);

    /* Trains and saves. Collective. Returns STATUS_STOPPED after a signal, having saved what --resume needs.
     * All ranks return the same status. */
    StatusCode (*train)(TrainJob *job, Status *status);

    /* What `train --dry-run` says of a training with these images beyond what all families have: values of
     * the output's record, on rank 0. *bytes: memory that the rank will take beside what it has by then.
     * Writes no file; job has no metrics. Collective; all ranks return the same status. */
    StatusCode (*rehearse)(TrainJob *job, Output *output, int64_t *bytes, Status *status);

    /* Whether a training can begin with the weights of a model of this family (job->init). */
    bool takes_init;

    /* The key that says how long a run is; a run can be resumed with another value where check_length allows
     * it: STATUS_USAGE with the reason if not. NULL, both, where nothing of the kind exists. */
    const char *length_key;
    StatusCode (*check_length)(const Config *begun, const Config *config, Status *status);

    /* Puts what the training of an open file chose, as C of a search, into its configuration. NULL: nothing.
     */
    StatusCode (*take_chosen)(const H5File *file, Config *config, Status *status);

    /* Makes model->state of the open file; the rest of the model is there already. Collective: a family may
     * keep only this rank's share. All ranks return the same status; destroyed by destroy, also after a
     * failure. */
    StatusCode (*load)(Model *model, const Context *context, Status *status);

    /* Frees and clears model->state (NULL is allowed). */
    void (*destroy)(Model *model);

    /* Predicts images, the same on every rank; out [n] is whole on every rank, and so are probabilities
     * [n][classes], which add up to 1 for each image; NULL: not wanted. The same result for any number of
     * ranks and threads. Collective. */
    void (*predict)(const Model *model, const Context *context, const ModelImages *images, Prediction *out,
                    float *probabilities);

    /* Whether predict can be asked for probabilities. NULL: always. */
    bool (*has_probabilities)(const Model *model);

    /* Decision values of a model without probabilities: each is of one class against another. How many an
     * image has; which classes a < b number `number` is of, where a positive value means a; and predict with
     * them: decisions [n][decision_count], whole on every rank, NaN of classes that the model doesn't know.
     * NULL, all three, where a family has none. */
    int (*decision_count)(const Model *model);
    void (*decision_classes)(const Model *model, int number, int *a, int *b);
    void (*decide)(const Model *model, const Context *context, const ModelImages *images, Prediction *out,
                   double *decisions);

    /* One line for people, such as "60000 reference images, k = 3", of a model whose file is open. */
    void (*describe)(const Model *model, char *text, int size);

    /* Whether the value of a key isn't known, as of a model of another program; its file is open. NULL: all
     * are known. */
    bool (*lacks_key)(const Model *model, const char *key);

    /* Adds a table `layers` to the output's record, of an ensemble also `members` with their seeds; of a
     * model whose file is open. NULL where a family has no layers. */
    void (*list_layers)(const Model *model, Output *output);

    /* Up to `most` of the training images that decide about each of the images: on rank 0, freed by
     * nearest_images_free. Collective; all ranks return the same status. NULL where a family keeps no
     * training images. */
    StatusCode (*nearest)(const Model *model, const Context *context, const ModelImages *images, int64_t most,
                          NearestImages *nearest, Status *status);

    /* Draws what `show --out` shows of the model whose file is open; rank 0 alone. */
    StatusCode (*draw)(const Model *model, const char *path, Log *log, Status *status);

    /* Removes what a stopped run leaves beside its model; rank 0 alone. NULL if there is nothing. */
    void (*remove_leftovers)(const char *model_path);

    /* Renames it to what would be left beside another model in the same folder; rank 0 alone. False if it
     * can't be renamed: errno says why. NULL as before. */
    bool (*move_leftovers)(const char *model_path, const char *to);

    /* Whether there is a model among that; rank 0 alone. NULL as before. */
    bool (*has_leftovers)(const char *model_path);

    /* The fingerprints of the programs that trained that, as checkpoint_builds; "" for nothing. Freed by the
     * caller; rank 0 alone. NULL as before. */
    char *(*leftover_builds)(const char *model_path, const Config *config);

    int exporter_count, importer_count, bench_count;
    const ModelExporter *exporters;
    const ModelImporter *importers;
    const ModelBench *benches;

    /* Whether the model, whose file is open, is of several members. NULL where a family has none. */
    bool (*is_ensemble)(const Model *model);

    /* The keys of use that change what a model predicts, up to a NULL; or NULL. */
    const char *const *use_keys;

    /* The key of use that takes only an ensemble's first members; NULL where a family has no ensembles. */
    const char *members_key;

    /* How many networks an ensemble averages. NULL where a family has none, as predict_by_members. */
    int (*members)(const Model *model);

    /* As predict, into out [members][n]: what the first 1, 2, ... of the members say together;
     * probabilities [n][classes] are those of all. */
    void (*predict_by_members)(const Model *model, const Context *context, const ModelImages *images,
                               Prediction *out, float *probabilities);
};

/* Takes over a set of images (which is empty afterwards) and preprocesses them as the model wants them.
 * STATUS_USAGE if they are of another shape than those it was trained on. Not collective; OpenMP. Freed by
 * model_images_free, also after a failure. */
StatusCode model_images_create(const Model *model, ImageSet *set, ModelImages *images, Status *status);
void model_images_free(ModelImages *images);

/* Those that a program has. */
typedef struct {
    int count;
    const ModelFamily *const *items; /* [count] */
    ConfigTables keys;               /* of the families and of all runs */
} ModelFamilies;

/* The family of a name; NULL if there is none. */
const ModelFamily *model_family_find(const ModelFamilies *families, const char *name);

/* Frees everything and clears the model. */
void model_close(Model *model);

void nearest_images_free(NearestImages *nearest);

#endif
