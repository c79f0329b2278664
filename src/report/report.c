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

static bool is_same(const ImageSet *a, const ImageSet *b) {
    return a->n == b->n && image_spec_equal(a->spec, b->spec) &&
           !memcmp(a->labels, b->labels, (size_t)a->n) &&
           !memcmp(a->images, b->images, (size_t)(a->n * image_spec_pixels(a->spec)));
}

/* The place of a set, which is added if it isn't there; it is taken over. */
static int place_set(Report *report, const Model *model, const char *data, ImageSet *images) {
    int s = 0;
    while (s < report->set_count && !is_same(&report->sets[s].images, images))
        s++;
    if (s < report->set_count) {
        image_set_free(images);
        return s;
    }
    report->sets[report->set_count++] = (ReportSet){*images, class_names_copy(&model->class_names),
                                                    mem_text(data), mem_new((size_t)images->n, sizeof(bool))};
    *images = (ImageSet){0};
    return s;
}

void report_add_predictions(Report *report, const Model *model, const char *data, ImageSet *images,
                            Prediction *predictions, double seconds) {
    ReportRun *run = current(report);
    run->set = place_set(report, model, data, images);
    run->predictions = predictions;
    ReportSet *set = &report->sets[run->set];
    output_integer(report->facts, "set", NULL, run->set);
    output_real(report->facts, "seconds", NULL, seconds, "%g");
    predictions_describe(report->facts, predictions, &set->images, set->shown);
}

void report_add_no_predictions(Report *report, const char *why) {
    output_text(report->facts, "no_predictions", NULL, why);
}
