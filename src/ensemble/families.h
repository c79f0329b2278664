/* The model families of this program. */
#ifndef PARDIGITS_ENSEMBLE_FAMILIES_H
#define PARDIGITS_ENSEMBLE_FAMILIES_H

#include "model/model.h"

extern const ModelFamilies model_families;

#endif
