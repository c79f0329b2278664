#include "report/page_figures.h"

#include "core/mem.h"
#include "core/text_buffer.h"
#include "report/gnuplot.h"
#include "report/page_studies.h"
#include "report/run_figures.h"
#include "report/scaling_figure.h"
#include "report/scaling_table.h"

#include <errno.h>
#include <string.h>

/* The whole of a file as text; freed by the caller. NULL after a failure. */
static char *read_text(const char *path, Status *status) {
    FILE *file = fopen(path, "rb");
    char block[4096], *copy = NULL;
    TextBuffer text;
    text_buffer_init(&text);
    for (size_t got; file && (got = fread(block, 1, sizeof block, file)) > 0;)
        fwrite(block, 1, got, text.file);
    if (!file || ferror(file))
        status_set(status, STATUS_FAILED, "%s can't be read: %s.", path, strerror(errno));
    else
        copy = mem_text(text_buffer_text(&text));
    if (file) fclose(file);
    text_buffer_free(&text);
    return copy;
}

/* A figure that has been drawn becomes a row. run: -1 for all of them. */
static StatusCode add_figure(Output *output, const char *folder, const char *name, const char *kind,
                             const char *title, int run, Status *status) {
    char *path = mem_format("%s/%s.svg", folder, name), *svg = status->code ? NULL : read_text(path, status);
    if (svg) {
        output_record(output);
        output_text(output, "name", NULL, name);
        output_text(output, "kind", NULL, kind);
        output_text(output, "title", NULL, title);
        output_integer(output, "run", NULL, run);
        output_text(output, "svg", NULL, svg);
    }
    mem_free(svg);
    mem_free(path);
    return status->code;
}

/* Where the figures of studies go. */
typedef struct {
    const char *folder;
    Output *output;
    Status *status;
} Drawing;

static void draw_study(const char *runs, const ScalingStudies *studies, int s, void *context) {
    const Drawing *drawing = context;
    const ScalingStudy *study = &studies->items[s];
    char figure[SCALING_FIGURE_NAME], name[SCALING_FIGURE_NAME + 32], title[SCALING_TITLE];
    scaling_figure_name(studies, s, figure);
    scaling_study_title(study, title);
    snprintf(name, sizeof name, "%s-%s", runs, figure);
    if (!scaling_figure_draw(study, drawing->folder, name, drawing->status))
        add_figure(drawing->output, drawing->folder, name, "scaling", title, -1, drawing->status);
}

/* Whether any run has what a figure shows. */
static bool any(const Report *report, bool (*has)(const Report *report, const ReportRun *run)) {
    for (int r = 0; r < report->count; r++)
        if (has(report, &report->runs[r])) return true;
    return false;
}

StatusCode page_figures_draw(const Report *report, const ReportFiles *files, const char *folder,
                             Output *output, Status *status) {
    output_begin(output, "figures", NULL, OUTPUT_TABLE);
    for (int f = 0; f < RUN_FIGURES; f++) {
        const RunFigure *drawn = &run_figures[f];
        if (!any(report, drawn->has)) continue;
        const RunFigureOf shown = {report, -1};
        const int height = drawn->height + report->count * drawn->row_height;
        const Figure figure = {folder, drawn->kind, drawn->width, height, drawn->print, &shown};
        if (!gnuplot_draw(&figure, status))
            add_figure(output, folder, drawn->kind, drawn->kind, drawn->title, -1, status);
    }
    for (int r = 0; r < report->count && !status->code; r++) {
        if (report->runs[r].set < 0) continue;
        char name[32], title[512];
        const RunFigureOf shown = {report, r};
        const int side = report->sets[report->runs[r].set].images.spec.classes > 20 ? 960 : 640;
        snprintf(name, sizeof name, "confusion-%d", r + 1);
        snprintf(title, sizeof title, "Confusion matrix of %s", report->runs[r].name);
        if (!gnuplot_draw(&(Figure){folder, name, side, side, run_figure_print_confusion, &shown}, status))
            add_figure(output, folder, name, "confusion", title, r, status);
    }
    page_studies_use(files, draw_study, &(Drawing){folder, output, status});
    output_end(output);
    return status->code;
}
