#include "cli/cli.h"

#include "core/mem.h"
#include "data/idx.h"
#include "data/idx_parts.h"
#include "data/picture_folder.h"
#include "store/dataset.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The words of the command line. */
typedef struct {
    const char *idx, *pictures, *out, *shape, *labels_from;
    IdxOptions as_idx;
    PictureOptions as_pictures;
    bool json;
} PrepareArguments;

static void count_classes(const ImageSet *set, int64_t counts[CLASSES_MAX]) {
    memset(counts, 0, CLASSES_MAX * sizeof *counts);
    for (int64_t i = 0; i < set->n; i++)
        counts[set->labels[i]]++;
}

static void print_part(const char *name, const ImageSet *set, const ImageSource *source,
                       const ClassNames *names) {
    int64_t counts[CLASSES_MAX];
    char number[12];
    if (!set->n) return;
    count_classes(set, counts);
    printf("%-5s %6lld images of %d x %d pixels, by class:", name, (long long)set->n, set->spec.height,
           set->spec.width);
    for (int c = 0; c < set->spec.classes; c++)
        if (names->names)
            printf("%s %s %lld", c ? "," : "", class_name(names, c, number), (long long)counts[c]);
        else
            printf(" %lld", (long long)counts[c]);
    printf("\n      images sha256 %s\n      labels sha256 %s\n", source->images_sha256,
           source->labels_sha256);
}

static void add_part(cJSON *object, const char *name, const ImageSet *set, const ImageSource *source) {
    int64_t counts[CLASSES_MAX];
    if (!set->n) return;
    cJSON *part = cJSON_AddObjectToObject(object, name);
    cJSON_AddNumberToObject(part, "images", (double)set->n);
    cJSON *list = cJSON_AddArrayToObject(part, "by_class");
    count_classes(set, counts);
    for (int c = 0; c < set->spec.classes; c++)
        cJSON_AddItemToArray(list, cJSON_CreateNumber((double)counts[c]));
    cJSON_AddStringToObject(part, "images_sha256", source->images_sha256);
    cJSON_AddStringToObject(part, "labels_sha256", source->labels_sha256);
}

static void print_json(const char *out, const DatasetParts *parts) {
    const ImageSpec spec = parts->train.spec;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "dataset", out);
    cJSON_AddNumberToObject(object, "height", spec.height);
    cJSON_AddNumberToObject(object, "width", spec.width);
    cJSON_AddNumberToObject(object, "classes", spec.classes);
    if (parts->class_names.names)
        cJSON_AddItemToObject(
            object, "class_names",
            cJSON_CreateStringArray((const char *const *)parts->class_names.names, parts->class_names.count));
    add_part(object, "train", &parts->train, &parts->train_source);
    add_part(object, "test", &parts->test, &parts->test_source);
    char *text = cJSON_PrintUnformatted(object);
    puts(text);
    cJSON_free(text);
    cJSON_Delete(object);
}

static void print_report(const PrepareArguments *arguments, const DatasetParts *parts) {
    if (arguments->json) {
        print_json(arguments->out, parts);
        return;
    }
    print_part("train", &parts->train, &parts->train_source, &parts->class_names);
    print_part("test", &parts->test, &parts->test_source, &parts->class_names);
}

/* STATUS_USAGE if out is one of the IDX files that may be read. Collective. */
static StatusCode check_inputs(const Context *context, const char *idx, const char *out, Status *status) {
    static const char *const names[] = {"train", "t10k", "test"};
    enum { EACH = 2 * IDX_VARIANTS, PARTS = sizeof names / sizeof *names };
    char *paths[PARTS * EACH];
    for (int part = 0; part < PARTS; part++)
        idx_paths(idx, names[part], paths + part * EACH);
    check_output(context, out, PARTS * EACH, paths, status);
    for (int i = 0; i < PARTS * EACH; i++)
        mem_free(paths[i]);
    return status->code;
}

static StatusCode check_arguments(PrepareArguments *arguments, Status *status) {
    PictureOptions *pictures = &arguments->as_pictures;
    if (!arguments->out || !arguments->idx == !arguments->pictures)
        return status_set(status, STATUS_USAGE,
                          "--out and either --idx or --pictures are needed; see `pardigits prepare --help`.");
    if (arguments->pictures &&
        (arguments->labels_from || arguments->as_idx.transpose || arguments->as_idx.name_file))
        return status_set(status, STATUS_USAGE,
                          "--labels-from, --transpose and --class-names belong to --idx; pictures have their "
                          "classes from their folders.");
    if (arguments->idx && (arguments->shape || pictures->invert))
        return status_set(status, STATUS_USAGE, "--shape and --invert belong to --pictures.");
    arguments->as_idx.labels_from = -1;
    if (arguments->labels_from) {
        if (strcmp(arguments->labels_from, "0") != 0 && strcmp(arguments->labels_from, "1") != 0)
            return status_set(status, STATUS_USAGE, "--labels-from %s: expected 0 or 1.",
                              arguments->labels_from);
        arguments->as_idx.labels_from = *arguments->labels_from - '0';
    }
    if (arguments->shape) shape_parse(arguments->shape, &pictures->height, &pictures->width, status);
    return status->code;
}

StatusCode cmd_prepare(const Context *context, int argc, char **argv, Status *status) {
    PrepareArguments arguments = {0};
    int operands;
    const Option options[] = {{.name = "idx", .value = &arguments.idx},
                              {.name = "pictures", .value = &arguments.pictures},
                              {.name = "out", .value = &arguments.out},
                              {.name = "class-names", .value = &arguments.as_idx.name_file},
                              {.name = "labels-from", .value = &arguments.labels_from},
                              {.name = "transpose", .flag = &arguments.as_idx.transpose},
                              {.name = "shape", .value = &arguments.shape},
                              {.name = "invert", .flag = &arguments.as_pictures.invert},
                              {.name = "json", .flag = &arguments.json},
                              {0}};
    if (options_parse(argc, argv, options, &(Operands){0, 0, NULL}, &operands, status) ||
        check_arguments(&arguments, status))
        return status->code;
    if (arguments.idx ? check_inputs(context, arguments.idx, arguments.out, status)
                      : check_output(context, arguments.out, 0, NULL, status))
        return status->code;
    if (comm_rank(context->comm) == 0) {
        DatasetParts parts = {0};
        if (arguments.idx)
            idx_parts_read(arguments.idx, &arguments.as_idx, &parts, status);
        else
            picture_folder_read(arguments.pictures, &arguments.as_pictures, &parts, status);
        if (!status->code && !dataset_write(arguments.out, &parts, status)) print_report(&arguments, &parts);
        dataset_parts_free(&parts);
        finish_output(status);
    }
    return comm_agree(context->comm, status);
}
