/* The weight gradient of direct convolution. */
#ifndef PARDIGITS_CONV_CONV_DIRECT_WEIGHTS_H
#define PARDIGITS_CONV_CONV_DIRECT_WEIGHTS_H

#include "conv/conv.h"

/* As the functions of ConvBackend. Parts are filters; of a dense layer inputs. */
int conv_direct_weight_parts(const ConvShape *shape);
void conv_direct_sum_weights(const ConvShape *shape, const ConvWeightSum *sum);

#endif
