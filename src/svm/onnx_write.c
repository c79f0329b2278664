#include "svm/svm_onnx.h"

#include "core/integers.h"
#include "core/mem.h"
#include "model/onnx.h"
#include "model/onnx_notes.h"
#include "svm/model.h"

#include <math.h>

enum { OPSET = 11, ML_OPSET = 1 };

static const char ml_domain[] = "ai.onnx.ml";

static const char unordered[] = "scores_of_labels"; /* in the order of the model's classes */

static bool is_in_order(const SvmModel *model) {
    for (int k = 1; k < model->class_count; k++)
        if (model->classes[k] < model->classes[k - 1]) return false;
    return true;
}

static const char *scores_name(const SvmModel *model) {
    return is_in_order(model) ? "scores" : unordered;
}

/* Support vectors by class, in the order of the model's classes: row[n]; vectors_per_class [class_count]. */
static int32_t *sort_support(const SvmModel *model, int64_t *vectors_per_class) {
    int32_t *row = mem_new((size_t)model->n, sizeof *row);
    int64_t count = 0;
    for (int c = 0; c < model->class_count; c++) {
        const int64_t first = count;
        for (int64_t k = 0; k < model->n; k++)
            if (model->labels[k] == model->classes[c]) row[count++] = (int32_t)k;
        vectors_per_class[c] = count - first;
    }
    return row;
}

/* [n][pixels] as the kernel sees them: in [0,1], or of length 1. */
static float *support_vectors(const SvmModel *model, const int32_t *row) {
    const int pixels = image_spec_pixels(model->spec);
    float *out = mem_new((size_t)(model->n * pixels), sizeof *out);
    for (int64_t k = 0; k < model->n; k++) {
        const uint8_t *image = model->images + (int64_t)row[k] * pixels;
        double length = 255;
        if (model->kernel.normalize) {
            int64_t norm = 0;
            for (int p = 0; p < pixels; p++)
                norm += image[p] * image[p];
            length = norm ? sqrt((double)norm) : 1;
        }
        for (int p = 0; p < pixels; p++)
            out[k * pixels + p] = (float)(image[p] / length);
    }
    return out;
}

/* LIBSVM's layout [class_count - 1][n]: for a support vector of class i its coefficients against the other
 * classes in their order. */
static float *coefficients(const SvmModel *model, const int32_t *row) {
    const int64_t n = larger(model->n, 0); /* tells the compiler that it is no size beyond memory */
    float *out = mem_new((size_t)n, (size_t)model->class_count * sizeof *out);
    int64_t *place = mem_new((size_t)n, sizeof *place);
    for (int64_t k = 0; k < n; k++)
        place[row[k]] = k;
    for (int i = 0; i < model->class_count; i++)
        for (int j = i + 1; j < model->class_count; j++) {
            int sign;
            const SvmPair *pair = svm_pair_of(model, i, j, &sign);
            for (int64_t s = 0; s < pair->support_count; s++) {
                const int32_t vector = pair->support[s];
                const bool of_first = model->labels[vector] == model->classes[i];
                out[(of_first ? j - 1 : i) * n + place[vector]] = (float)(sign * pair->coefficient[s]);
            }
        }
    mem_free(place);
    return out;
}

/* Whether the probabilities are a sigmoid of the one decision value. SVMClassifier would look for those of
 * two classes by steps, as it does for more, and end up to 0.005 away from it. */
static bool has_sigmoid(const SvmModel *model) {
    return model->calibrated && model->class_count == 2;
}

/* A number of each pair, in the order of classes. */
static void set_pairs(OnnxNode *node, const SvmModel *model) {
    const int pairs = svm_pair_count(model->class_count);
    float *rho = mem_new((size_t)pairs, sizeof *rho), *a = mem_new((size_t)pairs, sizeof *a),
          *b = mem_new((size_t)pairs, sizeof *b);
    for (int i = 0, p = 0; i < model->class_count; i++)
        for (int j = i + 1; j < model->class_count; j++, p++) {
            int sign;
            const SvmPair *pair = svm_pair_of(model, i, j, &sign);
            rho[p] = (float)(-sign * pair->rho); /* ONNX adds it */
            a[p] = (float)pair->slope;
            b[p] = (float)(sign * pair->offset);
        }
    onnx_set_reals(node, "rho", rho, pairs);
    if (model->calibrated && !has_sigmoid(model)) {
        onnx_set_reals(node, "prob_a", a, pairs);
        onnx_set_reals(node, "prob_b", b, pairs);
    }
    mem_free(rho);
    mem_free(a);
    mem_free(b);
}

static void set_kernel(OnnxNode *node, const SvmKernel *kernel) {
    static const char *const names[] = {[SVM_RBF] = "RBF", [SVM_POLY] = "POLY", [SVM_LINEAR] = "LINEAR"};
    onnx_set_text(node, "kernel_type", names[kernel->type]);
    onnx_set_reals(node, "kernel_params",
                   (const float[]){(float)kernel->gamma, (float)kernel->coef0, (float)kernel->degree}, 3);
    onnx_set_text(node, "post_transform", "NONE");
}

static void add_classifier(OnnxModel *onnx, const SvmModel *model) {
    int64_t labels[CLASSES_MAX], vectors_per_class[CLASSES_MAX];
    int32_t *row = sort_support(model, vectors_per_class);
    float *vectors = support_vectors(model, row), *dual = coefficients(model, row);
    OnnxNode *node = onnx_node(onnx, "SVMClassifier", (const char *const[]){"seen", NULL}, "label");
    onnx_node_domain(node, ml_domain);
    onnx_node_output(node, has_sigmoid(model) ? "decisions" : scores_name(model));
    for (int c = 0; c < model->class_count; c++)
        labels[c] = model->classes[c];
    onnx_set_ints(node, "classlabels_ints", labels, model->class_count);
    onnx_set_ints(node, "vectors_per_class", vectors_per_class, model->class_count);
    onnx_set_reals(node, "support_vectors", vectors, model->n * image_spec_pixels(model->spec));
    onnx_set_reals(node, "coefficients", dual, (model->class_count - 1) * model->n);
    set_kernel(node, &model->kernel);
    set_pairs(node, model);
    mem_free(dual);
    mem_free(vectors);
    mem_free(row);
}

/* The probabilities of two classes from minus their decision value d and d: 1 / (1 + exp(A d + B)) and 1
 * minus that. */
static void add_sigmoid(OnnxModel *onnx, const SvmModel *model) {
    int sign;
    const SvmPair *pair = svm_pair_of(model, 0, 1, &sign);
    const float slope = (float)pair->slope, offset = (float)(sign * pair->offset);
    onnx_constant(onnx, "A", (OnnxShape){1, {1}}, &slope);
    onnx_constant(onnx, "B", (OnnxShape){1, {2}}, (const float[]){-offset, offset});
    onnx_node(onnx, "Mul", (const char *const[]){"decisions", "A", NULL}, "sloped");
    onnx_node(onnx, "Add", (const char *const[]){"sloped", "B", NULL}, "odds");
    onnx_node(onnx, "Sigmoid", (const char *const[]){"odds", NULL}, scores_name(model));
}

/* From the image's pixels to what the kernel sees. An image without ink stays 0. */
static void add_input(OnnxModel *onnx, const SvmModel *model) {
    onnx_input(onnx, "image", (OnnxShape){4, {-1, 1, model->spec.height, model->spec.width}});
    onnx_set_int(onnx_node(onnx, "Flatten", (const char *const[]){"image", NULL}, "pixels"), "axis", 1);
    if (!model->kernel.normalize) {
        onnx_constant(onnx, "length", (OnnxShape){1, {1}}, &(float){255});
    } else {
        onnx_constant(onnx, "one", (OnnxShape){1, {1}}, &(float){1}); /* below any length but 0 */
        OnnxNode *norm = onnx_node(onnx, "ReduceL2", (const char *const[]){"pixels", NULL}, "norm");
        onnx_set_ints(norm, "axes", (const int64_t[]){1}, 1);
        onnx_set_int(norm, "keepdims", 1);
        onnx_node(onnx, "Max", (const char *const[]){"norm", "one", NULL}, "length");
    }
    onnx_node(onnx, "Div", (const char *const[]){"pixels", "length", NULL}, "seen");
}

/* ONNX gives the one pair of two classes a score for each: minus its decision value, and that. */
static int score_count(const SvmModel *model) {
    return model->calibrated || model->class_count == 2 ? model->class_count
                                                        : svm_pair_count(model->class_count);
}

/* The places of the classes, in their order, among those of the model: an imported one has them in the order
 * of its file, which decides about ties of votes. place [class_count] */
static void find_places(const SvmModel *model, int *place) {
    for (int k = 0; k < model->class_count; k++) {
        int rank = 0;
        for (int other = 0; other < model->class_count; other++)
            rank += model->classes[other] < model->classes[k];
        place[rank] = k;
    }
}

/* Of each pair in the order of classes: its number among the model's, and 1, or -1 where that has its classes
 * the other way round. */
static void find_pairs(const SvmModel *model, const int *place, int64_t *number, float *sign) {
    for (int i = 0, p = 0; i < model->class_count; i++)
        for (int j = i + 1; j < model->class_count; j++, p++) {
            int of_pair;
            number[p] = svm_pair_between(model->class_count, place[i], place[j], &of_pair);
            sign[p] = (float)of_pair;
        }
}

/* Scores in the order of the model's classes become such in the order of classes. */
static void add_order(OnnxModel *onnx, const SvmModel *model) {
    const int count = score_count(model);
    int place[CLASSES_MAX];
    int64_t *from = mem_new((size_t)count, sizeof *from);
    float *sign = mem_new((size_t)count, sizeof *sign);
    const bool pairs = !model->calibrated && model->class_count > 2;
    find_places(model, place);
    if (pairs) find_pairs(model, place, from, sign);
    for (int k = 0; k < count && !pairs; k++)
        from[k] = place[k];
    onnx_constant_ints(onnx, "order", from, count);
    OnnxNode *gather = onnx_node(onnx, "Gather", (const char *const[]){unordered, "order", NULL},
                                 pairs ? "ordered" : "scores");
    onnx_set_int(gather, "axis", 1);
    if (pairs) {
        onnx_constant(onnx, "signs", (OnnxShape){1, {count}}, sign);
        onnx_node(onnx, "Mul", (const char *const[]){"ordered", "signs", NULL}, "scores");
    }
    mem_free(sign);
    mem_free(from);
}

StatusCode svm_onnx_write(const Model *opened, const Context *context, const char *path, Status *status) {
    const SvmModel *model = opened->state;
    if (model->gradient)
        return status_set(
            status, STATUS_USAGE,
            "%s sees edges of strokes (svm.features = gradient), which an ONNX graph can't compute: "
            "export it as libsvm, with its images (--split).",
            h5_path(opened->file));
    OnnxModel *onnx = onnx_create(OPSET);
    onnx_use_domain(onnx, ml_domain, ML_OPSET);
    add_input(onnx, model);
    add_classifier(onnx, model);
    if (has_sigmoid(model)) add_sigmoid(onnx, model);
    if (!is_in_order(model)) add_order(onnx, model);
    onnx_output(onnx, "label", ONNX_INT64, (OnnxShape){1, {-1}});
    onnx_output(onnx, "scores", ONNX_FLOAT, (OnnxShape){2, {-1, score_count(model)}});
    onnx_note_model(onnx, opened, context, path, status);
    if (!status->code) onnx_write(onnx, path, status);
    onnx_destroy(&onnx);
    return status->code;
}
