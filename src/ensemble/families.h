/* The model families of this program. */
#ifndef PARDIGITS_ENSEMBLE_FAMILIES_H
#define PARDIGITS_ENSEMBLE_FAMILIES_H

#include "model/model.h"

extern const ModelFamilies model_families;

/* The family of run.model. */
const ModelFamily *model_family_of(const Config *config);

#endif
