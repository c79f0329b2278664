/* An SVM in a model file:
 *
 * /model/classes u8 [k]: classes that there were training images of; the earlier one wins a tie of votes.
 *
 * /model/support: support vectors, each once: images u8 [n,height,width] as the kernel sees them (with
 * svm.features = gradient cells by 16 directions), index i32 [n] in the training part, labels u8 [n]; of
 * virtual ones shift i32 [n,2] in pixels to the right and down.
 *
 * /model/pairs/A_B: support i32 [m], rows of /model/support, ascending; coefficient f64 [m], y alpha with
 * y = +1 for class A; attributes rho, objective, iterations. The decision value for A against B is
 * sum coefficient K(support, image) - rho; positive means A. With probabilities the attributes slope, offset:
 * P(A) = 1 / (1 + exp(slope * decision value + offset)).
 *
 * /model: attributes c and, but for a linear kernel, gamma, where they were searched for instead of being
 * configured.
 *
 * /model/virtual/from i32 [k]: training images that virtual examples were made of; attribute pixels.
 *
 * /state/search, while a search for C and gamma isn't finished: done u64 [pairs,folds], votes u64
 * [cells,images] or
 * [cells,images,words] (votes.h). */
#include "svm/model.h"

#include "core/mem.h"

#include <stdio.h>

enum { NAME_BYTES = 64 };

/* "/model/pairs/A_B", with "/array" behind it if array isn't NULL. */
static const char *pair_name(int classes, int number, const char *array, char name[NAME_BYTES]) {
    int a, b;
    svm_pair_classes(classes, number, &a, &b);
    snprintf(name, NAME_BYTES, "/model/pairs/%d_%d%s%s", a, b, array ? "/" : "", array ? array : "");
    return name;
}

static StatusCode write_pair(H5File *file, const SvmModel *model, int number, Status *status) {
    const SvmPair *pair = &model->pairs.items[number];
    const int classes = model->spec.classes;
    char name[NAME_BYTES];
    H5Shape shape = {1, {pair->support_count}};
    if (h5_write(file, pair_name(classes, number, "support", name), H5_I32, shape, pair->support, status) ||
        h5_write(file, pair_name(classes, number, "coefficient", name), H5_F64, shape, pair->coefficient,
                 status))
        return status->code;
    pair_name(classes, number, NULL, name);
    if (h5_set_f64(file, name, "rho", pair->rho, status) ||
        h5_set_f64(file, name, "objective", pair->objective, status))
        return status->code;
    if (model->calibrated && (h5_set_f64(file, name, "slope", pair->slope, status) ||
                              h5_set_f64(file, name, "offset", pair->offset, status)))
        return status->code;
    return h5_set_i64(file, name, "iterations", pair->iterations, status);
}

static StatusCode write_support(H5File *file, const SvmModel *model, Status *status) {
    H5Shape images = {3, {model->n, model->spec.height, model->spec.width}}, rows = {1, {model->n}};
    int32_t *index = mem_new((size_t)model->n, sizeof *index);
    int32_t(*shift)[2] = mem_new((size_t)model->n, sizeof *shift);
    for (int64_t k = 0; k < model->n; k++) {
        index[k] = model->origin[k].image;
        shift[k][0] = model->origin[k].x;
        shift[k][1] = model->origin[k].y;
    }
    h5_write(file, "/model/support/images", H5_U8, images, model->images, status);
    if (!status->code) h5_write(file, "/model/support/index", H5_I32, rows, index, status);
    if (!status->code) h5_write(file, "/model/support/labels", H5_U8, rows, model->labels, status);
    if (!status->code && model->shift_pixels)
        h5_write(file, "/model/support/shift", H5_I32, (H5Shape){2, {model->n, 2}}, shift, status);
    mem_free(shift);
    mem_free(index);
    return status->code;
}

/* For readers of the file; not part of the digest. */
static void explain(H5File *file, Status *status) {
    h5_set_text(file, "/model/support/images", "layout",
                "support vector, row, column; as the kernel sees them, times 255", status);
    h5_set_text(file, "/model/pairs", "formula",
                "A against B: sum of coefficient K(support vector, image) - rho; positive means A", status);
}

static StatusCode write_virtual(H5File *file, const SvmModel *model, Status *status) {
    if (h5_write(file, "/model/virtual/from", H5_I32, (H5Shape){1, {model->from_count}}, model->from, status))
        return status->code;
    return h5_set_i64(file, "/model/virtual", "pixels", model->shift_pixels, status);
}

StatusCode svm_model_write(H5File *file, const void *context, Status *status) {
    const SvmModel *model = context;
    H5Shape classes = {1, {model->class_count}};
    if (h5_write(file, "/model/classes", H5_U8, classes, model->classes, status) ||
        write_support(file, model, status))
        return status->code;
    if (model->shift_pixels && write_virtual(file, model, status)) return status->code;
    if (model->searched && h5_set_f64(file, "/model", "c", model->c, status)) return status->code;
    if (model->searched && model->kernel.type != SVM_LINEAR &&
        h5_set_f64(file, "/model", "gamma", model->kernel.gamma, status))
        return status->code;
    for (int p = 0; p < model->pairs.count; p++)
        if (model->pairs.items[p].solved && write_pair(file, model, p, status)) return status->code;
    explain(file, status);
    return status->code;
}

/* Whether rows are ascending rows of the n support vectors. */
static bool rows_are_valid(const int32_t *rows, int64_t count, int64_t n) {
    for (int64_t s = 0; s < count; s++)
        if (rows[s] < 0 || rows[s] >= n || (s && rows[s] <= rows[s - 1])) return false;
    return true;
}

static StatusCode read_pair(const H5File *file, int number, SvmModel *model, Status *status) {
    const int classes = model->spec.classes;
    SvmPair *pair = &model->pairs.items[number];
    char name[NAME_BYTES];
    H5Shape shape;
    if (h5_shape(file, pair_name(classes, number, "support", name), &shape, status)) return status->code;
    pair->support_count = shape.rank == 1 ? shape.dims[0] : 0;
    pair->support = mem_new((size_t)pair->support_count, sizeof *pair->support);
    pair->coefficient = mem_new((size_t)pair->support_count, sizeof *pair->coefficient);
    shape = (H5Shape){1, {pair->support_count}};
    if (h5_read(file, name, H5_I32, shape, pair->support, status)) return status->code;
    if (!rows_are_valid(pair->support, pair->support_count, model->n))
        return status_set(status, STATUS_FAILED,
                          "%s: %s isn't an ascending list of rows of /model/support; the file "
                          "is damaged; train the model again.",
                          h5_path(file), name);
    if (h5_read(file, pair_name(classes, number, "coefficient", name), H5_F64, shape, pair->coefficient,
                status))
        return status->code;
    pair_name(classes, number, NULL, name);
    if (h5_get_f64(file, name, "rho", &pair->rho, status) ||
        h5_get_f64(file, name, "objective", &pair->objective, status) ||
        h5_get_i64(file, name, "iterations", &pair->iterations, status))
        return status->code;
    pair->solved = true;
    if (!h5_has_attribute(file, name, "slope")) return STATUS_OK;
    h5_get_f64(file, name, "slope", &pair->slope, status);
    return h5_get_f64(file, name, "offset", &pair->offset, status);
}

static StatusCode read_classes(const H5File *file, SvmModel *model, Status *status) {
    H5Shape shape;
    if (h5_shape(file, "/model/classes", &shape, status)) return status->code;
    bool good = shape.rank == 1 && shape.dims[0] <= model->spec.classes;
    model->class_count = good ? (int)shape.dims[0] : 0;
    if (good && h5_read(file, "/model/classes", H5_U8, shape, model->classes, status)) return status->code;
    for (int c = 0; c < model->class_count && good; c++) {
        good = model->classes[c] < model->spec.classes && !model->present[model->classes[c]];
        if (good) model->present[model->classes[c]] = true;
    }
    if (good) return STATUS_OK;
    return status_set(status, STATUS_FAILED,
                      "%s: /model/classes isn't a list of at most %d classes; the file is no "
                      "SVM of this program.",
                      h5_path(file), model->spec.classes);
}

static StatusCode read_support(const H5File *file, SvmModel *model, Status *status) {
    H5Shape shape;
    if (h5_shape(file, "/model/support/index", &shape, status)) return status->code;
    model->n = shape.rank == 1 ? shape.dims[0] : 0;
    H5Shape rows = {1, {model->n}}, images = {3, {model->n, model->spec.height, model->spec.width}};
    int32_t *index = mem_new((size_t)model->n, sizeof *index);
    int32_t(*shift)[2] = mem_new((size_t)model->n, sizeof *shift);
    model->origin = mem_new((size_t)model->n, sizeof *model->origin);
    model->labels = mem_new((size_t)model->n, sizeof *model->labels);
    model->images = mem_new((size_t)model->n, (size_t)image_spec_pixels(model->spec));
    h5_read(file, "/model/support/index", H5_I32, rows, index, status);
    if (!status->code) h5_read(file, "/model/support/labels", H5_U8, rows, model->labels, status);
    if (!status->code && h5_exists(file, "/model/support/shift"))
        h5_read(file, "/model/support/shift", H5_I32, (H5Shape){2, {model->n, 2}}, shift, status);
    if (!status->code) h5_read(file, "/model/support/images", H5_U8, images, model->images, status);
    for (int64_t k = 0; k < model->n; k++)
        model->origin[k] = (SvmSample){index[k], shift[k][0], shift[k][1]};
    mem_free(shift);
    mem_free(index);
    return status->code;
}

static StatusCode read_virtual(const H5File *file, SvmModel *model, Status *status) {
    H5Shape shape;
    int64_t pixels = 0;
    if (!h5_exists(file, "/model/virtual")) return STATUS_OK;
    if (h5_get_i64(file, "/model/virtual", "pixels", &pixels, status) ||
        h5_shape(file, "/model/virtual/from", &shape, status))
        return status->code;
    model->shift_pixels = (int)pixels;
    model->from_count = shape.rank == 1 ? shape.dims[0] : 0;
    model->from = mem_new((size_t)model->from_count, sizeof *model->from);
    return h5_read(file, "/model/virtual/from", H5_I32, (H5Shape){1, {model->from_count}}, model->from,
                   status);
}

StatusCode svm_model_read(SvmModel **result, const H5File *file, const Config *config, ImageSpec spec,
                          Status *status) {
    SvmModel *model = mem_new(1, sizeof *model);
    char name[NAME_BYTES];
    const SvmOptions options = svm_options(config);
    model->spec = spec;
    model->pairs = svm_pairs_new(spec.classes);
    model->kernel = svm_options_kernel(&options);
    model->gradient = options.features == SVM_FEATURES_GRADIENT;
    read_classes(file, model, status);
    if (status->code == STATUS_OK) read_support(file, model, status);
    if (status->code == STATUS_OK) read_virtual(file, model, status);
    if (status->code == STATUS_OK && h5_has_attribute(file, "/model", "c")) {
        model->searched = true;
        h5_get_f64(file, "/model", "c", &model->c, status);
        if (h5_has_attribute(file, "/model", "gamma"))
            h5_get_f64(file, "/model", "gamma", &model->kernel.gamma, status);
    }
    for (int p = 0; p < model->pairs.count && status->code == STATUS_OK; p++)
        if (h5_exists(file, pair_name(spec.classes, p, NULL, name))) {
            read_pair(file, p, model, status);
            model->calibrated = model->calibrated || h5_has_attribute(file, name, "slope");
        }
    if (status->code != STATUS_OK) {
        svm_model_destroy(&model);
        return status->code;
    }
    svm_model_pack(model);
    *result = model;
    return STATUS_OK;
}
