#include "report/scaling_figure.h"

#include "report/gnuplot.h"
#include "report/scaling_table.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* A block of data: workers, median, least, most; unknown values are left out. */
static void print_data(FILE *script, const char *name, const ScalingStudy *study, size_t spread) {
    fprintf(script, "$%s << EOD\n", name);
    for (int p = 0; p < study->count; p++) {
        const ScalingPoint *point = &study->points[p];
        const Spread *values = (const Spread *)((const char *)point + spread);
        if (!isnan(values->median))
            fprintf(script, "%lld %.9g %.9g %.9g\n", (long long)scaling_run_workers(point->run),
                    values->median, values->least, values->most);
    }
    fprintf(script, "EOD\n");
}

/* A share of the time that only some studies have: the name of its data, its title. */
typedef struct {
    const char *name, *title;
    size_t spread; /* offset in a ScalingPoint */
    int line_style;
} Share;

static const Share shares[] = {
    {"wait", "waiting", offsetof(ScalingPoint, wait_share), 2},
    {"exposed", "exposed communication", offsetof(ScalingPoint, exposed_share), 3}};
enum { SHARES = sizeof shares / sizeof *shares };

static bool has_share(const ScalingStudy *study, const Share *share) {
    for (int p = 0; p < study->count; p++) {
        const Spread *values = (const Spread *)((const char *)&study->points[p] + share->spread);
        if (!isnan(values->median)) return true;
    }
    return false;
}

/* The numbers of workers are the marks of the axis; the ideal has a line of its own. */
static void print_axis(FILE *script, const ScalingStudy *study) {
    const int64_t least = scaling_run_workers(study->points[0].run),
                  most = scaling_run_workers(study->points[study->count - 1].run);
    fprintf(script,
            "$ideal << EOD\n%lld 1 100\n%lld %.9g 100\nEOD\n"
            "set logscale x 2\nset xrange [%.9g:%.9g]\nset xlabel 'workers (ranks x threads)'\nset xtics (",
            (long long)least, (long long)most, (double)most / (double)least, (double)least / 1.1,
            (double)most * 1.1);
    for (int p = 0; p < study->count; p++)
        fprintf(script, "%s%lld", p ? ", " : "", (long long)scaling_run_workers(study->points[p].run));
    fprintf(script, ")\n");
}

static void print_head(FILE *script, const ScalingStudy *study) {
    char title[SCALING_TITLE], base[SCALING_TITLE], whole[2 * SCALING_TITLE + 64];
    scaling_study_title(study, title);
    scaling_study_base(study, base);
    snprintf(whole, sizeof whole, "%s: %s; speed-up over %s",
             config_text(study->points[0].run->config, "run.model"), title, base);
    fprintf(script, "set multiplot layout 1,2 title ");
    gnuplot_print_quoted(script, whole);
    fprintf(script,
            " noenhanced\nset style line 2 pointsize 1.3\nset bmargin 4\nset tmargin 6\nset rmargin 3\n");
    print_axis(script, study);
}

static void print_panels(FILE *script, const ScalingStudy *study) {
    fprintf(
        script,
        "set key at graph 0.47,1.11 center vertical maxrows 2 reverse Left samplen 3 width -4\nset ylabel "
        "'speed-up'\nset logscale y 2\nset yrange [*:*]\n"
        "plot $ideal using 1:2 with lines linestyle 8 title 'ideal', "
        "$speedup using 1:2:3:4 with yerrorbars linestyle 1 notitle, "
        "$speedup using 1:2 with linespoints linestyle 1 title 'median, least to most'\n");
    fprintf(script,
            "unset logscale y\nset ylabel '%s (%%)'\nset yrange [0:105<*]\n"
            "plot $ideal using 1:3 with lines linestyle 8 title 'ideal', "
            "$efficiency using 1:(100 * $2):(100 * $3):(100 * $4) with yerrorbars linestyle 1 notitle, "
            "$efficiency using 1:(100 * $2) with linespoints linestyle 1 title 'efficiency'",
            has_share(study, shares) ? "efficiency; share of the time" : "efficiency");
    for (int s = 0; s < SHARES; s++)
        if (has_share(study, &shares[s]))
            fprintf(script, ", $%s using 1:(100 * $2) with linespoints linestyle %d title '%s'",
                    shares[s].name, shares[s].line_style, shares[s].title);
    fprintf(script, "\nunset multiplot\n");
}

static void print_figure(FILE *script, const void *context) {
    const ScalingStudy *study = context;
    print_data(script, "speedup", study, offsetof(ScalingPoint, speedup));
    print_data(script, "efficiency", study, offsetof(ScalingPoint, efficiency));
    for (int s = 0; s < SHARES; s++)
        if (has_share(study, &shares[s])) print_data(script, shares[s].name, study, shares[s].spread);
    print_head(script, study);
    print_panels(script, study);
}

void scaling_figure_name(const ScalingStudies *studies, int s, char name[SCALING_FIGURE_NAME]) {
    int same = 1;
    for (int earlier = 0; earlier < s; earlier++)
        same += studies->items[earlier].measure == studies->items[s].measure &&
                !strcmp(studies->items[earlier].kind, studies->items[s].kind);
    snprintf(name, SCALING_FIGURE_NAME, same > 1 ? "%s-%s-%d" : "%s-%s", studies->items[s].kind,
             scaling_measure_name(studies->items[s].measure), same);
}

StatusCode scaling_figure_draw(const ScalingStudy *study, const char *folder, const char *name,
                               Status *status) {
    return gnuplot_draw(&(Figure){folder, name, 1000, 500, print_figure, study}, status);
}
