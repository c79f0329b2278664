/* Which layer computes each relu. Most relus cost a pass over memory of their own unless a layer beside them
 * does their work along with its own. */
#include "cnn/network.h"

/* A source's output must stay as it is for the layer that takes it later. */
static bool works_in_place(const Network *net, int i) {
    return net->layers[i].type->in_place && !(i > 0 && net->layers[i - 1].is_source);
}

/* The layer that does the work of relu i on the way forward; -1: none. One that also takes the gradient
 * through it comes first. */
static int fused_layer(const Network *net, int i) {
    enum { BOTH_WAYS = RELU_BEHIND | RELU_BEHIND_BACK };
    const Layer *relu = &net->layers[i];
    const bool source_before = i > 0 && relu[-1].is_source;
    const int before = i > 0 && !source_before ? relu[-1].type->relu : 0;
    if ((before & BOTH_WAYS) == BOTH_WAYS) return i - 1;
    const bool in_between = !source_before && !relu->is_source && i + 1 < net->layer_count;
    if (in_between && relu[1].type->relu & RELU_AHEAD) return i + 1;
    return before & RELU_BEHIND ? i - 1 : -1;
}

static void plan_relu(Network *net, int i) {
    Layer *relu = &net->layers[i];
    const int fused = fused_layer(net, i);
    if (fused < 0) return;
    relu->relu_is_done = true;
    net->layers[fused].does_relu = true;
    if (net->layers[fused].type->relu & RELU_BEHIND_BACK) {
        relu->relu_gradient_is_done = true;
    } else if (i + 1 < net->layer_count && relu[1].type->relu & RELU_MASK && !relu->is_source) {
        relu->relu_gradient_is_done = true;
        relu[1].masks_input_gradient = true;
    }
}

void network_plan_relus(Network *net) {
    for (int i = 0; i < net->layer_count; i++) {
        net->layers[i].in_place = works_in_place(net, i);
        if (net->layers[i].type->is_relu) plan_relu(net, i);
    }
}
