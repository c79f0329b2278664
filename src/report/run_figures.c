#include "report/run_figures.h"

#include "core/integers.h"
#include "model/confusion.h"
#include "model/phases.h"
#include "report/gnuplot.h"
#include "report/predictions.h"
#include "report/statistics.h"

#include <math.h>

/* Fewer images say nothing, with intervals that hide the other points. */
enum { CALIBRATION_LEAST = 5 };

/* Marks of an axis that can be read beside each other. */
enum { MARKS_MOST = 40 };

/* Pixels of the figure of learning curves without its key, and half a line of the key. */
enum { LEARNING_HEIGHT = 460, LEARNING_ROW = 10 };

static const ImageSet *images_of(const Report *report, const ReportRun *run) {
    return &report->sets[run->set].images;
}

static double value_at(const MetricsTable *table, int64_t row, int column) {
    return column < 0 ? NAN : table->values[row * table->columns + column];
}

static bool has_predictions(const Report *report, const ReportRun *run) {
    (void)report;
    return run->set >= 0;
}

static bool has_epochs(const Report *report, const ReportRun *run) {
    (void)report;
    return run->epochs.rows > 0;
}

static bool has_phases(const Report *report, const ReportRun *run) {
    (void)report;
    return run->phases.rows > 0;
}

/* How a data block is plotted. */
typedef struct {
    const char *as, *but; /* using and with; what differs from the run's line style, or "" */
} Plot;

/* Prints "plot", and for each run that has what is shown the plots of its data block $run0, $run1, ... Names
 * stand in the key if titled. */
static void plot_runs(FILE *script, const Report *report,
                      bool (*has)(const Report *report, const ReportRun *run), const Plot *plots,
                      bool titled) {
    int plotted = 0;
    for (int r = 0; r < report->count; r++) {
        if (!has(report, &report->runs[r])) continue;
        for (int p = 0; plots[p].as; p++) {
            fprintf(script, "%s$run%d %s linestyle %d %s ", plotted++ ? ", " : "plot ", r, plots[p].as,
                    r % GNUPLOT_SERIES + 1, plots[p].but);
            if (p || !titled) {
                fprintf(script, "notitle");
            } else {
                fprintf(script, "title ");
                gnuplot_print_name(script, report->runs[r].name);
                fprintf(script, " noenhanced");
            }
        }
    }
    fputc('\n', script);
}

/* Rows of one network or member, with an empty line between members. */
static void print_epochs(FILE *script, const MetricsTable *epochs) {
    const int member = metrics_column(epochs, "member"), epoch = metrics_column(epochs, "epoch"),
              loss = metrics_column(epochs, "train_loss"), train = metrics_column(epochs, "train_accuracy"),
              valid = metrics_column(epochs, "valid_accuracy"),
              valid_loss = metrics_column(epochs, "valid_loss");
    for (int64_t i = 0; i < epochs->rows; i++) {
        if (i && member >= 0 && value_at(epochs, i, member) != value_at(epochs, i - 1, member))
            fputc('\n', script);
        fprintf(script, "%g %.9g %.9g %.9g %.9g\n", value_at(epochs, i, epoch), value_at(epochs, i, loss),
                100 * value_at(epochs, i, train), 100 * value_at(epochs, i, valid),
                value_at(epochs, i, valid_loss));
    }
}

/* A logarithmic axis needs a number above 0. */
static bool any_loss(const Report *report) {
    for (int r = 0; r < report->count; r++) {
        const MetricsTable *epochs = &report->runs[r].epochs;
        const int loss = metrics_column(epochs, "train_loss"),
                  valid_loss = metrics_column(epochs, "valid_loss");
        for (int64_t i = 0; i < epochs->rows; i++)
            if (value_at(epochs, i, loss) > 0 || value_at(epochs, i, valid_loss) > 0) return true;
    }
    return false;
}

static int64_t most_epochs(const Report *report) {
    int64_t most = 0;
    for (int r = 0; r < report->count; r++)
        most = larger(most, report->runs[r].epochs.rows);
    return most;
}

/* Room below the panels for the key, in two columns, whatever the names are: their margins in shares of the
 * figure. */
static void print_learning_layout(FILE *script, const Report *report) {
    int runs = 0;
    for (int r = 0; r < report->count; r++)
        runs += has_epochs(report, &report->runs[r]);
    const double height = LEARNING_HEIGHT + LEARNING_ROW * report->count,
                 key = 24 + 2 * LEARNING_ROW * (double)divide_up(runs, 2);
    fprintf(script,
            "set multiplot layout 1,2 margins screen 0.07, 0.98, %.4f, %.4f spacing screen 0.09\n"
            "set key at screen 0.5, screen %.4f center bottom vertical maxrows %d noautotitle\n",
            (key + 48) / height, 1 - 44 / height, 6 / height, (int)divide_up(runs, 2));
}

static void print_learning(FILE *script, const void *context) {
    const Report *report = ((const RunFigureOf *)context)->report;
    for (int r = 0; r < report->count; r++) {
        if (!has_epochs(report, &report->runs[r])) continue;
        fprintf(script, "$run%d << EOD\n", r);
        print_epochs(script, &report->runs[r].epochs);
        fprintf(script, "EOD\n");
    }
    if (most_epochs(report) <= 12) fprintf(script, "set xtics 1\n");
    print_learning_layout(script, report);
    fprintf(script,
            "set xlabel 'epoch'\nset format y '%%g'\n"
            "set title 'loss: training dashed, held-out images solid'\nset ylabel 'nats'\n%s",
            any_loss(report) ? "set logscale y\n" : "");
    plot_runs(script, report, has_epochs,
              (const Plot[]){{"using 1:2 with lines", "dashtype 3"}, {"using 1:5 with linespoints", ""}, {0}},
              true);
    fprintf(script, "unset logscale y\nset title 'accuracy, likewise'\n"
                    "set ylabel '%%'\nset key off\n");
    plot_runs(script, report, has_epochs,
              (const Plot[]){{"using 1:4 with linespoints", ""}, {"using 1:3 with lines", "dashtype 3"}, {0}},
              false);
    fprintf(script, "unset multiplot\n");
}

/* The names of runs as marks of the y axis, the first on top. */
static void print_run_axis(FILE *script, const Report *report) {
    int row = 0;
    fprintf(script, "set ytics noenhanced (");
    for (int r = 0; r < report->count; r++) {
        if (!has_predictions(report, &report->runs[r])) continue;
        fputs(row ? ", " : "", script);
        gnuplot_print_tic(script, report->runs[r].name, row++);
    }
    fprintf(script, ")\nset yrange [%d.5:-0.5]\n", row - 1);
}

static void print_accuracy(FILE *script, const void *context) {
    const Report *report = ((const RunFigureOf *)context)->report;
    int row = 0;
    fprintf(script, "$accuracy << EOD\n");
    for (int r = 0; r < report->count; r++) {
        const ReportRun *run = &report->runs[r];
        if (!has_predictions(report, run)) continue;
        const ImageSet *set = images_of(report, run);
        const int64_t correct = count_correct(run->predictions, set->labels, set->n);
        const Interval interval = wilson_interval(correct, set->n);
        fprintf(script, "%.9g %d %.9g %.9g\n", 100 * (double)correct / (double)set->n, row++,
                100 * interval.low, 100 * interval.high);
    }
    fprintf(script,
            "EOD\nset xlabel 'accuracy (%%), with its 95 %% interval'\nset offsets graph 0.02, 0, 0, 0\n"
            "set xrange [*:*<100]\n");
    print_run_axis(script, report);
    fprintf(script, "plot $accuracy using 1:2:3:4 with xerrorbars linestyle 1 notitle\n");
}

/* Whether any bin is shown. */
static bool has_calibration(const Report *report, const ReportRun *run) {
    CalibrationBin bins[CALIBRATION_BINS];
    if (!has_predictions(report, run)) return false;
    predictions_calibrate(run->predictions, images_of(report, run), bins);
    for (int b = 0; b < CALIBRATION_BINS; b++)
        if (bins[b].n >= CALIBRATION_LEAST) return true;
    return false;
}

static void print_calibration_of(FILE *script, const Report *report, const ReportRun *run) {
    CalibrationBin bins[CALIBRATION_BINS];
    predictions_calibrate(run->predictions, images_of(report, run), bins);
    for (int b = 0; b < CALIBRATION_BINS; b++) {
        if (bins[b].n < CALIBRATION_LEAST) continue;
        const Interval interval = wilson_interval(bins[b].correct, bins[b].n);
        fprintf(script, "%.9g %.9g %.9g %.9g\n", 100 * bins[b].confidence / (double)bins[b].n,
                100 * (double)bins[b].correct / (double)bins[b].n, 100 * interval.low, 100 * interval.high);
    }
}

static void print_calibration(FILE *script, const void *context) {
    const Report *report = ((const RunFigureOf *)context)->report;
    for (int r = 0; r < report->count; r++) {
        if (!has_calibration(report, &report->runs[r])) continue;
        fprintf(script, "$run%d << EOD\n", r);
        print_calibration_of(script, report, &report->runs[r]);
        fprintf(script, "EOD\n");
    }
    fprintf(script, "set xlabel 'mean confidence (%%)'\nset ylabel 'accuracy (%%), with its 95 %% interval'\n"
                    "set xrange [0:100]\nset yrange [0:100]\nset key outside bottom center vertical maxcols "
                    "1\nset arrow from 0,0 to "
                    "100,100 nohead linestyle 8\n");
    plot_runs(script, report, has_calibration,
              (const Plot[]){{"using 1:2 with linespoints", ""}, {"using 1:2:3:4 with yerrorbars", ""}, {0}},
              true);
}

/* The phases that any run spent time in: their places among phase_names; and how many. */
static int find_phases(const Report *report, int places[PHASES]) {
    int found = 0;
    for (int p = 0; p < PHASES; p++) {
        double most = 0;
        for (int r = 0; r < report->count; r++)
            most += phases_sum(&report->runs[r].phases, (Phase)p, "max_s");
        if (most > 0) places[found++] = p;
    }
    return found;
}

static double positive_or(double value, double other) {
    return value > 0 ? value : other;
}

/* The least time above 0 that is drawn. */
static double find_least(const Report *report, const int *places, int found) {
    static const char *const columns[] = {"min_s", "median_s", "max_s"};
    double least = INFINITY;
    for (int r = 0; r < report->count; r++)
        for (int f = 0; f < found; f++)
            for (int c = 0; c < 3; c++)
                least =
                    fmin(least, positive_or(phases_sum(&report->runs[r].phases, (Phase)places[f], columns[c]),
                                            INFINITY));
    return least;
}

/* A run's phases, at this distance from their marks on the axis. A logarithmic axis has no 0: that is drawn
 * at its edge. */
static void print_phases(FILE *script, const MetricsTable *phases, const int *places, int found,
                         double offset, double edge) {
    for (int f = 0; f < found; f++) {
        const Phase phase = (Phase)places[f];
        const double most = phases_sum(phases, phase, "max_s");
        if (most > 0)
            fprintf(script, "%.9g %.9g %.9g %.9g\n", positive_or(phases_sum(phases, phase, "median_s"), edge),
                    f + offset, positive_or(phases_sum(phases, phase, "min_s"), edge), most);
    }
}

/* Runs lie beside each other within a phase. */
static void print_times(FILE *script, const void *context) {
    const Report *report = ((const RunFigureOf *)context)->report;
    int places[PHASES], runs = 0, row = 0;
    const int found = find_phases(report, places);
    const double edge = find_least(report, places, found) / 2;
    for (int r = 0; r < report->count; r++)
        runs += has_phases(report, &report->runs[r]);
    for (int r = 0; r < report->count; r++) {
        if (!has_phases(report, &report->runs[r])) continue;
        fprintf(script, "$run%d << EOD\n", r);
        print_phases(script, &report->runs[r].phases, places, found, 0.6 * ((row++ + 0.5) / runs - 0.5),
                     edge);
        fprintf(script, "EOD\n");
    }
    fprintf(script,
            "set xlabel 'seconds of the median rank, from the least to the most of a rank, of each epoch and "
            "summed; 0 is at the left edge'\n"
            "set logscale x\nset xrange [%.9g:*]\nset format x '%%g'\nset yrange [%d.5:-0.5]\n"
            "set key outside top center horizontal\nset ytics (",
            edge, found - 1);
    for (int f = 0; f < found; f++)
        fprintf(script, "%s'%s' %d", f ? ", " : "", phase_names[places[f]], f);
    fprintf(script, ") noenhanced\n");
    plot_runs(script, report, has_phases, (const Plot[]){{"using 1:2:3:4 with xerrorbars", ""}, {0}}, true);
}

/* Long names leave the matrix no room, and many of them lie upon each other; the page has a table with all.
 */
static bool names_have_room(const ClassNames *names, int classes) {
    return classes <= MARKS_MOST && class_names_width(names, classes) <= 16;
}

/* The classes as marks of an axis; where names have no room their numbers, of many classes every so many. */
static void print_class_axis(FILE *script, char axis, const ClassNames *names, int classes) {
    const bool named = names_have_room(names, classes);
    const int step = (int)divide_up(classes, MARKS_MOST);
    char number[12];
    fprintf(script, "set %ctics %s noenhanced %s (", axis,
            axis == 'x' && (classes > 20 || class_names_width(names, classes) > 2) ? "rotate" : "",
            classes > 20 ? "font ',10'" : "");
    for (int c = 0; c < classes; c += step) {
        fputs(c ? ", " : "", script);
        gnuplot_print_tic(script, class_name(named ? names : &(ClassNames){0}, c, number), c);
    }
    fprintf(script, ")\n");
}

/* Counts are spread over powers of ten: the colour is of their logarithm. Light, so that numbers can be read.
 */
void run_figure_print_confusion(FILE *script, const void *context) {
    const RunFigureOf *shown = context;
    const ReportRun *run = &shown->report->runs[shown->run];
    const ReportSet *set = &shown->report->sets[run->set];
    const int classes = set->images.spec.classes;
    Confusion confusion = confusion_count(run->predictions, set->images.labels, set->images.n, classes);
    const char *numbers = set->class_names.names && !names_have_room(&set->class_names, classes)
                              ? " (number of the class)"
                              : "";
    fprintf(script, "$counts << EOD\n");
    for (int i = 0; i < classes * classes; i++)
        fprintf(script, "%lld%c", (long long)confusion.counts[i], (i + 1) % classes ? ' ' : '\n');
    confusion_free(&confusion);
    fprintf(script,
            "EOD\nunset grid\nset border 15\nset xlabel 'predicted%s'\nset ylabel 'label%s'\nunset colorbox\n"
            "set palette defined (0 '#ffffff', 1 '#8fc1e3')\nset xrange [-0.5:%d.5]\nset yrange [%d.5:-0.5]\n"
            "set size ratio 1\n",
            numbers, numbers, classes - 1, classes - 1);
    for (int axis = 0; axis < 2; axis++)
        print_class_axis(script, axis ? 'y' : 'x', &set->class_names, classes);
    fprintf(script, "plot $counts matrix using 1:2:(log10(1 + $3)) with image pixels notitle");
    if (classes <= 20)
        fprintf(script, ", $counts matrix using 1:2:($3 > 0 ? sprintf('%%d', $3) : '') with labels notitle");
    fputc('\n', script);
}

const RunFigure run_figures[RUN_FIGURES] = {
    {"accuracy", "Accuracy of each run", 1000, 110, 36, has_predictions, print_accuracy},
    {"learning", "Loss and accuracy by epoch", 1000, LEARNING_HEIGHT, LEARNING_ROW, has_epochs,
     print_learning},
    {"calibration", "Accuracy of predictions by their confidence", 640, 580, 20, has_calibration,
     print_calibration},
    {"times", "Time of training by phase, over the ranks", 1000, 360, 8, has_phases, print_times},
};
