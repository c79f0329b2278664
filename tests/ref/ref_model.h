/* Models of tests: loaded by a configuration of the test's, used on images that aren't preprocessed yet. */
#ifndef PARDIGITS_TESTS_REF_REF_MODEL_H
#define PARDIGITS_TESTS_REF_REF_MODEL_H

#include "model/model.h"

/* Opens the file and loads the model as config says, of which it has a copy. Collective: ranks agree. Closed
 * by model_close, also after a failure. */
Model ref_model_load(const Comm *comm, const char *path, const Config *config, Status *status);

/* out [n]. Collective. */
void ref_model_predict(const Model *model, const Comm *comm, int threads, const ImageSet *images,
                       Prediction *out);

#endif
