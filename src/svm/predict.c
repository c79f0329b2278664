#include "svm/model.h"

#include "core/mem.h"
#include "svm/probability.h"

#include <math.h>

enum {
    TILE = 32,    /* images that a thread predicts together: their kernel values fit the second-level cache */
    CHUNK = 1024, /* support vectors that are multiplied at a time */
};

/* A thread's work memory. */
typedef struct {
    int32_t *dots;  /* [TILE][CHUNK] */
    float *row;     /* [CHUNK] kernel values of one image */
    float *kernels; /* [n][TILE] */
} Work;

static Work work_new(int64_t n) {
    return (Work){mem_new((size_t)TILE * CHUNK, sizeof(int32_t)), mem_new(CHUNK, sizeof(float)),
                  mem_new((size_t)n * TILE, sizeof(float))};
}

static void work_free(Work *work) {
    mem_free(work->dots);
    mem_free(work->row);
    mem_free(work->kernels);
}

/* K between `count` images and all support vectors, by support vector; what stands for images beyond count is
 * never used. */
static void fill_kernels(const SvmModel *model, const PixRows *images, const double *inverses, int64_t first,
                         int count, Work *work) {
    const SvmLengths given = {images->norms, inverses}, all = {model->packed.norms, model->inverses};
    for (int64_t s = 0; s < model->n; s += CHUNK) {
        int64_t support = model->n - s < CHUNK ? model->n - s : CHUNK;
        pixdot_block(images, first, count, &model->packed, s, support, work->dots, CHUNK);
        for (int i = 0; i < count; i++) {
            svm_kernel_values(&model->kernel, svm_lengths_from(given, first + i), svm_lengths_from(all, s),
                              work->dots + i * CHUNK, work->row, support);
            for (int64_t k = 0; k < support; k++)
                work->kernels[(s + k) * TILE + i] = work->row[k];
        }
    }
}

/* Decision values of one pair: each image's sum runs in the order of support vectors. */
static void decide(const SvmPair *pair, const float *kernels, double sums[TILE]) {
    for (int i = 0; i < TILE; i++)
        sums[i] = -pair->rho;
    for (int64_t s = 0; s < pair->support_count; s++) {
        const float *restrict k = kernels + (int64_t)pair->support[s] * TILE;
        double coefficient = pair->coefficient[s];
        for (int i = 0; i < TILE; i++)
            sums[i] += coefficient * (double)k[i];
    }
}

static Prediction most_voted(const SvmModel *model, const int votes[CLASSES]) {
    int best = model->classes[0];
    for (int c = 1; c < model->class_count; c++)
        if (votes[model->classes[c]] > votes[best]) best = model->classes[c];
    return (Prediction){(uint8_t)best, (float)votes[best] / (float)(model->class_count - 1)};
}

/* The probability of a digit, from the decision values of all pairs. */
static float confidence(const SvmModel *model, const double decision[SVM_PAIRS], int digit) {
    const double least = 1e-7; /* as in LIBSVM: no pair is ever certain */
    double between[CLASSES][CLASSES] = {{0}}, probability[CLASSES];
    int place = 0;
    for (int i = 0; i < model->class_count; i++) {
        if (model->classes[i] == digit) place = i;
        for (int j = i + 1; j < model->class_count; j++) {
            int a = model->classes[i], b = model->classes[j];
            int number = a < b ? svm_pair_number(a, b) : svm_pair_number(b, a);
            const SvmPair *pair = &model->pairs[number];
            double p = svm_sigmoid(decision[number], pair->slope, pair->offset);
            p = fmin(fmax(p, least), 1 - least);
            between[i][j] = a < b ? p : 1 - p;
            between[j][i] = 1 - between[i][j];
        }
    }
    svm_couple(model->class_count, between, probability);
    return (float)probability[place];
}

static void predict_tile(const SvmModel *model, const PixRows *images, const double *inverses, int64_t first,
                         int count, Work *work, Prediction *out) {
    int votes[TILE][CLASSES] = {0};
    double decision[TILE][SVM_PAIRS];
    fill_kernels(model, images, inverses, first, count, work);
    for (int p = 0; p < SVM_PAIRS; p++) {
        if (!model->pairs[p].solved) continue;
        int a, b;
        double sums[TILE];
        svm_pair_classes(p, &a, &b);
        decide(&model->pairs[p], work->kernels, sums);
        for (int i = 0; i < count; i++) {
            votes[i][sums[i] > 0 ? a : b]++;
            decision[i][p] = sums[i];
        }
    }
    for (int i = 0; i < count; i++) {
        out[i] = most_voted(model, votes[i]);
        if (model->calibrated) out[i].confidence = confidence(model, decision[i], out[i].label);
    }
}

void svm_model_predict(const SvmModel *model, const Context *context, const ImageSet *images,
                       Prediction *out) {
    const Comm *comm = context->comm;
    const int64_t n = images->n;
    Range mine = partition_range(n, comm_size(comm), comm_rank(comm));
    uint8_t *seen = svm_model_features(model, images->images + mine.begin * IMAGE_PIXELS, range_size(mine));
    PixRows packed = pix_rows_new(seen, range_size(mine), IMAGE_PIXELS);
    mem_free(seen);
    double *inverses = svm_kernel_inverses(&model->kernel, packed.norms, packed.rows);
#pragma omp parallel num_threads(context->threads)
    {
        Work work = work_new(model->n);
#pragma omp for schedule(dynamic)
        for (int64_t first = 0; first < packed.rows; first += TILE) {
            int count = packed.rows - first < TILE ? (int)(packed.rows - first) : TILE;
            predict_tile(model, &packed, inverses, first, count, &work, out + mine.begin + first);
        }
        work_free(&work);
    }
    mem_free(inverses);
    pix_rows_free(&packed);
    comm_share_rows(comm, out, n, sizeof *out);
}
