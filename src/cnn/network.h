/* The network in one line (`cnn.layers`): layers separated by spaces, from the image (28x28, one channel) to
 * the ten classes. For example
 *
 *     conv:32:3 bn relu pool:2 dropout:0.4 conv:32:5:s2:p2 bn relu dense:128 bn relu dense:10
 *
 *     conv:FILTERS:KERNEL[:sSTRIDE][:pPAD]  convolution, square kernel; stride 1 and no padding unless given
 *     dense:UNITS                           fully connected; flattens whatever comes
 *     pool:WINDOW[:sSTRIDE]                 largest value of a square window; stride = window unless given
 *     bn                                    batch norm, with the statistics of a micro-batch in training
 *     relu                                  max(x, 0)
 *     dropout:RATE                          sets a share RATE of the values to 0 in training
 *
 * The last layer must give 10 values: dense:10. A conv or dense directly before bn has no bias, because bn
 * would subtract it again. Layers with parameters are named by their kind and number: conv1, conv2, bn1,
 * dense1.
 *
 * All parameters lie in one flat buffer; the network holds the views into it. Each array starts at a multiple
 * of NETWORK_ALIGN floats; what lies between arrays stays 0. */
#ifndef PARDIGITS_CNN_NETWORK_H
#define PARDIGITS_CNN_NETWORK_H

#include "conv/conv.h"
#include "core/log.h"
#include "core/status.h"
#include "kernels/layers.h"
#include "store/h5io.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    NETWORK_MAX_LAYERS = 128,
    NETWORK_NAME = 32,            /* bytes of a name */
    NETWORK_ALIGN = 16,           /* floats: one cache line */
    NETWORK_MAX_VALUES = 1 << 22, /* outputs of a layer for one image */
    NETWORK_MAX_PARAMS = 1 << 27,
};

#define NORM_EPSILON 1e-5f

typedef enum { LAYER_CONV, LAYER_DENSE, LAYER_NORM, LAYER_RELU, LAYER_POOL, LAYER_DROPOUT } LayerKind;

/* Images of height x width x channels (NHWC). */
typedef struct {
    int height, width, channels;
} ImageShape;

/* Values of one image. */
static inline int64_t image_values(ImageShape shape) {
    return (int64_t)shape.height * shape.width * shape.channels;
}

typedef struct {
    LayerKind kind;
    char text[NETWORK_NAME]; /* as written */
    char name[NETWORK_NAME]; /* "conv1"; only of layers with parameters */
    ImageShape in, out;
    ConvShape conv;     /* conv, dense (a 1x1 convolution of a 1x1 image) */
    PoolShape pool;     /* pool */
    float rate;         /* dropout */
    int weight, bias;   /* arrays of conv, dense; no bias: -1 */
    int scale, shift;   /* arrays of bn */
    int64_t statistics; /* bn: the means' place in the statistics buffer; the variances follow */
    int64_t parameters;
    int64_t multiply_adds; /* an image, forward */
} Layer;

/* A view into the parameter buffer. */
typedef struct {
    char name[NETWORK_NAME * 2]; /* "conv1/weight" */
    int64_t first, count;
    H5Shape shape;  /* conv weight [kernel][kernel][in][out], dense weight [in][out], others [channels] */
    bool decays;    /* weights do; biases, scales and shifts don't */
    int64_t fan_in; /* of weights: inputs that an output sums over */
} ParamArray;

typedef struct {
    int layer_count, array_count;
    Layer layers[NETWORK_MAX_LAYERS];
    ParamArray arrays[NETWORK_MAX_LAYERS * 2];
    int64_t param_floats;     /* length of the parameter buffer, gaps included */
    int64_t statistic_floats; /* running means and variances of all bn */
    int64_t parameters, multiply_adds;
    int first_trained; /* the first layer with parameters: no gradient is needed of what comes before its
                          output */
} Network;

/* Parses the line. STATUS_USAGE with a sentence that names the layer and what is allowed. */
StatusCode network_parse(Network *net, const char *text, Status *status);

/* Whether the layer works in place: its output is its input's memory. */
bool layer_in_place(const Layer *layer);

/* Whether the layer multiplies by weights: conv and dense. */
bool layer_has_weights(const Layer *layer);

/* The layer that does the work of relu `relu` along with its own: batch norm before it, or else a pool after
 * it (which comes to the same), or else a pool, conv or dense before it. -1: none, or `relu` is no relu. */
int network_fused_relu(const Network *net, int relu);

/* Whether layer i does the work of a relu beside it. */
bool network_has_relu(const Network *net, int i);

/* The largest output of a layer, or the image itself: values an image. */
int64_t network_max_values(const Network *net);

/* Work memory of any layer's convolution kernels for n images, in floats. */
int64_t network_conv_work(const Network *net, int n);

/* Initial values: weights normal with variance 2 / fan_in (He et al., "Delving deep into rectifiers", ICCV
 * 2015), biases and shifts 0, scales 1. params [param_floats]. */
void network_init_params(const Network *net, uint32_t seed, float *params);

/* Running statistics before the first step: means 0, variances 1. statistics [statistic_floats]. */
void network_init_statistics(const Network *net, float *statistics);

/* The table of layers: output shape, parameters, multiply-adds an image. */
void network_log(const Network *net, Log *log);

#endif
