/* Speed of a network's parts, for `pardigits bench`. STATUS_USAGE: run.model isn't cnn, or cnn.layers make no
 * network. */
#ifndef PARDIGITS_CNN_CNN_BENCH_H
#define PARDIGITS_CNN_CNN_BENCH_H

#include "core/config.h"
#include "model/model.h"
#include "parallel/allreduce.h"

#include <stdint.h>

enum { CNN_BENCH_MAX_LAYERS = 128 };

/* One layer with weights on one thread. Operations leave out multiplications by padding zeros. */
typedef struct {
    char text[32]; /* as written in cnn.layers */
    int height, width, channels;
    int images, images_back; /* at a time, forward and back */
    double forward_flops, backward_data_flops, backward_weights_flops;
} LayerRate;

/* The benches `kernels`, `comm` and `step` of the family. */
enum { CNN_BENCHES = 3 };
extern const ModelBench cnn_benches[CNN_BENCHES];

/* Measures the layers of cnn.layers with weights; images 0: as many at a time as training takes.
 * rates[CNN_BENCH_MAX_LAYERS]; *count is how many there are. */
StatusCode cnn_bench_layers(const Config *config, int images, LayerRate *rates, int *count, Status *status);

/* The gradients that nodes add up in a training step, and the integers that they travel as (cnn.sum_bits). */
StatusCode cnn_bench_gradient(const Config *config, int64_t *values, SumType *type, Status *status);

#endif
