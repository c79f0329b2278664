/* The family of networks: one, or an ensemble of several. */
#ifndef PARDIGITS_ENSEMBLE_CNN_FAMILY_H
#define PARDIGITS_ENSEMBLE_CNN_FAMILY_H

#include "model/model.h"

extern const ModelFamily cnn_family;

#endif
