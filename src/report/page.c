#include "report/report.h"

#include "core/mem.h"
#include "core/text_buffer.h"
#include "data/image_png.h"
#include "parallel/stop.h"
#include "report/gnuplot.h"
#include "report/page_figures.h"
#include "report/page_files.h"
#include "report/page_studies.h"
#include "report/scaling_table.h"
#include "report/statistics.h"
#include "store/atomic_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void add_head(Output *output, const Report *report, const ReportFiles *files) {
    char made[32];
    const time_t now = time(NULL);
    struct tm parts;
    strftime(made, sizeof made, "%Y-%m-%d %H:%M", localtime_r(&now, &parts));
    output_record(output);
    output_text(output, "made", NULL, made);
    output_text(output, "build", NULL, files->build);
    output_text(output, "split", NULL, report->split);
}

static void add_sets(Output *output, const Report *report) {
    output_begin(output, "sets", NULL, OUTPUT_TABLE);
    for (int s = 0; s < report->set_count; s++) {
        const ReportSet *set = &report->sets[s];
        output_record(output);
        output_text(output, "data", NULL, set->data);
        output_integer(output, "n", NULL, set->images.n);
        output_begin(output, "classes", NULL, OUTPUT_TABLE);
        for (int c = 0; c < set->images.spec.classes; c++) {
            char number[12];
            output_record(output);
            output_text(output, "name", NULL, class_name(&set->class_names, c, number));
        }
        output_end(output);
    }
    output_end(output);
}

/* The images that are shown, each once. */
static void add_images(Output *output, const Report *report) {
    output_begin(output, "images", NULL, OUTPUT_TABLE);
    for (int s = 0; s < report->set_count; s++) {
        const ReportSet *set = &report->sets[s];
        const int pixels = image_spec_pixels(set->images.spec);
        for (int64_t i = 0; i < set->images.n; i++) {
            if (!set->shown[i]) continue;
            char *png = image_png_uri(set->images.images + i * pixels, set->images.spec);
            output_record(output);
            output_integer(output, "set", NULL, s);
            output_integer(output, "index", NULL, i);
            output_text(output, "png", NULL, png);
            mem_free(png);
        }
    }
    output_end(output);
}

static void add_pair(Output *output, const Report *report, int a, int b) {
    const Prediction *of_a = report->runs[a].predictions, *of_b = report->runs[b].predictions;
    const ImageSet *set_a = &report->sets[report->runs[a].set].images,
                   *set_b = &report->sets[report->runs[b].set].images;
    int64_t only_a = 0, only_b = 0;
    for (int64_t i = 0; i < set_a->n; i++) {
        const bool a_right = of_a[i].label == set_a->labels[i], b_right = of_b[i].label == set_b->labels[i];
        only_a += a_right && !b_right;
        only_b += b_right && !a_right;
    }
    output_record(output);
    output_integer(output, "a", NULL, a);
    output_integer(output, "b", NULL, b);
    output_integer(output, "only_a", NULL, only_a);
    output_integer(output, "only_b", NULL, only_b);
    output_real(output, "p", NULL, mcnemar_test(only_a, only_b), "%g");
}

static bool has_same_images(const Report *report, int a, int b) {
    const int of_a = report->runs[a].set, of_b = report->runs[b].set;
    return of_a >= 0 && of_b >= 0 && report->sets[of_a].same_as == report->sets[of_b].same_as;
}

/* All pairs of runs that were asked for the same images. */
static void add_pairs(Output *output, const Report *report) {
    output_begin(output, "pairs", NULL, OUTPUT_TABLE);
    for (int a = 0; a < report->count; a++)
        for (int b = a + 1; b < report->count; b++)
            if (has_same_images(report, a, b)) add_pair(output, report, a, b);
    output_end(output);
}

static void add_study(const char *name, const ScalingStudies *studies, int s, void *context) {
    (void)name;
    scaling_table_add_study(context, &studies->items[s]);
    output_text(context, "configuration_of", NULL, studies->items[s].points[0].run->path);
}

static void add_studies(Output *output, const ReportFiles *files) {
    output_begin(output, "studies", NULL, OUTPUT_TABLE);
    page_studies_use(files, add_study, output);
    output_end(output);
}

/* Draws to the folder that the user named, or to one that is removed again. */
static StatusCode add_figures(Output *output, const Report *report, const ReportFiles *files,
                              Status *status) {
    if (files->figures) return page_figures_draw(report, files, files->figures, output, status);
    const char *temporary = getenv("TMPDIR");
    char *folder = mem_format("%s/pardigits-figures.XXXXXX", temporary ? temporary : "/tmp");
    stop_hold(); /* the folder isn't to stay; gnuplot_draw notices a signal */
    if (!mkdtemp(folder))
        status_set(status, STATUS_FAILED,
                   "No folder for figures can be made in %s: %s; set TMPDIR to another one.",
                   temporary ? temporary : "/tmp", strerror(errno));
    else
        page_figures_draw(report, files, folder, output, status);
    DIR *listed = opendir(folder);
    for (struct dirent *entry; listed && (entry = readdir(listed));)
        if (*entry->d_name != '.') unlinkat(dirfd(listed), entry->d_name, 0);
    if (listed) closedir(listed);
    rmdir(folder);
    stop_release();
    mem_free(folder);
    return status->code;
}

/* A page without figures has the numbers nevertheless. */
static void try_figures(Output *output, const Report *report, const ReportFiles *files, Status *undrawn,
                        Status *status) {
    if (!gnuplot_is_there()) {
        output_text(output, "no_figures", NULL,
                    "There are no figures, as gnuplot wasn't there when this page was made.");
        return;
    }
    if (add_figures(output, report, files, undrawn) == STATUS_STOPPED) *status = *undrawn;
    if (undrawn->code)
        output_text(output, "no_figures", NULL,
                    "Figures are missing, as they couldn't be drawn when this page was made: the log of "
                    "`pardigits report` says why.");
}

/* JSON within a page: no text in it can end the element that it stands in. */
static void print_json(FILE *page, const Output *output) {
    TextBuffer text;
    text_buffer_init(&text);
    output_write(output, text.file);
    for (const char *at = text_buffer_text(&text); *at; at++)
        if (*at == '<')
            fputs("\\u003c", page);
        else
            fputc(*at, page);
    text_buffer_free(&text);
}

/* What a page says: of each run, and of all of them. */
typedef struct {
    const Output *facts, *whole;
} PageContent;

/* The page is page.html with what its markers stand for. */
static void print_page(FILE *page, const void *context) {
    const PageContent *content = context;
    static const char *const markers[] = {"<!--STYLE-->", "<!--PAGE-->", "<!--RUNS-->", "<!--SCRIPT-->"};
    const char *rest = page_html;
    for (int m = 0; m < 4; m++) {
        const char *marker = strstr(rest, markers[m]);
        if (!marker) fatal("page.html lacks the marker %s", markers[m]);
        fwrite(rest, 1, (size_t)(marker - rest), page);
        rest = marker + strlen(markers[m]);
        if (m == 0) fputs(page_css, page);
        if (m == 1) print_json(page, content->whole);
        if (m == 2) print_json(page, content->facts);
        if (m == 3) fputs(page_js, page);
    }
    fputs(rest, page);
}

StatusCode report_write(const Report *report, const ReportFiles *files, Status *undrawn, Status *status) {
    Output *whole = output_create(OUTPUT_JSON, OUTPUT_LINES);
    add_head(whole, report, files);
    add_sets(whole, report);
    add_images(whole, report);
    add_pairs(whole, report);
    add_studies(whole, files);
    try_figures(whole, report, files, undrawn, status);
    if (!status->code)
        atomic_file_write(files->path, print_page, &(PageContent){report->facts, whole}, status);
    output_destroy(&whole);
    return status->code;
}
