/* What a layer is: the words in cnn.layers that make it, its shapes, and its operations in training and in
 * use.
 *
 * A type of layer is one file, layer_TYPE.c, that fills a LayerType, and one line in layer_types.c. The
 * parser, the planner, the micro-batch, prediction, the model's file and the error messages know layers by
 * this table alone. Operations are single-threaded and allocate nothing; they must compute an image in the
 * same way wherever it stands in a group or a micro-batch. */
#ifndef PARDIGITS_CNN_LAYER_H
#define PARDIGITS_CNN_LAYER_H

#include "conv/conv.h"
#include "core/status.h"
#include "kernels/layers.h"
#include "model/onnx.h"
#include "store/h5io.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LAYER_TEXT = 32,      /* bytes of a layer as written, and of a name */
    LAYER_MAX_FIELDS = 5, /* between colons */
    LAYER_ARRAYS = 2,     /* parameter arrays of a layer */
};

/* Images of height x width x channels (NHWC). */
typedef struct {
    int height, width, channels;
} TensorShape;

/* Values of one image. */
static inline int64_t tensor_values(TensorShape shape) {
    return (int64_t)shape.height * shape.width * shape.channels;
}

typedef struct Network Network;
typedef struct LayerType LayerType;

typedef struct {
    const LayerType *type;
    char text[LAYER_TEXT];  /* as written, without its label */
    char label[LAYER_TEXT]; /* NAME of @NAME; empty for none */
    char name[LAYER_TEXT];  /* "conv1"; only of layers with parameters */
    TensorShape in, out;
    int source;            /* the earlier layer whose output this one takes beside its input; -1: none */
    int64_t multiply_adds; /* an image, forward */

    /* set by the type's parse, for itself */
    ConvShape conv; /* types that multiply; dense: a 1x1 convolution of a 1x1 image */
    PoolShape pool;
    AveragePoolShape average_pool;
    float rate; /* of dropout */

    /* planned by network_parse */
    int arrays[LAYER_ARRAYS]; /* its places among the network's arrays; -1: none */
    int64_t parameters;
    int64_t statistics;        /* where its running statistics begin */
    bool in_place;             /* its output is its input's memory */
    bool is_source;            /* some later layer takes its output */
    bool is_first_use;         /* no layer behind it takes the same source: the first one on the way back */
    int64_t source_first;      /* of a source: its place in memory for those, in values of an image */
    bool does_relu;            /* also computes max(out, 0), for the relu beside it */
    bool masks_input_gradient; /* also takes the gradient of its input through the relu below it */
    bool relu_is_done, relu_gradient_is_done; /* of a relu: by a layer beside it */
} Layer;

/* A layer's text, cut at its colons, while it is parsed. */
typedef struct {
    char text[LAYER_TEXT];
    char fields[LAYER_TEXT]; /* text with 0 for each colon */
    const char *field[LAYER_MAX_FIELDS];
    int field_count;
    const Network *net; /* the layers before it */
    Status *status;
} LayerText;

/* What dropout draws its numbers for. */
typedef struct {
    uint32_t seed, epoch, layer;
    const uint32_t *samples; /* [n] index in the training set */
    uint32_t (*random)[4];   /* memory for one image */
} LayerDraw;

/* Some images, a group of a micro-batch or a chunk of those that are predicted, at one layer. What the type
 * doesn't use is NULL; so is what only training has, in use. */
typedef struct {
    const Layer *layer;
    int n;                                /* images */
    int first;                            /* they begin at this image of the micro-batch */
    int all;                              /* images of the micro-batch */
    int micro_batch;                      /* images of a full micro-batch */
    bool relu;                            /* forward: also max(out, 0) */
    const float *in;                      /* [n][layer->in] */
    const float *source;                  /* [n][shape of the source's output] */
    float *out;                           /* [n][layer->out]; in place: equal to in */
    const float *packed, *packed_back;    /* the weights as the kernels want them, forward and back */
    const float *params[LAYER_ARRAYS];    /* arrays of the layer */
    float *param_gradients[LAYER_ARRAYS]; /* of the micro-batch; a first group writes, the others add */
    int first_part, end_part, parts;      /* sum_weights: these of so many, at most weight_parts */
    Turns *turns; /* sum_weights: [parts] each part is added in this turn of its own; NULL: at once */
    int turn;
    float *statistics; /* of the micro-batch: what the running ones are made of */
    float *kept;       /* [kept_floats] of the micro-batch, from the forward pass to the backward pass */
    uint8_t *mask;     /* [n][layer->out], likewise */
    float *work;
    const LayerDraw *draw;
    float *gradient;        /* [n][layer->out]; backward may overwrite it */
    float *in_gradient;     /* [n][layer->in]; where gradient_in_place: equal to gradient */
    float *source_gradient; /* [n][shape of the source's output]; NULL: not needed */
} LayerPass;

/* What a type can do with a relu beside it. A relu whose work nobody does runs by itself. */
enum {
    RELU_BEHIND = 1,      /* forward: a relu behind it */
    RELU_BEHIND_BACK = 2, /* and the gradient of that relu */
    RELU_AHEAD = 4,       /* a relu before it comes to the same as one behind it (with RELU_BEHIND_BACK) */
    RELU_MASK = 8,        /* back: the gradient of a relu ahead of it, whose output is its input */
};

/* One running statistic, a value a channel. */
typedef struct {
    const char *name; /* in model files */
    float initial, least;
} LayerStatistic;

/* The arrays of the types that multiply. */
enum { LAYER_WEIGHT, LAYER_BIAS };

/* An array of parameters as a type wants it. */
typedef struct {
    const char *name; /* in model files; NULL: no such array */
    H5Shape shape;
    bool decays;   /* weights: normal initial values, weight decay, layer-wise rates */
    float initial; /* of the others */
} LayerArray;

enum { LAYER_ONNX_NAME = 2 * LAYER_TEXT }; /* bytes of a tensor's name */

/* A layer on its way into an ONNX graph, whose tensors are images x channels x height x width or,
 * behind a dense layer, images x units. */
typedef struct {
    OnnxModel *model;
    const Layer *layer;
    const char *in, *source, *out;     /* names of tensors; source: NULL unless the layer takes one */
    const float *params[LAYER_ARRAYS]; /* as in LayerPass */
    const float *statistics;           /* running ones of the layer */
} LayerOnnx;

struct LayerType {
    const char *word; /* in cnn.layers; with a number, the name in model files */
    const char *form; /* how it is written */
    int min_fields, max_fields;
    int relu; /* bits from above */
    bool is_relu;
    bool in_place;          /* out may be in's memory, whose values nobody needs afterwards */
    bool gradient_in_place; /* the gradient of its input may overwrite that of its output */
    bool whole_micro_batch; /* wants all images at a time, to reuse its weights */
    bool multiplies;        /* by weights: layer->conv is the product */
    bool centres;           /* subtracts the mean: a bias directly before it would be lost */
    bool only_in_training;  /* does nothing in use */
    bool ends;              /* may be the last layer */
    bool flattens;          /* takes values whatever their shape is, and gives a list of them */
    bool takes_planes;      /* takes an image of several channels, not a list */
    bool has_mask;
    const LayerStatistic *statistics; /* [statistic_count] */
    int statistic_count;

    /* Fills layer from text: out and what is the type's own. in is set, out is equal to it. NULL: the text
     * has no fields, and out stays equal to in. */
    StatusCode (*parse)(Layer *layer, const LayerText *text);
    /* Array k of the layer; NULL: it has none. has_bias: no layer behind it makes a bias useless. */
    LayerArray (*array)(const Layer *layer, int k, bool has_bias);

    /* Memory, in floats; NULL: none. */
    int64_t (*kept_floats)(const Layer *layer);
    int64_t (*work_floats)(const Layer *layer, int n);
    /* Images of a group that its backward pass wants at least; NULL: 1. */
    int (*images_wanted)(const Layer *layer);

    void (*forward)(const LayerPass *pass);
    /* The gradient of the input, once sum_weights has been called, for any images. */
    void (*backward)(const LayerPass *pass);
    /* Types that multiply: the gradients of their parameters, group after group, in parts that don't depend
     * on each other (ConvWeightSum). NULL: the others. */
    int (*weight_parts)(const Layer *layer);
    void (*sum_weights)(const LayerPass *pass);
    /* Types that need something of the whole micro-batch before any image can pass: gather makes sums of a
     * group's input (back: of its gradient) in `work`, add_gathered adds them to those of the groups before,
     * gathered ends it. NULL: the others. */
    void (*gather)(const LayerPass *pass);
    void (*add_gathered)(const LayerPass *pass);
    void (*gathered)(const LayerPass *pass);
    void (*gather_back)(const LayerPass *pass);
    void (*add_gathered_back)(const LayerPass *pass);
    void (*gathered_back)(const LayerPass *pass);

    /* In use, a type with scale_in_use is out = in * factor + offset for each channel, and becomes part of
     * the weights before it where there are any: it fills factor and offset [channels]. forward_in_use then
     * takes them as its params. NULL: as in training. */
    void (*scale_in_use)(const Layer *layer, const float *const params[LAYER_ARRAYS], const float *statistics,
                         float *factor, float *offset);
    void (*forward_in_use)(const LayerPass *pass);

    /* Adds the nodes that compute it in use to an ONNX graph; not of types that do nothing in use. */
    void (*to_onnx)(const LayerOnnx *to);
};

/* All types. */
extern const LayerType *const layer_types[];
extern const int layer_type_count;

/* The type of that word; NULL if there is none. */
const LayerType *layer_type_find(const char *word);

/* Rows of one value a channel in the images of a pass. */
static inline int64_t layer_pass_rows(const LayerPass *pass) {
    return (int64_t)pass->n * pass->layer->in.height * pass->layer->in.width;
}

/* For parse: STATUS_USAGE with the layer and the reason; a whole number from min to max; and the optional
 * fields sSTRIDE and pPAD (pad NULL: not allowed) from field `first` on. */
StatusCode layer_refuse(const LayerText *text, const char *reason);
StatusCode layer_parse_number(const LayerText *text, const char *digits, const char *what, int min, int max,
                              int *value);
StatusCode layer_parse_options(const LayerText *text, int first, int window, int *stride, int *pad);

#endif
