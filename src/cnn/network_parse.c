#include "cnn/network.h"

#include "core/integers.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Which words there are, for who wrote another one. */
static StatusCode refuse_word(const LayerText *text) {
    char words[256] = "";
    size_t used = 0;
    for (int t = 0; t < layer_type_count && used < sizeof words; t++)
        used += (size_t)snprintf(words + used, sizeof words - used, "%s%s",
                                 t == 0                      ? ""
                                 : t + 1 == layer_type_count ? " and "
                                                             : ", ",
                                 layer_types[t]->word);
    return status_set(text->status, STATUS_USAGE,
                      "cnn.layers: layer '%s': there is no such layer; %s are allowed.", text->text, words);
}

static StatusCode parse_layer(Layer *layer, LayerText *text) {
    memcpy(text->fields, text->text, sizeof text->fields);
    text->field_count = 0;
    for (char *at = text->fields, *next; at; at = next) {
        if (text->field_count == LAYER_MAX_FIELDS) return layer_refuse(text, "it has too many parts");
        text->field[text->field_count++] = at;
        next = strchr(at, ':');
        if (next) *next++ = 0;
    }
    layer->type = layer_type_find(text->field[0]);
    if (!layer->type) return refuse_word(text);
    if (text->field_count >= layer->type->min_fields && text->field_count <= layer->type->max_fields)
        return layer->type->parse ? layer->type->parse(layer, text) : STATUS_OK;
    return status_set(text->status, STATUS_USAGE, "cnn.layers: layer '%s' must be written %s.", text->text,
                      layer->type->form);
}

/* Copies the next word of *line; false at its end. Words that are too long are refused. */
static bool next_layer(const char **line, LayerText *text) {
    *line += strspn(*line, " \t");
    size_t length = strcspn(*line, " \t");
    size_t kept = length < sizeof text->text ? length : sizeof text->text - 1;
    memset(text->text, 0, sizeof text->text);
    memcpy(text->text, *line, kept);
    if (kept < length) layer_refuse(text, "its text is too long");
    *line += length;
    return length > 0;
}

static StatusCode check_label(const LayerText *text, const char *label) {
    if (!isalpha((unsigned char)*label))
        return layer_refuse(text, "its label, behind the @, must begin with a letter");
    for (const char *at = label; *at; at++)
        if (!isalnum((unsigned char)*at) && *at != '_')
            return layer_refuse(text, "its label, behind the @, may have letters, digits and _ only");
    if (network_find_label(text->net, label) >= 0)
        return layer_refuse(text, "an earlier layer has the same label");
    return STATUS_OK;
}

/* Takes the label off a layer's text. */
static StatusCode parse_label(Layer *layer, LayerText *text) {
    char *at = strchr(text->text, '@');
    if (!at) return STATUS_OK;
    if (check_label(text, at + 1)) return text->status->code;
    memcpy(layer->label, at + 1, strlen(at));
    memset(at, 0, strlen(at));
    return STATUS_OK;
}

static StatusCode check_values(const Layer *layer, const LayerText *text) {
    if (tensor_values(layer->out) <= NETWORK_MAX_VALUES) return STATUS_OK;
    return status_set(text->status, STATUS_USAGE,
                      "cnn.layers: layer '%s' makes %lld values of an image; at most %d are allowed.",
                      text->text, (long long)tensor_values(layer->out), NETWORK_MAX_VALUES);
}

static StatusCode append_layer(Network *net, LayerText *text) {
    if (text->status->code) return text->status->code;
    if (net->layer_count == NETWORK_MAX_LAYERS)
        return status_set(text->status, STATUS_USAGE, "cnn.layers: at most %d layers are allowed.",
                          NETWORK_MAX_LAYERS);
    Layer *layer = &net->layers[net->layer_count];
    *layer = (Layer){.source = -1, .arrays = {-1, -1}};
    layer->in = net->layer_count ? layer[-1].out : (TensorShape){net->spec.height, net->spec.width, 1};
    layer->out = layer->in;
    if (parse_label(layer, text)) return text->status->code;
    memcpy(layer->text, text->text, sizeof layer->text);
    if (parse_layer(layer, text) || check_values(layer, text)) return text->status->code;
    net->multiply_adds += layer->multiply_adds;
    net->layer_count++;
    return STATUS_OK;
}

/* Layers whose output later ones take. */
static void mark_sources(Network *net) {
    for (int i = net->layer_count - 1; i >= 0; i--) {
        if (net->layers[i].source < 0) continue;
        Layer *source = &net->layers[net->layers[i].source];
        net->layers[i].is_first_use = !source->is_source;
        if (source->is_source) continue;
        source->is_source = true;
        source->source_first = net->source_values;
        net->source_values += tensor_values(source->out);
    }
}

static int append_array(Network *net, Layer *layer, const LayerArray *wanted) {
    ParamArray *array = &net->arrays[net->array_count];
    snprintf(array->name, sizeof array->name, "%s/%s", layer->name, wanted->name);
    array->shape = wanted->shape;
    array->decays = wanted->decays;
    array->initial = wanted->initial;
    array->count = h5_shape_values(array->shape);
    array->fan_in = array->count / array->shape.dims[array->shape.rank - 1];
    array->first = net->param_floats;
    layer->parameters += array->count;
    net->param_floats += round_up(array->count, NETWORK_ALIGN);
    return net->array_count++;
}

static void append_statistics(Network *net, Layer *layer) {
    layer->statistics = net->statistic_floats;
    for (int s = 0; s < layer->type->statistic_count; s++) {
        const LayerStatistic *wanted = &layer->type->statistics[s];
        StatisticArray *array = &net->statistics[net->statistic_count++];
        snprintf(array->name, sizeof array->name, "%s/%s", layer->name, wanted->name);
        array->first = net->statistic_floats;
        array->count = layer->in.channels;
        array->initial = wanted->initial;
        array->least = wanted->least;
        net->statistic_floats += array->count;
    }
}

/* The layer's number among those of its type. */
static int number_of(const Network *net, int i) {
    int number = 0;
    for (int k = 0; k <= i; k++)
        number += net->layers[k].type == net->layers[i].type;
    return number;
}

static StatusCode append_arrays(Network *net, int i, Status *status) {
    Layer *layer = &net->layers[i];
    const bool centred = i + 1 < net->layer_count && layer[1].type->centres && !layer->is_source;
    if (!layer->type->array) return STATUS_OK;
    snprintf(layer->name, sizeof layer->name, "%s%d", layer->type->word, number_of(net, i));
    for (int k = 0; k < LAYER_ARRAYS; k++) {
        const LayerArray wanted = layer->type->array(layer, k, !centred);
        if (wanted.name) layer->arrays[k] = append_array(net, layer, &wanted);
    }
    append_statistics(net, layer);
    if (i < net->first_trained) net->first_trained = i;
    net->parameters += layer->parameters;
    if (net->parameters <= NETWORK_MAX_PARAMS) return STATUS_OK;
    return status_set(status, STATUS_USAGE,
                      "cnn.layers: with layer '%s' the network has %lld parameters; at most %d are allowed.",
                      layer->text, (long long)net->parameters, NETWORK_MAX_PARAMS);
}

static StatusCode check_last(const Network *net, Status *status) {
    const Layer *last = &net->layers[net->layer_count - 1];
    if (!last->type->ends)
        return status_set(status, STATUS_USAGE,
                          "cnn.layers: '%s' can't be the last layer: end in dense:classes, whose outputs are "
                          "the scores of the classes.",
                          last->text);
    if (tensor_values(last->out) == net->spec.classes) return STATUS_OK;
    return status_set(status, STATUS_USAGE,
                      "cnn.layers: the last layer is '%s' with %lld outputs, but there must be one output a "
                      "class, %d of them: end in dense:classes.",
                      last->text, (long long)tensor_values(last->out), net->spec.classes);
}

StatusCode network_parse(Network *net, const char *line, ImageSpec spec, Status *status) {
    *net = (Network){.spec = spec};
    LayerText text = {.net = net, .status = status};
    while (next_layer(&line, &text))
        if (append_layer(net, &text)) return status->code;
    if (net->layer_count == 0)
        return status_set(status, STATUS_USAGE,
                          "cnn.layers is empty; write for example: conv:16:3 relu pool:2 dense:classes.");
    if (check_last(net, status)) return status->code;
    mark_sources(net);
    network_plan_relus(net);
    net->first_trained = net->layer_count;
    for (int i = 0; i < net->layer_count; i++)
        if (append_arrays(net, i, status)) return status->code;
    if (net->array_count == 0)
        return status_set(status, STATUS_USAGE,
                          "cnn.layers: no layer has anything to learn; end in dense:classes.");
    return STATUS_OK;
}
