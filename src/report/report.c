#include "report/report.h"

#include "core/mem.h"
#include "report/describe.h"
#include "report/predictions.h"

#include <string.h>

Report report_new(int room, const char *split) {
    return (Report){.split = split,
                    .runs = mem_new((size_t)room, sizeof(ReportRun)),
                    .sets = mem_new((size_t)room, sizeof(ReportSet)),
                    .facts = output_create(OUTPUT_JSON, OUTPUT_LINES)};
}

void report_free(Report *report) {
    for (int r = 0; r < report->count; r++) {
        mem_free(report->runs[r].name);
        mem_free(report->runs[r].predictions);
        metrics_free_table(&report->runs[r].epochs);
        metrics_free_table(&report->runs[r].phases);
    }
    for (int s = 0; s < report->set_count; s++) {
        image_set_free(&report->sets[s].images);
        class_names_free(&report->sets[s].class_names);
        mem_free(report->sets[s].data);
        mem_free(report->sets[s].shown);
    }
    mem_free(report->runs);
    mem_free(report->sets);
    output_destroy(&report->facts);
    *report = (Report){0};
}

static ReportRun *current(Report *report) {
    return &report->runs[report->count - 1];
}

void report_begin_run(Report *report, const char *name) {
    report->runs[report->count++] = (ReportRun){.name = mem_text(name), .set = -1};
    output_record(report->facts);
    output_text(report->facts, "name", NULL, name);
}

StatusCode report_add_metrics(Report *report, const H5File *file, Status *status) {
    output_begin(report->facts, "metrics", NULL, OUTPUT_LINES);
    describe_metrics(report->facts, file, "/steps", status); /* thousands of rows */
    output_end(report->facts);
    metrics_read_table_if_there(file, "/epochs", &current(report)->epochs, status);
    metrics_read_table_if_there(file, "/phases", &current(report)->phases, status);
    return status->code;
}

StatusCode report_add_model(Report *report, const Model *model, Status *status) {
    output_begin(report->facts, "model", NULL, OUTPUT_LINES);
    describe_model(report->facts, model, status);
    output_end(report->facts);
    return status->code;
}

static bool has_same_pixels(const ImageSet *a, const ImageSet *b) {
    return a->n == b->n && a->spec.height == b->spec.height && a->spec.width == b->spec.width &&
           !memcmp(a->images, b->images, (size_t)(a->n * image_spec_pixels(a->spec)));
}

/* Whether a set can be shown as another one: the classes have the same numbers and names. */
static bool is_same(const ReportSet *a, const ImageSet *b, const ClassNames *names) {
    char of_a[12], of_b[12];
    for (int c = 0; c < b->spec.classes; c++)
        if (strcmp(class_name(&a->class_names, c, of_a), class_name(names, c, of_b))) return false;
    return a->images.spec.classes == b->spec.classes && has_same_pixels(&a->images, b) &&
           !memcmp(a->images.labels, b->labels, (size_t)b->n);
}

/* Whether each image is of the same class, by its name. */
static bool has_same_names(const ReportSet *a, const ReportSet *b) {
    char of_a[12], of_b[12];
    for (int64_t i = 0; i < a->images.n; i++)
        if (strcmp(class_name(&a->class_names, a->images.labels[i], of_a),
                   class_name(&b->class_names, b->images.labels[i], of_b)))
            return false;
    return true;
}

static int find_same(const Report *report, int s) {
    const ReportSet *sets = report->sets;
    for (int earlier = 0; earlier < s; earlier++)
        if (has_same_pixels(&sets[earlier].images, &sets[s].images) &&
            has_same_names(&sets[earlier], &sets[s]))
            return earlier;
    return s;
}

/* The place of a set, which is added if it isn't there; it is taken over. */
static int place_set(Report *report, const Model *model, const char *data, ImageSet *images) {
    int s = 0;
    while (s < report->set_count && !is_same(&report->sets[s], images, &model->class_names))
        s++;
    if (s < report->set_count) {
        image_set_free(images);
        return s;
    }
    report->sets[s] = (ReportSet){.images = *images,
                                  .class_names = class_names_copy(&model->class_names),
                                  .data = mem_text(data),
                                  .shown = mem_new((size_t)images->n, sizeof(bool))};
    report->sets[s].same_as = find_same(report, s);
    report->set_count++;
    *images = (ImageSet){0};
    return s;
}

void report_add_predictions(Report *report, const Model *model, const ReportAsked *asked, ImageSet *images,
                            Prediction *predictions) {
    ReportRun *run = current(report);
    run->set = place_set(report, model, asked->data, images);
    run->predictions = predictions;
    ReportSet *set = &report->sets[run->set];
    output_integer(report->facts, "set", NULL, run->set);
    output_text(report->facts, "data", NULL, asked->data);
    output_integer(report->facts, "first", NULL, asked->first);
    output_real(report->facts, "seconds", NULL, asked->seconds, "%g");
    if (asked->doubt) output_text(report->facts, "doubt", NULL, asked->doubt);
    predictions_describe(report->facts, predictions, &set->images, set->shown);
}

void report_add_no_predictions(Report *report, const char *why) {
    output_text(report->facts, "no_predictions", NULL, why);
}

void report_add_no_metrics(Report *report, const char *why) {
    output_text(report->facts, "no_metrics", NULL, why);
}
