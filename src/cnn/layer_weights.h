/* What the layers that multiply by weights, conv and dense, have in common: the passes of layer->conv. */
#ifndef PARDIGITS_CNN_LAYER_WEIGHTS_H
#define PARDIGITS_CNN_LAYER_WEIGHTS_H

#include "cnn/layer.h"

enum { LAYER_MAX_CHANNELS = 65536 };

/* Sets the product, and the output's shape and multiply-adds by it. */
void layer_weights_set(Layer *layer, ConvShape shape);

/* Array k: weights of this shape, then a bias unless it would be useless. */
LayerArray layer_weights_array(const Layer *layer, int k, H5Shape shape, bool has_bias);

int64_t layer_weights_work_floats(const Layer *layer, int n);
void layer_weights_forward(const LayerPass *pass);
void layer_weights_backward(const LayerPass *pass);
int layer_weights_parts(const Layer *layer);
void layer_weights_sum(const LayerPass *pass);

#endif
