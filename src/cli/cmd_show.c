/* pardigits show: what is in a file of ours, for people. Rank 0 works alone. */
#include "cli/cli.h"

#include "core/mem.h"
#include "data/sheet.h"
#include "store/dataset.h"
#include "store/metrics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SHEET_PER_CLASS = 20, SHOWN_ROWS = 20, COLUMN_WIDTH = 16 };

static void print_array(const char *path, bool is_array, void *context) {
    H5Shape shape;
    Status ignored = {0};
    if (!is_array || h5_shape(context, path, &shape, &ignored)) return;
    printf("  %-36s", path);
    for (int i = 0; i < shape.rank; i++)
        printf("%s%lld", i ? " x " : "", (long long)shape.dims[i]);
    putchar('\n');
}

static void print_config(const Config *config) {
    const char *model = config_text(config, "run.model");
    for (int i = 0; i < config_count(config); i++) {
        const char *name = config_key(config, i)->name;
        bool used = !strncmp(name, "run.", 4) || !strncmp(name, model, strlen(model));
        if (used) printf("  %s = %s\n", name, config_value(config, name));
    }
}

/* A sheet of the first SHEET_PER_CLASS images of each class, a row a class. images and labels: paths of
 * arrays. */
static StatusCode draw_images(const H5File *file, const char *images_path, const char *labels_path,
                              const char *out, Status *status) {
    H5Shape shape = {0};
    if (h5_shape(file, labels_path, &shape, status)) return status->code;
    int64_t n = shape.rank == 1 ? shape.dims[0] : 0, chosen = 0;
    uint8_t *labels = mem_new((size_t)n, 1), *sheet = mem_new(CLASSES * SHEET_PER_CLASS, IMAGE_PIXELS);
    char captions[CLASSES * SHEET_PER_CLASS][24], *caption[CLASSES * SHEET_PER_CLASS];
    h5_read(file, labels_path, H5_U8, (H5Shape){1, {n}}, labels, status);
    for (int digit = 0; digit < CLASSES; digit++)
        for (int64_t i = 0, taken = 0; i < n && taken < SHEET_PER_CLASS && !status->code; i++) {
            if (labels[i] != digit) continue;
            h5_read_rows(file, images_path, H5_U8, IMAGE_PIXELS, i, 1, sheet + chosen * IMAGE_PIXELS, status);
            snprintf(captions[chosen], sizeof captions[chosen], "%d", digit);
            caption[chosen] = captions[chosen];
            chosen++;
            taken++;
        }
    if (!status->code)
        sheet_write(out, &(ImageSet){chosen, sheet, NULL, image_spec_mnist()}, SHEET_PER_CLASS, caption,
                    status);
    mem_free(sheet);
    mem_free(labels);
    return status->code;
}

/* A sheet of the filters of the first convolution, each stretched to 28x28 (mid grey is 0). */
static StatusCode draw_filters(const H5File *file, const char *path, const char *out, Status *status) {
    H5Shape shape = {0};
    if (h5_shape(file, path, &shape, status)) return status->code;
    if (shape.rank != 4)
        return status_set(status, STATUS_FAILED, "%s: %s isn't a convolution's: the file is damaged.",
                          h5_path(file), path);
    int kernel = (int)shape.dims[0], channels = (int)shape.dims[2], filters = (int)shape.dims[3];
    int64_t size = (int64_t)kernel * kernel * channels * filters;
    float *weights = mem_new((size_t)size, sizeof *weights), largest = 1e-30f;
    uint8_t *sheet = mem_new((size_t)filters, IMAGE_PIXELS);
    h5_read(file, path, H5_F32, shape, weights, status);
    for (int64_t i = 0; i < size; i++)
        largest = fmaxf(largest, fabsf(weights[i]));
    for (int f = 0; f < filters; f++)
        for (int y = 0; y < IMAGE_SIDE; y++)
            for (int x = 0; x < IMAGE_SIDE; x++) {
                int tap = y * kernel / IMAGE_SIDE * kernel + x * kernel / IMAGE_SIDE;
                float weight = weights[(int64_t)tap * channels * filters + f];
                sheet[f * IMAGE_PIXELS + y * IMAGE_SIDE + x] =
                    (uint8_t)lrintf(127.5f + 127.5f * weight / largest);
            }
    if (!status->code)
        sheet_write(out, &(ImageSet){filters, sheet, NULL, image_spec_mnist()}, 8, NULL, status);
    mem_free(sheet);
    mem_free(weights);
    return status->code;
}

static void print_part(const H5File *file, const char *part, int64_t n, Status *status) {
    char path[64], *images = NULL, *labels = NULL;
    int64_t counts[256] = {0};
    snprintf(path, sizeof path, "/%s/labels", part);
    uint8_t *label = mem_new((size_t)n, 1);
    h5_read(file, path, H5_U8, (H5Shape){1, {n}}, label, status);
    for (int64_t i = 0; i < n; i++)
        counts[label[i]]++;
    snprintf(path, sizeof path, "/%s", part);
    h5_get_text(file, path, "images_sha256", &images, status);
    h5_get_text(file, path, "labels_sha256", &labels, status);
    if (!status->code) {
        printf("%-5s %6lld images, of digits 0 to 9:", part, (long long)n);
        for (int digit = 0; digit < CLASSES; digit++)
            printf(" %lld", (long long)counts[digit]);
        printf("\n      images sha256 %s\n      labels sha256 %s\n", images, labels);
    }
    mem_free(labels);
    mem_free(images);
    mem_free(label);
}

static StatusCode show_dataset(const char *path, int64_t train, int64_t test, const char *out,
                               Status *status) {
    H5File *file;
    if (h5_open(&file, path, NULL, status)) return status->code;
    printf("%s: dataset\n", path);
    print_part(file, "train", train, status);
    print_part(file, "test", test, status);
    if (out && !status->code) draw_images(file, "/train/images", "/train/labels", out, status);
    return h5_close(&file, status);
}

static StatusCode draw_model(const Model *model, const char *out, Status *status) {
    static const char *const shown[] = {"/model/reference", "/model/support"};
    for (int i = 0; i < 2; i++) {
        char images[64], labels[64];
        snprintf(images, sizeof images, "%s/images", shown[i]);
        snprintf(labels, sizeof labels, "%s/labels", shown[i]);
        if (!h5_exists(model->file, images)) continue;
        if (!strcmp(shown[i], "/model/support") &&
            strcmp(config_text(model->config, "svm.features"), "pixels"))
            return status_set(
                status, STATUS_USAGE,
                "%s holds features of images (svm.features), which can't be drawn: leave --out away.",
                h5_path(model->file));
        return draw_images(model->file, images, labels, out, status);
    }
    static const char *const filters[] = {"/model/conv1/weight", "/model/members/0/conv1/weight"};
    for (int i = 0; i < 2; i++)
        if (h5_exists(model->file, filters[i])) return draw_filters(model->file, filters[i], out, status);
    return status_set(status, STATUS_USAGE, "%s holds nothing that can be drawn: leave --out away.",
                      h5_path(model->file));
}

static StatusCode show_model(const Model *model, const char *out, Status *status) {
    char *digest = NULL, about[128] = "";
    int64_t complete = 0;
    h5_get_text(model->file, "/", "digest", &digest, status);
    h5_get_i64(model->file, "/state", "complete", &complete, status);
    if (status->code) return status->code;
    model->family->describe(model, about, sizeof about);
    printf("%s: %s model, %s\n%s\ndigest %s\n", h5_path(model->file), model->family->name, about,
           complete ? "training is complete"
                    : "training was stopped: go on with `pardigits train ... --resume`",
           digest);
    puts("configuration");
    print_config(model->config);
    if (h5_exists(model->file, "/model")) {
        puts("arrays");
        h5_visit(model->file, "/model", print_array, model->file, status);
    }
    mem_free(digest);
    if (out && !status->code) draw_model(model, out, status);
    return status->code;
}

static void print_table(const char *path, bool is_array, void *context) {
    const H5File *file = context;
    if (!is_array) return;
    MetricsTable table;
    Status status = {0};
    if (metrics_read_table(file, path, &table, &status)) return;
    int64_t skipped = table.rows > SHOWN_ROWS ? table.rows - SHOWN_ROWS : 0;
    printf("\n%s: %lld rows%s\n", path, (long long)table.rows, skipped ? ", the last of them" : "");
    for (int c = 0; c < table.columns; c++)
        printf("%*s", COLUMN_WIDTH, table.names[c]);
    for (int64_t i = skipped * table.columns; i < table.rows * table.columns; i++)
        printf("%s%*.8g", i % table.columns ? "" : "\n", COLUMN_WIDTH, table.values[i]);
    putchar('\n');
    metrics_free_table(&table);
}

static StatusCode show_metrics(const char *path, const char *out, Status *status) {
    if (out)
        return status_set(status, STATUS_USAGE, "%s holds metrics, which --out can't draw: leave it away.",
                          path);
    H5File *file;
    if (h5_open(&file, path, NULL, status)) return status->code;
    int64_t ranks = 0, threads = 0;
    double seconds = 0;
    h5_get_i64(file, "/run", "ranks", &ranks, status);
    h5_get_i64(file, "/run", "threads", &threads, status);
    h5_get_f64(file, "/run", "seconds", &seconds, status);
    if (!status->code) {
        printf("%s: metrics of a run of %lld rank%s x %lld thread%s, %.1f s\n", path, (long long)ranks,
               ranks == 1 ? "" : "s", (long long)threads, threads == 1 ? "" : "s", seconds);
        h5_visit(file, "/", print_table, file, status);
    }
    return h5_close(&file, status);
}

/* The kind of a file of ours: the attribute `format` of the file, of which rank 0 tells the others. */
static StatusCode read_kind(const Context *context, const char *path, char kind[32], Status *status) {
    memset(kind, 0, 32);
    if (comm_rank(context->comm) == 0) {
        H5File *file;
        char *format = NULL;
        h5_open(&file, path, NULL, status);
        if (file && h5_has_attribute(file, "/", "format")) h5_get_text(file, "/", "format", &format, status);
        if (format) snprintf(kind, 32, "%s", format);
        h5_close(&file, status);
        mem_free(format);
    }
    comm_broadcast(context->comm, kind, 32, 0);
    return comm_agree(context->comm, status);
}

StatusCode cmd_show(const Context *context, int argc, char **argv, Status *status) {
    const char *out = NULL;
    char kind[32];
    int operands;
    const Option options[] = {{.name = "out", .value = &out}, {0}};
    if (options_parse(argc, argv, options, 1, 1, &operands, status)) return status->code;
    if (out && check_output(context, out, 1, argv + 1, status)) return status->code;
    if (read_kind(context, argv[1], kind, status)) return status->code;
    bool first = comm_rank(context->comm) == 0;
    if (!strcmp(kind, "pardigits model")) {
        Model model;
        model_open_file(context, &model_families, argv[1], &model, status);
        if (first && !status->code) show_model(&model, out, status);
        model_close(&model);
    } else if (!strcmp(kind, "pardigits dataset")) {
        int64_t train, test;
        dataset_counts(argv[1], context->comm, &train, &test, status);
        if (first && !status->code) show_dataset(argv[1], train, test, out, status);
    } else if (!strcmp(kind, "pardigits metrics")) {
        if (first) show_metrics(argv[1], out, status);
    } else {
        status_set(status, STATUS_FAILED, "%s is an HDF5 file, but none that pardigits wrote.", argv[1]);
    }
    return finish_output(status);
}
