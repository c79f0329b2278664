/* The images that a model is used with: a part of a dataset. */
#ifndef PARDIGITS_CLI_SPLIT_H
#define PARDIGITS_CLI_SPLIT_H

#include "model/model.h"
#include "parallel/context.h"
#include "store/image_set.h"

/* Refuses what isn't the name of a split (STATUS_USAGE). */
StatusCode split_check(const char *name, Status *status);

/* Images of a dataset for a model. */
typedef struct {
    const char *data; /* the user's dataset; NULL: the one that the model was trained on */
    const char *name; /* of the split: train, valid or test */
    const Model *model;
} Split;

typedef struct {
    char *data;             /* the path of the dataset */
    ImageSet set;           /* all of them, on every rank; the labels are the model's */
    int64_t first;          /* the row of the first one in its part of the dataset */
    const char *difference; /* of the training images from the model's (model_data_difference), or NULL */
} SplitImages;

/* Opens the dataset (model_data.h) and reads the images that a split means for a model. Collective: ranks
 * agree. Freed by split_images_free, also after a failure. */
StatusCode split_read(const Split *split, const Context *context, SplitImages *images, Status *status);
void split_images_free(SplitImages *images);

#endif
