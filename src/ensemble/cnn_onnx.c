#include "ensemble/cnn_onnx.h"

#include "cnn/network_onnx.h"
#include "cnn/state.h"
#include "ensemble/ensemble_options.h"
#include "ensemble/members.h"

#include "core/mem.h"
#include "model/onnx_notes.h"

#include <stdio.h>
#include <string.h>

enum { NAME = 2 * MEMBER_PREPROCESS };

static const char result[] = "probabilities";

/* The tensor of a member's images in [0,1], from the graph's input of their preprocessing. */
static void add_input(const Model *model, const char *preprocess, OnnxModel *onnx, char scaled[NAME]) {
    const char *all = config_text(model->config, "run.preprocess");
    const bool own = strcmp(preprocess, "none") != 0;
    char input[NAME], key[NAME + 16], ways[NAME];
    snprintf(input, sizeof input, "image%s%.32s", own ? "_" : "", own ? preprocess : "");
    snprintf(scaled, NAME, "%.48s.scaled", input);
    if (!onnx_input(onnx, input, (OnnxShape){4, {-1, 1, model->spec.height, model->spec.width}})) return;
    snprintf(key, sizeof key, "preprocess.%s", input);
    snprintf(ways, sizeof ways, "%.28s%s%.28s", strcmp(all, "none") || !own ? all : "",
             own && strcmp(all, "none") ? ", then " : "", own ? preprocess : "");
    onnx_note(onnx, key, ways);
    onnx_node(onnx, "Div", (const char *const[]){input, "white", NULL}, scaled);
}

/* Member m of the configuration, to the tensor `out`. */
static StatusCode add_member(const Model *model, int m, const char *out, OnnxModel *onnx, Status *status) {
    char preprocess[MEMBER_PREPROCESS], scaled[NAME], root[MEMBER_ROOT], prefix[16];
    Network *net = members_network(model->config, model->spec, m, status);
    if (!net) return status->code;
    float *params = mem_new((size_t)net->param_floats, sizeof *params);
    float *statistics = mem_new((size_t)net->statistic_floats, sizeof *statistics);
    members_root(model->config, m, root);
    if (!train_state_read_model(model->file, root, net, params, statistics, status)) {
        add_input(model, members_preprocess(model->config, m, preprocess), onnx, scaled);
        snprintf(prefix, sizeof prefix, "m%d.", m + 1);
        network_to_onnx(net, params, statistics, prefix, scaled, out, onnx);
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
    if (!add_members(model, onnx, status)) {
        onnx_output(onnx, result, ONNX_FLOAT, (OnnxShape){2, {-1, model->spec.classes}});
        onnx_note_model(onnx, model, context, path, status);
        onnx_write(onnx, path, status);
    }
    onnx_destroy(&onnx);
    return status->code;
}
