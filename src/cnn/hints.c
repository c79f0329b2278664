#include "cnn/hints.h"

#include "core/integers.h"
#include "model/class_weights.h"

#include <math.h>
#include <string.h>

/* Fewer steps than this train hardly anything. */
enum { FEW_STEPS = 50 };

static void log_steps(const CnnOptions *options, int64_t images, int64_t steps, Log *log) {
    if (options->batch > images)
        log_line(
            log,
            "hint: cnn.batch = %lld is more than the %lld training image%s, so an epoch is a single step; "
            "lower cnn.batch.",
            (long long)options->batch, (long long)images, images == 1 ? "" : "s");
    else if (steps < FEW_STEPS)
        log_line(log,
                 "hint: the whole run is %lld steps, which train hardly anything; raise cnn.epochs or lower "
                 "cnn.batch.",
                 (long long)steps);
}

/* A key whose value is beyond what images of this size bear. The bounds are round figures, at least twice
 * what configs/ have; nothing but a hint depends on them. */
static void log_strength(const char *key, double value, double most, const char *effect, Log *log) {
    if (value > most)
        log_line(log, "hint: %s = %g is strong for these images: %s; %g is a lot already.", key, value,
                 effect, most);
}

/* Batch norm of a single value leaves nothing of it: the value less its mean. */
static void log_single_values(const CnnOptions *options, const Network *net, Log *log) {
    if (options->micro_batch > 1) return;
    for (int i = 0; i < net->layer_count; i++) {
        const Layer *layer = &net->layers[i];
        if (!layer->type->centres || layer->out.height * layer->out.width > 1) continue;
        log_line(log,
                 "hint: with cnn.micro_batch = 1 %s is the same for every image in training, so nothing "
                 "before it learns; raise cnn.micro_batch.",
                 layer->name);
        return;
    }
}

void cnn_log_hints(const CnnOptions *options, const Network *net, int64_t images, int64_t steps, Log *log) {
    const double side = (double)smaller(net->spec.height, net->spec.width);
    log_single_values(options, net, log);
    if (options->lr == 0) log_line(log, "hint: cnn.lr = 0 leaves the weights as they are; raise cnn.lr.");
    log_steps(options, images, steps, log);
    log_strength("cnn.shift", options->shift, side / 6, "strokes leave the image", log);
    log_strength("cnn.elastic", options->elastic, side / 12, "strokes are torn", log);
    log_strength("cnn.rotate", options->rotate, 45, "one class may look like another", log);
    log_strength("cnn.shear", options->shear, 40, "one class may look like another", log);
    log_strength("cnn.zoom", options->zoom, 0.4, "strokes leave the image or nearly vanish", log);
}

void cnn_log_hint_of_nodes(const CnnOptions *options, const Comm *node, const Comm *ranks, Log *log) {
    if (comm_size(node) < comm_size(ranks) && cnn_sum_bits(options) == 64)
        log_line(log, "hint: gradients travel between hosts as sums of 64 bits; over a slow network "
                      "cnn.sum_bits = 32 or 16 is faster.");
}

/* Of one who knows how frequent each class is (equally, where weights make them so), and nothing of the
 * image: the best loss, and accuracy. */
typedef struct {
    double loss, accuracy;
} Guess;

static Guess guess(const uint64_t *counts, int classes, bool weighted) {
    Guess result = {0, 0};
    uint64_t sum = 0, present = 0;
    for (int c = 0; c < classes; c++) {
        sum += counts[c];
        present += counts[c] > 0;
    }
    for (int c = 0; c < classes; c++) {
        const double share = (double)counts[c] / (double)sum;
        if (share > 0) result.loss -= share * log(share);
        if (share > result.accuracy) result.accuracy = share;
    }
    if (weighted) result.loss = log((double)present);
    return result;
}

void cnn_log_hint_of_result(const CnnOptions *options, const TrainJob *job, double loss, double accuracy,
                            int64_t steps) {
    uint64_t counts[CLASSES_MAX];
    train_job_count_classes(job, counts);
    const Guess blind = guess(counts, job->spec.classes, class_weights_given(options->class_weights));
    if (steps < FEW_STEPS || options->lr == 0 || blind.loss == 0 || loss < 0.98 * blind.loss ||
        accuracy > 1.5 * blind.accuracy)
        return;
    log_line(
        job->log,
        "hint: the network has learned nothing: its loss in training, %.4f, isn't below that of a guess, "
        "%.4f; lower cnn.lr (%g), and look at the images and labels with `pardigits show`.",
        loss, blind.loss, options->lr);
}

const char *cnn_divergence_advice(const CnnOptions *options) {
    if (!class_weights_given(options->class_weights)) return "lower cnn.lr";
    return strcmp(options->class_weights, "balanced")
               ? "lower cnn.lr or the largest weights of cnn.class_weights, or raise cnn.micro_batch"
               : "lower cnn.lr or raise cnn.micro_batch: balanced cnn.class_weights of classes with few "
                 "images are large";
}
