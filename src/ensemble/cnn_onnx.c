#include "ensemble/cnn_onnx.h"

#include "cnn/cnn_options.h"
#include "cnn/network_onnx.h"
#include "cnn/state.h"
#include "ensemble/ensemble_options.h"
#include "ensemble/members_config.h"

#include "core/mem.h"
#include "model/onnx_notes.h"

#include <stdio.h>
#include <string.h>

enum { NAME = 2 * MEMBER_PREPROCESS };

static const char result[] = "probabilities";

/* By how many pixels cnn.test_shifts moves an image to either side. */
static int shifts_of(const Model *model) {
    return (int)cnn_options(model->config).test_shifts;
}

/* The images that it makes of one. */
static int shifted_images(const Model *model) {
    const int side = 2 * shifts_of(model) + 1;
    return side * side;
}

/* What the graph needs for shifts: filters of a convolution that copy one pixel each, as every program has
 * convolutions, and shapes. */
static void add_shift_constants(const Model *model, OnnxModel *onnx) {
    const int images = shifted_images(model), side = 2 * shifts_of(model) + 1;
    float *filters = mem_new((size_t)images * (size_t)images, sizeof *filters);
    for (int k = 0; k < images; k++)
        filters[k * images + k] = 1;
    onnx_constant(onnx, "shifts", (OnnxShape){4, {images, 1, side, side}}, filters);
    onnx_constant_ints(onnx, "images.shape", (const int64_t[]){-1, 1, model->spec.height, model->spec.width},
                       4);
    onnx_constant_ints(onnx, "answers.shape", (const int64_t[]){-1, images, model->spec.classes}, 3);
    mem_free(filters);
}

/* Makes all shifts of each image, one after another, with zeros from outside. */
static void add_shifts(const Model *model, const char *scaled, const char *shifted, OnnxModel *onnx) {
    const int shifts = shifts_of(model), side = 2 * shifts + 1;
    char channels[NAME + 16];
    snprintf(channels, sizeof channels, "%s.channels", shifted);
    OnnxNode *node = onnx_node(onnx, "Conv", (const char *const[]){scaled, "shifts", NULL}, channels);
    onnx_set_ints(node, "kernel_shape", (const int64_t[]){side, side}, 2);
    onnx_set_ints(node, "strides", (const int64_t[]){1, 1}, 2);
    onnx_set_ints(node, "pads", (const int64_t[]){shifts, shifts, shifts, shifts}, 4);
    onnx_node(onnx, "Reshape", (const char *const[]){channels, "images.shape", NULL}, shifted);
}

/* The mean over an image's shifts. OpenCV makes of a ReduceMean that keeps no dimension another shape, so a
 * Flatten takes it away. */
static void add_mean_of_shifts(const char *shifted, const char *out, OnnxModel *onnx) {
    char rows[NAME], mean[NAME];
    snprintf(rows, sizeof rows, "%.48s.rows", shifted);
    snprintf(mean, sizeof mean, "%.48s.mean", out);
    onnx_node(onnx, "Reshape", (const char *const[]){shifted, "answers.shape", NULL}, rows);
    OnnxNode *node = onnx_node(onnx, "ReduceMean", (const char *const[]){rows, NULL}, mean);
    onnx_set_ints(node, "axes", (const int64_t[]){1}, 1);
    onnx_set_int(node, "keepdims", 1);
    onnx_set_int(onnx_node(onnx, "Flatten", (const char *const[]){mean, NULL}, out), "axis", 1);
}

/* The tensor of a member's images in [0,1] and their shifts, from the graph's input of their preprocessing.
 */
static void add_input(const Model *model, const char *preprocess, OnnxModel *onnx, char seen[NAME]) {
    const char *all = config_text(model->config, "run.preprocess");
    const bool own = strcmp(preprocess, "none") != 0;
    const bool shifts = shifts_of(model) > 0;
    char input[NAME], key[NAME + 16], preprocessing[NAME], scaled[NAME];
    snprintf(input, sizeof input, "image%s%.32s", own ? "_" : "", own ? preprocess : "");
    snprintf(scaled, NAME, "%.48s.scaled", input);
    snprintf(seen, NAME, "%.48s.%s", input, shifts ? "shifted" : "scaled");
    if (!onnx_input(onnx, input, (OnnxShape){4, {-1, 1, model->spec.height, model->spec.width}})) return;
    snprintf(key, sizeof key, "preprocess.%s", input);
    snprintf(preprocessing, sizeof preprocessing, "%.28s%s%.28s", strcmp(all, "none") || !own ? all : "",
             own && strcmp(all, "none") ? ", then " : "", own ? preprocess : "");
    onnx_note(onnx, key, preprocessing);
    onnx_node(onnx, "Div", (const char *const[]){input, "white", NULL}, scaled);
    if (shifts) add_shifts(model, scaled, seen, onnx);
}

/* Member m of the configuration, to the tensor `out`. */
static StatusCode add_member(const Model *model, int m, const char *out, OnnxModel *onnx, Status *status) {
    const bool shifts = shifts_of(model) > 0;
    char preprocess[MEMBER_PREPROCESS], seen[NAME], root[MEMBER_ROOT], prefix[16], shifted[NAME];
    Network *net = members_network(model->config, model->spec, m, status);
    if (!net) return status->code;
    float *params = mem_new((size_t)net->param_floats, sizeof *params);
    float *statistics = mem_new((size_t)net->statistic_floats, sizeof *statistics);
    members_root(model->config, m, root);
    if (!train_state_read_model(model->file, root, net, params, statistics, status)) {
        add_input(model, members_preprocess(model->config, m, preprocess), onnx, seen);
        snprintf(prefix, sizeof prefix, "m%d.", m + 1);
        snprintf(shifted, sizeof shifted, "%.48s.shifted", out);
        network_to_onnx(net, params, statistics, prefix, seen, shifts ? shifted : out, onnx);
        if (shifts) add_mean_of_shifts(shifted, out, onnx);
    }
    mem_free(statistics);
    mem_free(params);
    mem_free(net);
    return status->code;
}

/* Adds member number k of `count` to the sum of those before it; the last one ends it as their mean. */
static void add_to_mean(int k, int64_t count, const char *member, OnnxModel *onnx) {
    char before[32], sum[32];
    if (k == 0) return;
    snprintf(before, sizeof before, k == 1 ? "member1" : "sum%d", k);
    snprintf(sum, sizeof sum, "sum%d", k + 1);
    onnx_node(onnx, "Add", (const char *const[]){before, member, NULL}, sum);
    if (k + 1 < count) return;
    onnx_constant(onnx, "members", (OnnxShape){1, {1}}, &(float){(float)count});
    onnx_node(onnx, "Div", (const char *const[]){sum, "members", NULL}, result);
}

static StatusCode add_members(const Model *model, OnnxModel *onnx, Status *status) {
    const int64_t all = ensemble_options(model->config).members;
    int64_t count;
    if (members_count(model->file, model->config, &count, status)) return status->code;
    for (int m = 0, k = 0; m < all && k < count && !status->code; m++) {
        char root[MEMBER_ROOT], name[32];
        members_root(model->config, m, root);
        if (!h5_exists(model->file, root)) continue;
        snprintf(name, sizeof name, "member%d", k + 1);
        add_member(model, m, count > 1 ? name : result, onnx, status);
        add_to_mean(k++, count, name, onnx);
    }
    return status->code;
}

StatusCode cnn_onnx_write(const Model *model, const Context *context, const char *path, Status *status) {
    OnnxModel *onnx = onnx_create(NETWORK_ONNX_OPSET);
    onnx_constant(onnx, "white", (OnnxShape){1, {1}}, &(float){255});
    if (shifts_of(model) > 0) add_shift_constants(model, onnx);
    if (!add_members(model, onnx, status)) {
        onnx_output(onnx, result, ONNX_FLOAT, (OnnxShape){2, {-1, model->spec.classes}});
        onnx_note_model(onnx, model, context, path, status);
        onnx_write(onnx, path, status);
    }
    onnx_destroy(&onnx);
    return status->code;
}
