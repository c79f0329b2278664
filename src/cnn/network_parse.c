#include "cnn/network.h"

#include "store/dataset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FIELDS = 5, MAX_CHANNELS = 65536, MAX_KERNEL = 64, MAX_WINDOW = 15 };

/* What is being parsed: a layer's text, cut at its colons. */
typedef struct {
    char text[NETWORK_NAME];
    char fields[NETWORK_NAME]; /* text with 0 for each colon */
    const char *field[MAX_FIELDS];
    int field_count;
    Status *status;
} LayerText;

/* How a kind of layer is written and made from its fields. */
typedef struct {
    const char *word, *form;
    int min_fields, max_fields;
    StatusCode (*make)(Layer *layer, const LayerText *text);
} LayerForm;

static StatusCode refuse(const LayerText *text, const char *reason) {
    return status_set(text->status, STATUS_USAGE, "cnn.layers: layer '%s': %s.", text->text, reason);
}

/* A whole number from min to max. */
static StatusCode parse_number(const LayerText *text, const char *digits, const char *what, int min, int max,
                               int *value) {
    char *end;
    errno = 0;
    long number = strtol(digits, &end, 10);
    if (end == digits || *end || errno || number < min || number > max)
        return status_set(text->status, STATUS_USAGE,
                          "cnn.layers: layer '%s': %s is '%s' but must be a whole number from %d to %d.",
                          text->text, what, digits, min, max);
    *value = (int)number;
    return STATUS_OK;
}

/* The optional fields sSTRIDE and pPAD (the latter where pad isn't NULL) from field `first` on. */
static StatusCode parse_options(const LayerText *text, int first, int window, int *stride, int *pad) {
    for (int f = first; f < text->field_count; f++) {
        const char *field = text->field[f];
        StatusCode code;
        if (field[0] == 's')
            code = parse_number(text, field + 1, "the stride", 1, MAX_KERNEL, stride);
        else if (field[0] == 'p' && pad)
            code = parse_number(text, field + 1, "the padding (less than the kernel)", 0, window - 1, pad);
        else
            code =
                refuse(text, pad ? "after the kernel only sSTRIDE and pPAD are allowed, as in conv:32:5:s2:p2"
                                 : "after the window only sSTRIDE is allowed, as in pool:3:s2");
        if (code) return code;
    }
    return STATUS_OK;
}

static void set_weighted(Layer *layer, ConvShape shape) {
    layer->conv = shape;
    layer->out = (ImageShape){shape.out_height, shape.out_width, shape.filters};
    layer->parameters = (int64_t)shape.kernel * shape.kernel * shape.channels * shape.filters;
}

static StatusCode make_conv(Layer *layer, const LayerText *text) {
    int filters = 0, kernel = 0, stride = 1, pad = 0;
    layer->kind = LAYER_CONV;
    if (parse_number(text, text->field[1], "the number of filters", 1, MAX_CHANNELS, &filters) ||
        parse_number(text, text->field[2], "the kernel", 1, MAX_KERNEL, &kernel) ||
        parse_options(text, 3, kernel, &stride, &pad))
        return text->status->code;
    int height = layer->in.height, width = layer->in.width;
    if (kernel > height + 2 * pad || kernel > width + 2 * pad)
        return status_set(
            text->status, STATUS_USAGE,
            "cnn.layers: layer '%s': its kernel is larger than its input of %dx%d; at most %d is allowed "
            "there with padding %d.",
            text->text, height, width, (height < width ? height : width) + 2 * pad, pad);
    set_weighted(layer, conv_shape(height, width, layer->in.channels, filters, kernel, stride, pad));
    return STATUS_OK;
}

static StatusCode make_dense(Layer *layer, const LayerText *text) {
    int units = 0;
    layer->kind = LAYER_DENSE;
    if (parse_number(text, text->field[1], "the number of units", 1, MAX_CHANNELS, &units))
        return text->status->code;
    set_weighted(layer, conv_shape(1, 1, (int)image_values(layer->in), units, 1, 1, 0));
    return STATUS_OK;
}

static StatusCode make_pool(Layer *layer, const LayerText *text) {
    int window = 0, stride;
    layer->kind = LAYER_POOL;
    if (parse_number(text, text->field[1], "the window", 1, MAX_WINDOW, &window)) return text->status->code;
    stride = window;
    if (parse_options(text, 2, window, &stride, NULL)) return text->status->code;
    if (window > layer->in.height || window > layer->in.width)
        return status_set(text->status, STATUS_USAGE,
                          "cnn.layers: layer '%s': its window is larger than its input of %dx%d.", text->text,
                          layer->in.height, layer->in.width);
    layer->pool = pool_shape(layer->in.height, layer->in.width, layer->in.channels, window, stride);
    layer->out = (ImageShape){layer->pool.out_height, layer->pool.out_width, layer->in.channels};
    return STATUS_OK;
}

static StatusCode make_norm(Layer *layer, const LayerText *text) {
    (void)text;
    layer->kind = LAYER_NORM;
    layer->out = layer->in;
    layer->parameters = 2 * (int64_t)layer->in.channels;
    return STATUS_OK;
}

static StatusCode make_relu(Layer *layer, const LayerText *text) {
    (void)text;
    layer->kind = LAYER_RELU;
    layer->out = layer->in;
    return STATUS_OK;
}

static StatusCode make_dropout(Layer *layer, const LayerText *text) {
    char *end;
    double rate = strtod(text->field[1], &end);
    if (end == text->field[1] || *end || !(rate >= 0 && rate < 1))
        return refuse(text, "its rate must be a number from 0 to below 1");
    layer->kind = LAYER_DROPOUT;
    layer->out = layer->in;
    layer->rate = (float)rate;
    return STATUS_OK;
}

static const LayerForm forms[] = {
    {"conv", "conv:FILTERS:KERNEL[:sSTRIDE][:pPAD]", 3, 5, make_conv},
    {"dense", "dense:UNITS", 2, 2, make_dense},
    {"pool", "pool:WINDOW[:sSTRIDE]", 2, 3, make_pool},
    {"bn", "bn", 1, 1, make_norm},
    {"relu", "relu", 1, 1, make_relu},
    {"dropout", "dropout:RATE", 2, 2, make_dropout},
};

static StatusCode parse_layer(Layer *layer, LayerText *text) {
    memcpy(text->fields, text->text, sizeof text->fields);
    text->field_count = 0;
    for (char *at = text->fields, *next; at; at = next) {
        if (text->field_count == MAX_FIELDS) return refuse(text, "it has too many parts");
        text->field[text->field_count++] = at;
        next = strchr(at, ':');
        if (next) *next++ = 0;
    }
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (strcmp(forms[i].word, text->field[0])) continue;
        if (text->field_count >= forms[i].min_fields && text->field_count <= forms[i].max_fields)
            return forms[i].make(layer, text);
        return status_set(text->status, STATUS_USAGE, "cnn.layers: layer '%s' must be written %s.",
                          text->text, forms[i].form);
    }
    return refuse(text, "there is no such layer; conv, dense, pool, bn, relu and dropout are allowed");
}

/* Copies the next word of *line; false at its end. Words that are too long are refused. */
static bool next_layer(const char **line, LayerText *text) {
    *line += strspn(*line, " \t");
    size_t length = strcspn(*line, " \t");
    size_t kept = length < sizeof text->text ? length : sizeof text->text - 1;
    memset(text->text, 0, sizeof text->text);
    memcpy(text->text, *line, kept);
    if (kept < length) refuse(text, "its text is too long");
    *line += length;
    return length > 0;
}

static StatusCode append_layer(Network *net, LayerText *text) {
    if (text->status->code) return text->status->code;
    if (net->layer_count == NETWORK_MAX_LAYERS)
        return status_set(text->status, STATUS_USAGE, "cnn.layers: at most %d layers are allowed.",
                          NETWORK_MAX_LAYERS);
    Layer *layer = &net->layers[net->layer_count];
    *layer = (Layer){.weight = -1, .bias = -1, .scale = -1, .shift = -1};
    layer->in = net->layer_count ? layer[-1].out : (ImageShape){IMAGE_SIDE, IMAGE_SIDE, 1};
    memcpy(layer->text, text->text, sizeof layer->text);
    if (parse_layer(layer, text)) return text->status->code;
    if (image_values(layer->out) > NETWORK_MAX_VALUES)
        return status_set(text->status, STATUS_USAGE,
                          "cnn.layers: layer '%s' makes %lld values of an image; at most %d are allowed.",
                          text->text, (long long)image_values(layer->out), NETWORK_MAX_VALUES);
    net->parameters += layer->parameters;
    if (net->parameters > NETWORK_MAX_PARAMS)
        return status_set(
            text->status, STATUS_USAGE,
            "cnn.layers: with layer '%s' the network has %lld parameters; at most %d are allowed.",
            text->text, (long long)net->parameters, NETWORK_MAX_PARAMS);
    if (layer_has_weights(layer))
        layer->multiply_adds = layer->parameters * layer->out.height * layer->out.width;
    net->multiply_adds += layer->multiply_adds;
    net->layer_count++;
    return STATUS_OK;
}

static void name_layers(Network *net) {
    int numbers[sizeof forms / sizeof *forms] = {0}; /* by LayerKind, in the order of forms */
    static const char *const words[] = {[LAYER_CONV] = "conv", [LAYER_DENSE] = "dense", [LAYER_NORM] = "bn"};
    for (int i = 0; i < net->layer_count; i++) {
        Layer *layer = &net->layers[i];
        if (layer->parameters)
            snprintf(layer->name, sizeof layer->name, "%s%d", words[layer->kind], ++numbers[layer->kind]);
    }
}

static int append_array(Network *net, const Layer *layer, const char *word, H5Shape shape) {
    ParamArray *array = &net->arrays[net->array_count];
    snprintf(array->name, sizeof array->name, "%s/%s", layer->name, word);
    array->shape = shape;
    array->count = 1;
    for (int d = 0; d < shape.rank; d++)
        array->count *= shape.dims[d];
    array->fan_in = array->count / shape.dims[shape.rank - 1];
    array->first = net->param_floats;
    net->param_floats += (array->count + NETWORK_ALIGN - 1) / NETWORK_ALIGN * NETWORK_ALIGN;
    return net->array_count++;
}

static void append_weights(Network *net, Layer *layer, bool with_bias) {
    const ConvShape *s = &layer->conv;
    H5Shape shape = layer->kind == LAYER_DENSE
                        ? (H5Shape){2, {s->channels, s->filters}}
                        : (H5Shape){4, {s->kernel, s->kernel, s->channels, s->filters}};
    layer->weight = append_array(net, layer, "weight", shape);
    net->arrays[layer->weight].decays = true;
    if (!with_bias) return;
    layer->bias = append_array(net, layer, "bias", (H5Shape){1, {s->filters}});
    layer->parameters += s->filters;
    net->parameters += s->filters;
}

static void append_arrays(Network *net) {
    net->first_trained = net->layer_count;
    for (int i = 0; i < net->layer_count; i++) {
        Layer *layer = &net->layers[i];
        H5Shape per_channel = {1, {layer->in.channels}};
        if (layer->parameters && i < net->first_trained) net->first_trained = i;
        if (layer_has_weights(layer)) {
            append_weights(net, layer, i + 1 == net->layer_count || layer[1].kind != LAYER_NORM);
        } else if (layer->kind == LAYER_NORM) {
            layer->scale = append_array(net, layer, "scale", per_channel);
            layer->shift = append_array(net, layer, "shift", per_channel);
            layer->statistics = net->statistic_floats;
            net->statistic_floats += 2 * (int64_t)layer->in.channels;
        }
    }
}

StatusCode network_parse(Network *net, const char *line, Status *status) {
    *net = (Network){0};
    LayerText text = {.status = status};
    while (next_layer(&line, &text))
        if (append_layer(net, &text)) return status->code;
    if (net->layer_count == 0)
        return status_set(status, STATUS_USAGE,
                          "cnn.layers is empty; write for example: conv:16:3 relu pool:2 dense:10.");
    const Layer *last = &net->layers[net->layer_count - 1];
    if (image_values(last->out) != CLASSES || !layer_has_weights(last))
        return status_set(
            status, STATUS_USAGE,
            "cnn.layers: the last layer is '%s' with %lld outputs, but it must be dense:%d (one output a "
            "digit).",
            last->text, (long long)image_values(last->out), CLASSES);
    name_layers(net);
    append_arrays(net);
    return STATUS_OK;
}
