/* A model as a file for NumPy. */
#ifndef PARDIGITS_MODEL_MODEL_NPZ_H
#define PARDIGITS_MODEL_MODEL_NPZ_H

#include "model/model.h"

/* The ModelExporter's write, of every family: the arrays and attributes of the model's file, by their names
 * there (store/h5npz.h), without what only training needs (optimizer, state). */
StatusCode model_npz_write(const Model *model, const Context *context, const char *path, Status *status);

#endif
