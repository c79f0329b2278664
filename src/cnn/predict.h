/* The network in use: weights packed, batch norm with its running statistics folded in, no dropout. */
#ifndef PARDIGITS_CNN_PREDICT_H
#define PARDIGITS_CNN_PREDICT_H

#include "cnn/network.h"

#include "model/model.h"

/* Images that one thread works on at once. Images are cut into chunks by their place alone, so that the
 * results don't depend on who computes them. */
enum { PREDICT_CHUNK = 16 };

/* A layer in use. */
typedef struct {
    bool skipped;                /* it does nothing, or another layer does its work */
    bool relu;                   /* it also does the relu behind it */
    float *packed;               /* weights */
    float *params[LAYER_ARRAYS]; /* bias at 1; of a type with scale_in_use: factor, offset */
} LayerInUse;

typedef struct {
    const Network *net;
    LayerInUse layers[NETWORK_MAX_LAYERS];
} Predictor;

/* From params [param_floats] and statistics [statistic_floats], both copied. Freed by predictor_free. */
Predictor *predictor_new(const Network *net, const float *params, const float *statistics);
void predictor_free(Predictor **predictor);

/* Who predicts: the class probabilities are averaged over the members, which may see images preprocessed in
 * ways of their own, and over all whole-pixel shifts of the image by up to `shifts` in
 * x and y. */
typedef struct {
    int count, shifts;
    Predictor *const *members; /* [count] */
    char *const *preprocess;   /* [count] as of preprocess_images; NULL: the images as they are */
} Ensemble;

/* How many chunks n images make. */
int64_t predict_chunks(int64_t n);

/* Where predictions go. */
typedef struct {
    Prediction *best;     /* [chunks][count][PREDICT_CHUNK]: what the first 1, 2, ... count members say */
    float *probabilities; /* [chunks][PREDICT_CHUNK][classes] of all members; NULL: not wanted */
} ChunkPredictions;

/* Predicts the images of some chunks of images [n][height][width] into those chunks of out, with `threads`
 * threads. */
void ensemble_predict(const Ensemble *ensemble, int threads, const uint8_t *images, int64_t n, Range chunks,
                      ChunkPredictions out);

#endif
