#include "core/mem.h"
#include "core/regular_file.h"
#include "svm/svm_libsvm.h"

#include "svm/libsvm_lines.h"
#include "svm/model.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DIGITS_OF_A_NUMBER = 40 };

/* A model file on its way in. */
typedef struct {
    LibsvmLines lines;
    int first_feature; /* the number of the first pixel; -1: not known yet */
    ImageSpec *spec;   /* as the user said it; 0: unknown */
    int largest;       /* feature; 0: unknown */
    bool is_assumed;   /* the shape: the file's features fit it */
    SvmModel *model;
    int64_t class_support[CLASSES_MAX]; /* by place in the order of the file */
    double *rho, *slope, *offset;       /* of pairs, in the order of the file */
    int rhos, slopes, offsets;
    double classes; /* as nr_class says; 0: it didn't */
    double total;   /* support vectors, as total_sv says; 0: it did not */
    char kernel[16];
    Status *status;
} Reader;

static StatusCode refuse(Reader *reader, const char *expected) {
    return status_set(reader->status, STATUS_FAILED,
                      "%s:%lld: expected %s; only LIBSVM models of svm-train -s 0 -t 0|1|2 on images with "
                      "pixels divided by 255 can be imported.",
                      reader->lines.path, (long long)reader->lines.number, expected);
}

/* The same of a line with a number for each pair. */
static int take_pairs(const char *at, double **values) {
    const int most = CLASSES_MAX * (CLASSES_MAX - 1) / 2;
    if (!*values) *values = mem_new((size_t)most, sizeof **values);
    return libsvm_take_numbers(at, *values, most);
}

static StatusCode take_kernel(Reader *reader, const char *value) {
    static const struct {
        const char *libsvm, *here;
        SvmKernelType type;
    } kernels[] = {
        {"rbf", "rbf", SVM_RBF}, {"polynomial", "poly", SVM_POLY}, {"linear", "linear", SVM_LINEAR}};
    for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++)
        if (!strcmp(value, kernels[k].libsvm)) {
            reader->model->kernel.type = kernels[k].type;
            snprintf(reader->kernel, sizeof reader->kernel, "%s", kernels[k].here);
            return STATUS_OK;
        }
    char expected[80];
    snprintf(expected, sizeof expected, "kernel_type linear, polynomial or rbf, and this is %.20s", value);
    return refuse(reader, expected);
}

static StatusCode take_labels(Reader *reader, const char *value) {
    double labels[CLASSES_MAX];
    char expected[40];
    SvmModel *model = reader->model;
    model->class_count = libsvm_take_numbers(value, labels, CLASSES_MAX);
    for (int c = 0; c < model->class_count; c++) {
        const int said = reader->spec->classes;
        if (!(labels[c] >= 0 && labels[c] < CLASSES_MAX) || labels[c] != floor(labels[c]) ||
            model->present[(int)labels[c]]) {
            snprintf(expected, sizeof expected, "different labels from 0 to %d", CLASSES_MAX - 1);
            return refuse(reader, expected);
        }
        if (said && labels[c] >= said)
            return status_set(
                reader->status, STATUS_USAGE,
                "%s has the label %d, but --classes, or the dataset of --data, says %d classes, 0 "
                "to %d.",
                reader->lines.path, (int)labels[c], said, said - 1);
        model->classes[c] = (uint8_t)labels[c];
        model->present[(int)labels[c]] = true;
        if (labels[c] >= model->spec.classes) model->spec.classes = (int)labels[c] + 1;
    }
    return model->class_count >= 2 ? STATUS_OK : refuse(reader, "2 to 256 labels");
}

/* Counts of more than the file can hold, at two bytes a line, are refused before memory is taken for them. */
static StatusCode take_support_counts(Reader *reader, const char *value) {
    double counts[CLASSES_MAX];
    int count = libsvm_take_numbers(value, counts, CLASSES_MAX);
    struct stat facts;
    if (reader->model->n > 0) return refuse(reader, "one line nr_sv");
    for (int c = 0; c < count; c++) {
        if (!(counts[c] >= 0 && counts[c] < 1e9)) return refuse(reader, "numbers of support vectors");
        reader->class_support[c] = (int64_t)counts[c];
        reader->model->n += reader->class_support[c];
    }
    if (fstat(fileno(reader->lines.file), &facts) == 0 && S_ISREG(facts.st_mode) &&
        reader->model->n > facts.st_size / 2)
        return status_set(
            reader->status, STATUS_FAILED,
            "%s:%lld: nr_sv says %lld support vectors, for which the file is too short: copy or export "
            "the model again.",
            reader->lines.path, (long long)reader->lines.number, (long long)reader->model->n);
    return count == reader->model->class_count ? STATUS_OK : refuse(reader, "a count for each label");
}

static StatusCode take_type(Reader *reader, const char *value) {
    char expected[64];
    if (!strcmp(value, "c_svc")) return STATUS_OK;
    snprintf(expected, sizeof expected, "svm_type c_svc, and this is %.30s", value);
    return refuse(reader, expected);
}

/* A header line: a name and values. */
static StatusCode take_header(Reader *reader) {
    char *space = strpbrk(reader->lines.line, " \t"),
         *value = space ? space + strspn(space, " \t") : reader->lines.line + strlen(reader->lines.line);
    if (space) *space = 0;
    const char *name = reader->lines.line;
    SvmKernel *kernel = &reader->model->kernel;
    double number = 0;
    if (!strcmp(name, "svm_type")) return take_type(reader, value);
    if (!strcmp(name, "kernel_type")) return take_kernel(reader, value);
    if (!strcmp(name, "label")) return take_labels(reader, value);
    if (!strcmp(name, "nr_sv")) return take_support_counts(reader, value);
    if (!strcmp(name, "rho")) return (reader->rhos = take_pairs(value, &reader->rho)), STATUS_OK;
    if (!strcmp(name, "probA")) return (reader->slopes = take_pairs(value, &reader->slope)), STATUS_OK;
    if (!strcmp(name, "probB")) return (reader->offsets = take_pairs(value, &reader->offset)), STATUS_OK;
    if (!strcmp(name, "prob_density_marks")) return STATUS_OK; /* LIBSVM 3.3 of one-class models */
    if (libsvm_take_numbers(value, &number, 1) != 1) return refuse(reader, "a line of a LIBSVM model");
    if (!strcmp(name, "degree"))
        kernel->degree = number >= 1 && number <= 20 ? (int)number : 0;
    else if (!strcmp(name, "gamma"))
        kernel->gamma = number;
    else if (!strcmp(name, "coef0"))
        kernel->coef0 = number;
    else if (!strcmp(name, "nr_class"))
        reader->classes = number;
    else if (!strcmp(name, "total_sv"))
        reader->total = number;
    else
        return refuse(reader, "a line of a LIBSVM model");
    return kernel->degree ? STATUS_OK : refuse(reader, "a degree from 1 to 20");
}

/* As svm_pair_of, to be filled. */
static SvmPair *own_pair(SvmModel *model, int i, int j, int *sign) {
    return &model->pairs
                .items[svm_pair_between(model->spec.classes, model->classes[i], model->classes[j], sign)];
}

/* Sets up the pairs from the header's values, which stand in the order of the file's labels. */
static StatusCode begin_pairs(Reader *reader) {
    SvmModel *model = reader->model;
    int pairs = model->class_count * (model->class_count - 1) / 2, at = 0;
    if (model->class_count == 0 || reader->rhos != pairs || !reader->kernel[0])
        return refuse(reader, "kernel_type, label and a rho for each pair of labels before SV");
    if (model->kernel.type != SVM_LINEAR && model->kernel.gamma == 0)
        return refuse(reader, "a line gamma, and not 0, before SV");
    if (reader->classes && reader->classes != model->class_count)
        return refuse(reader, "as many labels as nr_class says");
    if (reader->total && reader->total != (double)model->n)
        return refuse(reader, "numbers of support vectors in nr_sv that make up total_sv");
    model->pairs = svm_pairs_new(model->spec.classes);
    model->calibrated = reader->slopes == pairs && reader->offsets == pairs;
    for (int i = 0; i < model->class_count; i++)
        for (int j = i + 1; j < model->class_count; j++, at++) {
            int sign;
            SvmPair *pair = own_pair(model, i, j, &sign);
            pair->solved = true;
            pair->rho = sign * reader->rho[at];
            pair->objective = NAN;
            pair->slope = (reader->slope ? reader->slope[at] : 0);
            pair->offset = sign * (reader->offset ? reader->offset[at] : 0);
            int64_t room = reader->class_support[i] + reader->class_support[j];
            pair->support = mem_new((size_t)room, sizeof *pair->support);
            pair->coefficient = mem_new((size_t)room, sizeof *pair->coefficient);
        }
    model->origin = mem_new((size_t)model->n, sizeof *model->origin);
    model->labels = mem_new((size_t)model->n, sizeof *model->labels);
    model->images = mem_new((size_t)model->n, (size_t)image_spec_pixels(model->spec));
    return STATUS_OK;
}

static StatusCode take_pixels(Reader *reader, const char *at, uint8_t *image) {
    const int pixels = image_spec_pixels(reader->model->spec);
    char expected[40];
    const int first = reader->first_feature;
    double last = -1;
    while (*(at += strspn(at, " \t"))) {
        double feature, value;
        if (!libsvm_take_number(&at, &feature) || *at++ != ':' || !libsvm_take_number(&at, &value))
            return refuse(reader, "index:value pairs");
        if (feature >= first + pixels && reader->spec->height)
            return status_set(
                reader->status, STATUS_USAGE,
                "%s:%lld: it has the feature %.0f, but the shape of --shape, or of the dataset of "
                "--data, is %d x %d pixels, features %d to %d.",
                reader->lines.path, (long long)reader->lines.number, feature, reader->spec->height,
                reader->spec->width, first, first + pixels - 1);
        if (feature == 0 && first == 1)
            return status_set(reader->status, STATUS_USAGE,
                              "%s:%lld: it has a feature 0, so its features don't count from 1: omit "
                              "--features-from 1.",
                              reader->lines.path, (long long)reader->lines.number);
        if (!(feature >= first && feature < first + pixels && feature == floor(feature))) {
            snprintf(expected, sizeof expected, "whole features from %d to %d", first, first + pixels - 1);
            return refuse(reader, expected);
        }
        if (feature <= last) return refuse(reader, "features in ascending order, each once");
        last = feature;
        double pixel = round(value * 255);
        if (!(pixel >= 0 && pixel <= 255) || fabs(value * 255 - pixel) > 1e-3)
            return refuse(reader, "values that are a pixel (0 to 255) divided by 255, not scaled to an "
                                  "image's length (svm.normalize)");
        image[(int)feature - first] = (uint8_t)pixel;
    }
    return STATUS_OK;
}

/* The least and largest feature of the support vectors, which begin at the next line; the file is read from
 * there again afterwards. *largest = 0 where it can't be read twice. */
static void scan_features(Reader *reader, int *least, int *largest) {
    const off_t start = ftello(reader->lines.file);
    const int64_t number = reader->lines.number;
    *least = INT_MAX;
    *largest = 0;
    while (start >= 0 && libsvm_next_line(&reader->lines, reader->status)) {
        char *last = strrchr(reader->lines.line, ':'), *first = strchr(reader->lines.line, ':');
        if (!last) continue;
        const int to = libsvm_feature_before(reader->lines.line, last),
                  from = first < last ? libsvm_feature_before(reader->lines.line, first) : to;
        if (to > *largest) *largest = to;
        if (from < *least) *least = from;
    }
    reader->lines.number = number;
    if (start >= 0 && fseeko(reader->lines.file, start, SEEK_SET)) *largest = 0;
}

/* A feature 0 says that features count from 0. */
static void choose_first_feature(Reader *reader, int least) {
    if (reader->first_feature >= 0) return;
    reader->first_feature = least == 0 ? 0 : 1;
}

/* The shape that the user said; otherwise MNIST's, unless the features are too many for it or so few that
 * half of such an image would always be empty. */
static StatusCode choose_shape(Reader *reader) {
    ImageSpec *spec = &reader->model->spec;
    const ImageSpec mnist = image_spec_mnist();
    int least, largest;
    scan_features(reader, &least, &largest);
    choose_first_feature(reader, least);
    if (reader->status->code) return reader->status->code;
    reader->largest = largest;
    if (reader->spec->height) return STATUS_OK;
    const int pixels = image_spec_pixels(mnist);
    const bool few = largest <= pixels / 2;
    if (few || largest >= pixels + reader->first_feature)
        return status_set(reader->status, STATUS_USAGE,
                          "%s doesn't say the shape of its images, and its largest feature, %d, %s %d x %d "
                          "pixels: add --shape HxW, or --data with a dataset of such images.",
                          reader->lines.path, largest, few ? "lies in the first half of" : "is beyond",
                          mnist.height, mnist.width);
    spec->height = mnist.height;
    spec->width = mnist.width;
    reader->is_assumed = true;
    return STATUS_OK;
}

/* A support vector of class number i: its coefficients against the other classes in their order, and pixels.
 */
static StatusCode take_support(Reader *reader, int i, int64_t row) {
    SvmModel *model = reader->model;
    const char *at = reader->lines.line;
    for (int j = 0; j < model->class_count; j++) {
        double coefficient;
        if (j == i) continue;
        if (!libsvm_take_number(&at, &coefficient))
            return refuse(reader, "a coefficient for each other label");
        if (coefficient == 0) continue;
        /* the file's sign is that of the class which comes first in it */
        int sign;
        SvmPair *pair = i < j ? own_pair(model, i, j, &sign) : own_pair(model, j, i, &sign);
        pair->support[pair->support_count] = (int32_t)row;
        pair->coefficient[pair->support_count++] = sign * coefficient;
    }
    model->origin[row].image = -1;
    model->labels[row] = model->classes[i];
    return take_pixels(reader, at, model->images + row * image_spec_pixels(model->spec));
}

static StatusCode read_all(Reader *reader) {
    for (;;) {
        if (!libsvm_next_line(&reader->lines, reader->status))
            return libsvm_refuse_end(&reader->lines, "the line SV of a LIBSVM model", reader->status);
        if (!strcmp(reader->lines.line, "SV")) break;
        if (take_header(reader)) return reader->status->code;
    }
    if (choose_shape(reader) || begin_pairs(reader)) return reader->status->code;
    int64_t row = 0;
    for (int i = 0; i < reader->model->class_count; i++)
        for (int64_t k = 0; k < reader->class_support[i]; k++) {
            if (!libsvm_next_line(&reader->lines, reader->status))
                return libsvm_refuse_end(&reader->lines, "as many support vectors as nr_sv says",
                                         reader->status);
            if (take_support(reader, i, row++)) return reader->status->code;
        }
    while (libsvm_next_line(&reader->lines, reader->status))
        if (reader->lines.line[strspn(reader->lines.line, " \t\r")])
            return refuse(reader, "no more support vectors than nr_sv says");
    return reader->status->code;
}

static void set_real(Config *config, const char *name, double value, const char *path, Status *status) {
    char text[DIGITS_OF_A_NUMBER];
    snprintf(text, sizeof text, "%.17g", value);
    config_set_value(config, name, text, path, status);
}

/* What the configuration has to say of the model. Its C isn't known: no coefficient is above it, so the
 * largest one stands in for it, within what svm.c may be. */
static void fill_config(const Reader *reader, Config *config, Status *status) {
    const SvmModel *model = reader->model;
    const double least = 1e-6, most = 1e9;
    double c = least;
    for (int p = 0; p < model->pairs.count; p++)
        for (int64_t s = 0; s < model->pairs.items[p].support_count; s++)
            c = fmax(c, fabs(model->pairs.items[p].coefficient[s]));
    config_set_value(config, "run.model", "svm", reader->lines.path, status);
    config_set_value(config, "svm.kernel", reader->kernel, reader->lines.path, status);
    set_real(config, "svm.degree", model->kernel.degree, reader->lines.path, status);
    if (model->kernel.type != SVM_LINEAR)
        set_real(config, "svm.gamma", model->kernel.gamma, reader->lines.path, status);
    set_real(config, "svm.coef0", model->kernel.coef0, reader->lines.path, status);
    set_real(config, "svm.c", fmin(c, most), reader->lines.path, status);
    if (model->calibrated) config_set_value(config, "svm.probability", "yes", reader->lines.path, status);
}

/* What the file didn't say, and what doesn't look like what the user said. */
static void note_assumptions(const Reader *reader, bool is_first_unsaid) {
    const ImageSpec spec = reader->model->spec;
    if (is_first_unsaid && reader->first_feature == 1)
        fprintf(stderr,
                "pardigits: note: the features of %s are taken to count from 1, as LIBSVM's do; if they "
                "count from 0, "
                "as of scikit-learn's dump_svmlight_file, add --features-from 0.\n",
                reader->lines.path);
    if (reader->is_assumed)
        fprintf(stderr,
                "pardigits: note: %s doesn't say the shape of its images: %d x %d pixels are assumed, as its "
                "largest feature is %d; if they have another, add --shape HxW.\n",
                reader->lines.path, spec.height, spec.width, reader->largest);
    else if (reader->largest && reader->largest <= image_spec_pixels(spec) / 2)
        fprintf(
            stderr,
            "pardigits: warning: the largest feature of %s, %d, lies in the first half of %d x %d pixels: "
            "make sure that its images have this shape.\n",
            reader->lines.path, reader->largest, spec.height, spec.width);
}

StatusCode svm_libsvm_read_model(void **result, ImageSpec *spec, Config *config, const char *path,
                                 int first_feature, Status *status) {
    Reader reader = {.lines.path = path, .status = status, .spec = spec, .first_feature = first_feature};
    reader.model = mem_new(1, sizeof *reader.model);
    reader.model->kernel = (SvmKernel){.degree = 3};
    reader.model->spec = *spec;
    if (!spec->classes) reader.model->spec.classes = image_spec_mnist().classes;
    *result = NULL;
    const char *reason;
    reader.lines.file = regular_file_open_text(path, &reason);
    if (!reader.lines.file)
        status_set(status, STATUS_FAILED, "%s can't be read: %s.", path, reason);
    else if (!read_all(&reader))
        fill_config(&reader, config, status);
    if (!status->code) note_assumptions(&reader, first_feature < 0);
    if (reader.lines.file) fclose(reader.lines.file);
    free(reader.lines.line);
    mem_free(reader.rho);
    mem_free(reader.slope);
    mem_free(reader.offset);
    *spec = reader.model->spec;
    if (status->code)
        svm_model_destroy(&reader.model);
    else
        svm_model_pack(reader.model);
    *result = reader.model;
    return status->code;
}

void svm_libsvm_free(void **pointer) {
    SvmModel *model = *pointer;
    svm_model_destroy(&model);
    *pointer = NULL;
}

StatusCode svm_libsvm_save(H5File *file, const void *model, Status *status) {
    return svm_model_write(file, model, status);
}
