#include "report/scaling_figure.h"

#include "report/scaling_table.h"

#include <math.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool scaling_figure_can_draw(void) {
    const char *folders = getenv("PATH");
    for (const char *folder = folders; folder; folder = strchr(folder, ':')) {
        if (*folder == ':') folder++;
        char path[4096];
        snprintf(path, sizeof path, "%.*s/gnuplot", (int)strcspn(folder, ":"), folder);
        if (access(path, X_OK) == 0) return true;
    }
    return false;
}

/* A text within gnuplot's single quotes. */
static void print_quoted(FILE *script, const char *text) {
    fputc('\'', script);
    for (; *text; text++) {
        if (*text == '\'') fputc('\'', script);
        fputc(*text, script);
    }
    fputc('\'', script);
}

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

static bool has_waits(const ScalingStudy *study) {
    for (int p = 0; p < study->count; p++)
        if (!isnan(study->points[p].wait_share.median)) return true;
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

/* Both figures have the same script after these lines. Colours: Okabe and Ito's, which colour-blind people
 * can tell apart; shapes and dashes differ, too. */
static void print_head(FILE *script, const ScalingStudy *study, const char *terminal, const char *path) {
    char title[SCALING_TITLE], base[SCALING_TITLE], whole[2 * SCALING_TITLE + 64];
    scaling_study_title(study, title);
    scaling_study_base(study, base);
    snprintf(whole, sizeof whole, "%s: %s; speed-up over %s",
             config_text(study->points[0].run->config, "run.model"), title, base);
    fprintf(script, "reset\nset terminal %s\nset output ", terminal);
    print_quoted(script, path);
    fprintf(script, "\nset multiplot layout 1,2 title ");
    print_quoted(script, whole);
    fprintf(script,
            " noenhanced\n"
            "set style line 1 linecolor rgb '#0072B2' linewidth 2 pointtype 7 pointsize 0.9\n"
            "set style line 2 linecolor rgb '#666666' linewidth 1.5 dashtype 2\n"
            "set style line 3 linecolor rgb '#D55E00' linewidth 3 pointtype 8 pointsize 2\n"
            "set style line 4 linecolor rgb '#009E73' linewidth 1.5 dashtype 4 pointtype 5 pointsize 0.7\n"
            "set grid linecolor rgb '#dddddd' linetype 1 linewidth 0.5\nset border 3\n"
            "set tics nomirror\nset bmargin 4\nset tmargin 6\nset rmargin 3\n");
    print_axis(script, study);
}

static void print_panels(FILE *script, bool waits) {
    fprintf(
        script,
        "set key at graph 0.47,1.11 center vertical maxrows 2 reverse Left samplen 3 width -4\nset ylabel "
        "'speed-up'\nset logscale y 2\nset yrange [*:*]\n"
        "plot $ideal using 1:2 with lines linestyle 2 title 'ideal', "
        "$speedup using 1:2:3:4 with yerrorbars linestyle 1 notitle, "
        "$speedup using 1:2 with linespoints linestyle 1 title 'median, least to most'\n");
    fprintf(script,
            "unset logscale y\nset ylabel '%s (%%)'\nset yrange [0:105<*]\n"
            "plot $ideal using 1:3 with lines linestyle 2 title 'ideal', "
            "$efficiency using 1:(100 * $2):(100 * $3):(100 * $4) with yerrorbars linestyle 1 notitle, "
            "$efficiency using 1:(100 * $2) with linespoints linestyle 1 title 'efficiency'",
            waits ? "efficiency; share of the time" : "efficiency");
    if (waits)
        fprintf(script, ", $wait using 1:(100 * $2) with linespoints linestyle 3 title 'waiting', "
                        "$exposed using 1:(100 * $2) with linespoints linestyle 4 title "
                        "'exposed communication'");
    fprintf(script, "\nunset multiplot\nset output\n");
}

static void print_figure(FILE *script, const ScalingStudy *study, const char *terminal, const char *path) {
    const bool waits = has_waits(study);
    print_data(script, "speedup", study, offsetof(ScalingPoint, speedup));
    print_data(script, "efficiency", study, offsetof(ScalingPoint, efficiency));
    if (waits) {
        print_data(script, "wait", study, offsetof(ScalingPoint, wait_share));
        print_data(script, "exposed", study, offsetof(ScalingPoint, exposed_share));
    }
    print_head(script, study, terminal, path);
    print_panels(script, waits);
}

StatusCode scaling_figure_draw(const ScalingStudy *study, const char *folder, const char *name,
                               Status *status) {
    static const struct {
        const char *ending, *terminal;
    } formats[] = {{"svg", "svg size 1000,500 font 'sans,14' background 'white'"},
                   {"png", "pngcairo size 1000,500 font 'sans,11'"}};
    void (*broken_pipe)(int) = signal(SIGPIPE, SIG_IGN); /* of a gnuplot that has ended: pclose tells */
    FILE *script = popen("gnuplot", "w");
    for (size_t f = 0; script && f < sizeof formats / sizeof *formats; f++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s.%s", folder, name, formats[f].ending);
        print_figure(script, study, formats[f].terminal, path);
    }
    const bool good = script && pclose(script) == 0;
    signal(SIGPIPE, broken_pipe);
    if (!good)
        status_set(status, STATUS_FAILED, "gnuplot failed to draw %s/%s.svg and .png: see its message above.",
                   folder, name);
    return status->code;
}
