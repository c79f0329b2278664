/* The network in one line (`cnn.layers`): layers separated by spaces, from the image (one channel) to the
 * classes. For example
 *
 *     conv:32:3 bn relu pool:2 dropout:0.4 conv:32:5:s2:p2 bn relu dense:128 bn relu dense:classes
 *
 *     conv:FILTERS:KERNEL[:sSTRIDE][:pPAD]  convolution, square kernel; stride 1 and no padding unless given
 *     dense:UNITS, dense:classes            fully connected; flattens whatever comes
 *     pool:WINDOW[:sSTRIDE]                 largest value of a square window; stride = window unless given
 *     avgpool:WINDOW[:sSTRIDE]              mean of a square window
 *     avgpool:all                           mean of each channel (global average pooling)
 *     bn                                    batch norm, with the statistics of a micro-batch in training
 *     relu                                  max(x, 0)
 *     dropout:RATE                          sets a share RATE of the values to 0 in training
 *     add:NAME                              adds the output of the earlier layer labelled @NAME
 *
 * A label follows a layer's text: "conv:16:3 bn relu@a conv:16:3:p1 bn relu conv:16:3:p1 bn add:a relu" is a
 * residual block. The last layer must give one value a class, as dense:classes does. A conv or dense directly
 * before bn has no bias, because bn would subtract it again. Layers with parameters are named by their type
 * and number: conv1, conv2, bn1, dense1.
 *
 * All parameters lie in one flat buffer; the network holds the views into it. Each array starts at a multiple
 * of NETWORK_ALIGN floats; what lies between arrays stays 0. */
#ifndef PARDIGITS_CNN_NETWORK_H
#define PARDIGITS_CNN_NETWORK_H

#include "cnn/layer.h"

#include "core/log.h"
#include "core/output.h"
#include "core/status.h"
#include "store/h5io.h"
#include "store/image_set.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    NETWORK_MAX_LAYERS = 128,
    NETWORK_NAME = 2 * LAYER_TEXT, /* bytes of an array's name */
    NETWORK_ALIGN = 16,            /* floats: one cache line */
    NETWORK_MAX_VALUES = 1 << 22,  /* outputs of a layer for one image */
    NETWORK_MAX_PARAMS = 1 << 27,
};

#define NORM_EPSILON 1e-5f

/* Unit of the statistics that a micro-batch contributes (variances may be large). */
#define NETWORK_STATISTIC_UNIT 0x1p-10

/* A view into the parameter buffer. */
typedef struct {
    char name[NETWORK_NAME]; /* "conv1/weight" */
    int64_t first, count;
    H5Shape shape;  /* conv weight [kernel][kernel][in][out], dense weight [in][out], others [channels] */
    bool decays;    /* weights do; biases, scales and shifts don't */
    float initial;  /* of what doesn't decay */
    int64_t fan_in; /* of weights: inputs that an output sums over */
} ParamArray;

/* A view into the buffer of running statistics. */
typedef struct {
    char name[NETWORK_NAME]; /* "bn1/mean" */
    int64_t first, count;
    float initial, least;
} StatisticArray;

struct Network {
    ImageSpec spec; /* of the images and classes that it is for */
    int layer_count, array_count, statistic_count;
    Layer layers[NETWORK_MAX_LAYERS];
    ParamArray arrays[NETWORK_MAX_LAYERS * LAYER_ARRAYS];
    StatisticArray statistics[NETWORK_MAX_LAYERS * LAYER_ARRAYS];
    int64_t param_floats;     /* length of the parameter buffer, gaps included */
    int64_t statistic_floats; /* of the buffer of running statistics */
    int64_t source_values;    /* an image, of all layers whose output a later one takes */
    int64_t parameters, multiply_adds;
    int first_trained; /* the first layer with parameters: no gradient is needed of what comes before its
                          output */
};

/* Parses the line for such images and classes. STATUS_USAGE with a sentence that names the layer and what is
 * allowed. */
StatusCode network_parse(Network *net, const char *text, ImageSpec spec, Status *status);

/* The layer with this label; -1: none. */
int network_find_label(const Network *net, const char *label);

/* Decides, of a network whose layers are known, which work in place and which do the work of a relu beside
 * them. A part of network_parse. */
void network_plan_relus(Network *net);

/* Whether layer i becomes part of the weights before it in use. */
bool network_folds(const Network *net, int i);

/* The largest output of a layer, or the image itself: values an image. */
int64_t network_max_values(const Network *net);

/* Work memory of any layer's kernels for n images, in floats. */
int64_t network_work_floats(const Network *net, int n);

/* Initial values: weights normal with variance 2 / fan_in (He et al., "Delving deep into rectifiers", ICCV
 * 2015), biases and shifts 0, scales 1. params [param_floats]. */
void network_init_params(const Network *net, uint32_t seed, float *params);

/* Where a layer's arrays lie in params [param_floats]; NULL: it has no such array. */
void network_layer_params(const Network *net, const Layer *layer, const float *params,
                          const float *arrays[LAYER_ARRAYS]);

/* Running statistics before the first step: means 0, variances 1. statistics [statistic_floats]. */
void network_init_statistics(const Network *net, float *statistics);

/* The table of layers: output shape, parameters, multiply-adds an image. In the log; as a table `layers` of
 * the output's record. */
void network_log(const Network *net, Log *log);
void network_list(const Network *net, Output *output);

#endif
