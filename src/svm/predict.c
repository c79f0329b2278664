#include "svm/model.h"

#include "core/mem.h"
#include "svm/probability.h"

#include <math.h>
#include <string.h>

enum {
    TILE = 32,    /* images that a thread predicts together: their kernel values fit the second-level cache */
    CHUNK = 1024, /* support vectors that are multiplied at a time */
};

/* A thread's work memory. */
typedef struct {
    int32_t *dots;     /* [TILE][CHUNK] */
    float *row;        /* [CHUNK] kernel values of one image */
    float *kernels;    /* [n][TILE] */
    int *votes;        /* [TILE][classes] */
    double *decisions; /* [TILE][pairs] */
    /* of a calibrated model: the probabilities of an image's k classes in pairs [k][k], svm_couple's memory
     */
    double *between, *coupling;
} Work;

static Work work_new(const SvmModel *model) {
    const size_t classes = (size_t)model->spec.classes,
                 k = model->calibrated ? (size_t)model->class_count : 0;
    Work work = {.dots = mem_new((size_t)TILE * CHUNK, sizeof(int32_t)),
                 .row = mem_new(CHUNK, sizeof(float))};
    work.kernels = mem_new((size_t)model->n * TILE, sizeof(float));
    work.votes = mem_new(TILE * classes, sizeof(int));
    work.decisions = mem_new(TILE * (size_t)model->pairs.count, sizeof(double));
    work.between = mem_new(k * k, sizeof(double));
    work.coupling = mem_new((size_t)svm_couple_work((int)k), sizeof(double));
    return work;
}

static void work_free(Work *work) {
    mem_free(work->dots);
    mem_free(work->row);
    mem_free(work->kernels);
    mem_free(work->votes);
    mem_free(work->decisions);
    mem_free(work->between);
    mem_free(work->coupling);
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

static int most_voted(const SvmModel *model, const int *votes) {
    int best = model->classes[0];
    for (int c = 1; c < model->class_count; c++)
        if (votes[model->classes[c]] > votes[best]) best = model->classes[c];
    return best;
}

/* The confidence of a model without fitted probabilities: each pair's decision value is taken as log odds in
 * units of 1/SLOPE, and the pairs of the class are coupled as by Price, Knerr, Personnaz, Dreyfus, "Pairwise
 * neural network classifiers with probabilistic outputs", NIPS 7, 1995. SLOPE: the likeliest for
 * configs/svm.ini on the last 10,000 training images, held out. */
static float margin_confidence(const SvmModel *model, const double *decision, int label) {
    const double SLOPE = 6;
    double odds_against = 0;
    for (int c = 0; c < model->class_count; c++) {
        const int other = model->classes[c];
        if (other == label) continue;
        int sign;
        const int pair = svm_pair_between(model->spec.classes, other, label, &sign);
        odds_against += exp(SLOPE * (sign * decision[pair]));
    }
    return (float)(1 / (1 + odds_against));
}

/* The probability of a class, from an image's decision values of all pairs; those of all classes
 * [spec.classes] too, if wanted. */
static float coupled_confidence(const SvmModel *model, const double *decision, const Work *work, int label,
                                float *all) {
    const double least = 1e-7; /* as in LIBSVM: no pair is ever certain */
    const int k = model->class_count, classes = model->spec.classes;
    double probability[CLASSES_MAX];
    int place = 0;
    for (int i = 0; i < k; i++) {
        if (model->classes[i] == label) place = i;
        for (int j = i + 1; j < k; j++) {
            int sign;
            const int number = svm_pair_between(classes, model->classes[i], model->classes[j], &sign);
            const SvmPair *pair = &model->pairs.items[number];
            double p = svm_sigmoid(decision[number], pair->slope, pair->offset);
            p = fmin(fmax(p, least), 1 - least);
            work->between[i * k + j] = sign > 0 ? p : 1 - p;
            work->between[j * k + i] = 1 - work->between[i * k + j];
        }
    }
    svm_couple(k, work->between, work->coupling, probability);
    if (all) memset(all, 0, (size_t)classes * sizeof *all);
    for (int i = 0; all && i < k; i++)
        all[model->classes[i]] = (float)probability[i];
    return (float)probability[place];
}

static void predict_tile(const SvmModel *model, const PixRows *images, const double *inverses, int64_t first,
                         int count, Work *work, SvmPredictions out) {
    const int classes = model->spec.classes, pairs = model->pairs.count;
    memset(work->votes, 0, (size_t)(TILE * classes) * sizeof *work->votes);
    fill_kernels(model, images, inverses, first, count, work);
    for (int p = 0; p < pairs; p++) {
        int a, b;
        double sums[TILE];
        if (!model->pairs.items[p].solved) {
            for (int i = 0; i < count; i++)
                work->decisions[i * (int64_t)pairs + p] = NAN;
            continue;
        }
        svm_pair_classes(classes, p, &a, &b);
        decide(&model->pairs.items[p], work->kernels, sums);
        for (int i = 0; i < count; i++) {
            work->votes[i * classes + (sums[i] > 0 ? a : b)]++;
            work->decisions[i * (int64_t)pairs + p] = sums[i];
        }
    }
    for (int i = 0; i < count; i++) {
        const double *decision = work->decisions + i * (int64_t)pairs;
        const int label = most_voted(model, work->votes + i * classes);
        float *all = out.probabilities ? out.probabilities + i * classes : NULL;
        out.best[i] = (Prediction){(uint8_t)label, model->calibrated
                                                       ? coupled_confidence(model, decision, work, label, all)
                                                       : margin_confidence(model, decision, label)};
    }
    if (out.decisions)
        memcpy(out.decisions, work->decisions, (size_t)count * (size_t)pairs * sizeof *out.decisions);
}

/* Image i and the following ones. */
static SvmPredictions predictions_from(const SvmModel *model, SvmPredictions all, int64_t i) {
    return (SvmPredictions){all.best + i,
                            all.probabilities ? all.probabilities + i * model->spec.classes : NULL,
                            all.decisions ? all.decisions + i * model->pairs.count : NULL};
}

void svm_model_predict(const SvmModel *model, const Context *context, const ImageSet *images,
                       SvmPredictions out) {
    const Comm *comm = context->comm;
    const int64_t n = images->n;
    Range mine = partition_range(n, comm_size(comm), comm_rank(comm));
    const int64_t pixels = image_spec_pixels(model->spec);
    uint8_t *seen =
        svm_model_features(model, images->images + mine.begin * pixels, range_size(mine), context->threads);
    PixRows packed = pix_rows_new(seen, range_size(mine), (int)pixels);
    mem_free(seen);
    double *inverses = svm_kernel_inverses(&model->kernel, packed.norms, packed.rows);
#pragma omp parallel num_threads(context->threads)
    {
        Work work = work_new(model);
#pragma omp for schedule(dynamic)
        for (int64_t first = 0; first < packed.rows; first += TILE) {
            int count = packed.rows - first < TILE ? (int)(packed.rows - first) : TILE;
            predict_tile(model, &packed, inverses, first, count, &work,
                         predictions_from(model, out, mine.begin + first));
        }
        work_free(&work);
    }
    mem_free(inverses);
    pix_rows_free(&packed);
    comm_share_rows(comm, out.best, n, sizeof *out.best);
    if (out.probabilities)
        comm_share_rows(comm, out.probabilities, n, model->spec.classes * (int64_t)sizeof(float));
    if (out.decisions) comm_share_rows(comm, out.decisions, n, model->pairs.count * (int64_t)sizeof(double));
}
