/* Model files: found, opened and loaded. */
#ifndef PARDIGITS_MODEL_OPEN_MODEL_H
#define PARDIGITS_MODEL_OPEN_MODEL_H

#include "model/model.h"

/* Assignments "section.key=value" in the order of the command line. */
typedef struct {
    int count;
    const char **items; /* [count] */
} Settings;

/* The model.h5 in the folder of a run; otherwise the path itself. Freed by mem_free. */
char *model_path_of(const char *path);

/* Whether path is the model.h5 of a run that has begun, but has no model yet. Not collective. */
bool model_is_awaited(const char *path);

/* Fails if there is no model at path and it is known why: train --overwrite has put it aside and was ended
 * before it had another, the run there has none yet, or it has been removed since. Not collective. */
StatusCode model_check_there(const char *path, Status *status);

/* Opens, verifies and loads a model file. The settings change the configuration that is stored in it: only
 * keys that say how a model is used. Collective; ranks agree. Closed by model_close, also after a failure. */
StatusCode model_open(const Context *context, const ModelFamilies *families, const char *path,
                      const Settings *settings, Model *model, Status *status);

/* The same without loading the model itself: model->state is NULL. */
StatusCode model_open_file(const Context *context, const ModelFamilies *families, const char *path,
                           Model *model, Status *status);

#endif
