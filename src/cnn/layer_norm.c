/* bn: batch norm, with the statistics of the micro-batch in training and running ones in use. */
#include "cnn/layer.h"
#include "cnn/network.h"

#include <math.h>
#include <stdio.h>

enum { SCALE, SHIFT };

static const LayerStatistic statistics[] = {{"mean", 0, -INFINITY}, {"variance", 1, 0}};

static LayerArray array(const Layer *layer, int k, bool has_bias) {
    (void)has_bias;
    const H5Shape shape = {1, {layer->in.channels}};
    return k == SCALE ? (LayerArray){"scale", shape, false, 1} : (LayerArray){"shift", shape, false, 0};
}

/* The mean and the inverse deviation. */
static int64_t kept_floats(const Layer *layer) {
    return 2 * (int64_t)layer->in.channels;
}

/* The variance is gathered where the running one is fed from. */
static Norm norm_of(const LayerPass *pass) {
    const int channels = pass->layer->in.channels;
    return (Norm){
        .channels = channels,
        .scale = pass->params[SCALE],
        .shift = pass->params[SHIFT],
        .mean = pass->kept,
        .variance = pass->statistics + channels,
        .inv_std = pass->kept + channels,
        .scale_grad = pass->param_gradients[SCALE],
        .shift_grad = pass->param_gradients[SHIFT],
    };
}

static int64_t rows_of(const Layer *layer, int images) {
    return (int64_t)images * layer->in.height * layer->in.width;
}

static int64_t work_floats(const Layer *layer, int n) {
    return norm_block_floats(layer->in.channels, rows_of(layer, n));
}

static void gather(const LayerPass *pass) {
    const Norm norm = norm_of(pass);
    norm_find_moments(&norm, layer_pass_rows(pass), pass->in, pass->work);
}

static void add_gathered(const LayerPass *pass) {
    const Norm norm = norm_of(pass);
    norm_add_moments(&norm, rows_of(pass->layer, pass->first), layer_pass_rows(pass), pass->work);
}

/* Leaves mean and unbiased variance, weighted by the images, for the running statistics. */
static void gathered(const LayerPass *pass) {
    const Norm norm = norm_of(pass);
    const int64_t rows = rows_of(pass->layer, pass->all);
    float *mean = pass->statistics, *variance = norm.variance;
    norm_finish_moments(&norm, rows, NORM_EPSILON);
    float weight = (float)(NETWORK_STATISTIC_UNIT * pass->all / pass->micro_batch);
    float unbiased = rows > 1 ? (float)((double)rows / (double)(rows - 1)) : 1;
    for (int c = 0; c < norm.channels; c++) {
        mean[c] = norm.mean[c] * weight;
        variance[c] = variance[c] * unbiased * weight;
    }
}

static void forward(const LayerPass *pass) {
    const Norm norm = norm_of(pass);
    norm_forward(&norm, layer_pass_rows(pass), pass->in, pass->relu, pass->out);
}

static void gather_back(const LayerPass *pass) {
    const Norm norm = norm_of(pass);
    norm_find_gradients(&norm, layer_pass_rows(pass), pass->in, pass->layer->does_relu ? pass->out : NULL,
                        pass->gradient, pass->work);
}

static void add_gathered_back(const LayerPass *pass) {
    const Norm norm = norm_of(pass);
    norm_add_gradients(&norm, rows_of(pass->layer, pass->first), layer_pass_rows(pass), pass->work);
}

static void gathered_back(const LayerPass *pass) {
    const Norm norm = norm_of(pass);
    norm_finish_gradients(&norm);
}

static void backward(const LayerPass *pass) {
    const Norm norm = norm_of(pass);
    norm_backward(&norm, rows_of(pass->layer, pass->all), layer_pass_rows(pass), pass->in, pass->gradient);
}

/* factor = scale / sqrt(variance + epsilon), offset = shift - mean * factor */
static void scale_in_use(const Layer *layer, const float *const params[LAYER_ARRAYS], const float *running,
                         float *factor, float *offset) {
    const int channels = layer->in.channels;
    const float *mean = running, *variance = mean + channels;
    for (int c = 0; c < channels; c++) {
        factor[c] = params[SCALE][c] / sqrtf(variance[c] + NORM_EPSILON);
        offset[c] = params[SHIFT][c] - mean[c] * factor[c];
    }
}

static void forward_in_use(const LayerPass *pass) {
    norm_apply(layer_pass_rows(pass), pass->layer->in.channels, pass->in, pass->params[0], pass->params[1],
               pass->out);
    if (pass->relu) relu_forward(pass->n * tensor_values(pass->layer->out), pass->out, pass->out);
}

static void to_onnx(const LayerOnnx *to) {
    const int channels = to->layer->in.channels;
    const float *const arrays[] = {to->params[SCALE], to->params[SHIFT], to->statistics,
                                   to->statistics + channels};
    static const char *const names[] = {"scale", "shift", "mean", "variance"};
    char name[4][LAYER_ONNX_NAME];
    for (int k = 0; k < 4; k++) {
        snprintf(name[k], sizeof name[k], "%s.%s", to->out, names[k]);
        onnx_constant(to->model, name[k], (OnnxShape){1, {channels}}, arrays[k]);
    }
    OnnxNode *node =
        onnx_node(to->model, "BatchNormalization",
                  (const char *const[]){to->in, name[0], name[1], name[2], name[3], NULL}, to->out);
    onnx_set_real(node, "epsilon", NORM_EPSILON);
}

const LayerType layer_norm = {
    .word = "bn",
    .form = "bn",
    .min_fields = 1,
    .max_fields = 1,
    .relu = RELU_BEHIND | RELU_BEHIND_BACK,
    .gradient_in_place = true,
    .centres = true,
    .statistics = statistics,
    .statistic_count = 2,
    .array = array,
    .kept_floats = kept_floats,
    .work_floats = work_floats,
    .forward = forward,
    .backward = backward,
    .gather = gather,
    .add_gathered = add_gathered,
    .gathered = gathered,
    .gather_back = gather_back,
    .add_gathered_back = add_gathered_back,
    .gathered_back = gathered_back,
    .scale_in_use = scale_in_use,
    .forward_in_use = forward_in_use,
    .to_onnx = to_onnx,
};
