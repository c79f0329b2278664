/* The dataset that a model is used with. */
#ifndef PARDIGITS_CLI_MODEL_DATA_H
#define PARDIGITS_CLI_MODEL_DATA_H

#include "core/log.h"
#include "model/model.h"
#include "parallel/context.h"
#include "store/dataset.h"

typedef struct {
    Dataset dataset;
    SourceMatch match;            /* with the images that the model was trained on */
    bool is_renumbered;           /* numbers aren't all the same */
    uint8_t numbers[CLASSES_MAX]; /* what the model calls each class of the dataset */
} ModelData;

/* Opens the dataset `given` by the user or, where that is NULL, the one that the model was trained on
 * (run.data). Classes are found by their names where both have them, otherwise by their numbers. STATUS_USAGE
 * if images are of another shape than the model's, STATUS_FAILED if there is a class that it doesn't know.
 * Warns if it isn't the dataset that the model was trained on. Collective: ranks agree. Freed by
 * dataset_close, also after a failure. */
StatusCode model_data_open(const Context *context, const Model *model, const char *given, ModelData *data,
                           Status *status);

/* What makes its training images others than the model's: "others", or NULL. */
const char *model_data_difference(SourceMatch match);

/* Makes the labels of a set, whose first image is row `first` of a part, the model's. STATUS_FAILED if there
 * is one that it doesn't know. */
StatusCode model_data_number(const ModelData *data, const Model *model, const char *part, int64_t first,
                             ImageSet *set, Status *status);

/* Says of a model whose training isn't finished how far it is. */
void note_unfinished_model(const Model *model, Log *log);

#endif
