#include "report/scaling_table.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void scaling_study_title(const ScalingStudy *study, char title[SCALING_TITLE]) {
    const ScalingRun *base = study->points[0].run;
    const bool strong = !strcmp(study->kind, "strong");
    char held_out[64] = "";
    if (study->measure == SCALING_EVALUATION)
        snprintf(held_out, sizeof held_out, "%lld held-out images, ", (long long)base->valid);
    snprintf(title, SCALING_TITLE, "%s scaling of %s, %s%lld training images%s", strong ? "strong" : "weak",
             scaling_measure_name(study->measure), held_out,
             (long long)(strong ? base->images : base->images / scaling_run_workers(base)),
             strong ? "" : " a thread");
}

static const char *plural(int64_t n) {
    return n == 1 ? "" : "s";
}

void scaling_study_base(const ScalingStudy *study, char text[SCALING_TITLE]) {
    const ScalingRun *base = study->points[0].run;
    snprintf(text, SCALING_TITLE, "%lld rank%s x %lld thread%s on %lld host%s", (long long)base->ranks,
             plural(base->ranks), (long long)base->threads, plural(base->threads), (long long)base->hosts,
             plural(base->hosts));
}

/* The columns of a spread: the title is of the median; the other two are for people where they have a title.
 */
static void add_spread(Output *output, const char *name, const char *title, bool whole, Spread spread,
                       const char *format) {
    char least[64], most[64];
    snprintf(least, sizeof least, "%s_least", name);
    snprintf(most, sizeof most, "%s_most", name);
    output_real(output, name, title, spread.median, format);
    output_real(output, least, whole ? "least" : NULL, spread.least, format);
    output_real(output, most, whole ? "most" : NULL, spread.most, format);
}

/* What of the columns that a study may lack it has. */
typedef struct {
    bool waits, exposed, accuracy_s;
} Columns;

static Columns columns_of(const ScalingStudy *study) {
    Columns columns = {false, false, false};
    for (int p = 0; p < study->count; p++) {
        columns.waits = columns.waits || !isnan(study->points[p].wait_share.median);
        columns.exposed = columns.exposed || !isnan(study->points[p].exposed_share.median);
        columns.accuracy_s = columns.accuracy_s || !isnan(study->points[p].accuracy_s.median);
    }
    return columns;
}

static void add_point(Output *output, const ScalingStudy *study, const ScalingPoint *point, Columns shown) {
    const ScalingRun *run = point->run;
    output_record(output);
    output_text(output, "study", NULL, study->kind);
    output_text(output, "measure", NULL, scaling_measure_name(study->measure));
    output_text(output, "model", NULL, config_text(run->config, "run.model"));
    output_integer(output, "hosts", "hosts", run->hosts);
    output_integer(output, "ranks", "ranks", run->ranks);
    output_integer(output, "threads", "threads", run->threads);
    output_integer(output, "images", "images", run->images);
    output_real(output, "images_per_rank", NULL, (double)run->images / (double)run->ranks, "%.0f");
    output_real(output, "batch", NULL, run->batch ? (double)run->batch : NAN, "%.0f");
    output_integer(output, "repeats", "runs", point->repeats);
    output_bool(output, "base", NULL, point == study->points);
    add_spread(output, "seconds", "seconds", true, point->seconds, "%.3f");
    add_spread(output, "images_per_s", "images/s", false, point->images_per_s, "%.0f");
    add_spread(output, "speedup", "speed-up", true, point->speedup, "%.2f");
    add_spread(output, "efficiency", "efficiency", false, point->efficiency, "%.3f");
    add_spread(output, "wait_share", shown.waits ? "waiting" : NULL, false, point->wait_share, "%.3f");
    add_spread(output, "exposed_share", shown.exposed ? "exposed" : NULL, false, point->exposed_share,
               "%.3f");
    add_spread(output, "accuracy_s", shown.accuracy_s ? "to accuracy" : NULL, false, point->accuracy_s,
               "%.2f");
    output_real(output, "valid_accuracy", NULL, point->accuracy, "%.4f");
    output_text(output, "host_names", NULL, run->host_names);
    output_text(output, "binding", NULL, run->binding);
    output_text(output, "build", NULL, run->build);
}

static void add_study_for_people(Output *output, const ScalingStudy *study) {
    char title[SCALING_TITLE], base[SCALING_TITLE], both[2 * SCALING_TITLE + 32];
    scaling_study_title(study, title);
    scaling_study_base(study, base);
    snprintf(both, sizeof both, "%s; speed-up over %s:", title, base);
    output_begin(output, "points", both, OUTPUT_TABLE);
    for (int p = 0; p < study->count; p++)
        add_point(output, study, &study->points[p], columns_of(study));
    output_end(output);
}

void scaling_table_add_study(Output *output, const ScalingStudy *study) {
    char title[SCALING_TITLE], base[SCALING_TITLE];
    scaling_study_title(study, title);
    scaling_study_base(study, base);
    output_record(output);
    output_text(output, "model", NULL, config_text(study->points[0].run->config, "run.model"));
    output_text(output, "title", NULL, title);
    output_text(output, "base", NULL, base);
    output_begin(output, "points", NULL, OUTPUT_TABLE);
    for (int p = 0; p < study->count; p++)
        add_point(output, study, &study->points[p], (Columns){true, true, true});
    output_end(output);
}

static void add_studies(Output *output, const ScalingStudies *studies) {
    if (output_format(output) == OUTPUT_TEXT) {
        for (int s = 0; s < studies->count; s++)
            add_study_for_people(output, &studies->items[s]);
        return;
    }
    output_begin(output, "points", NULL, OUTPUT_TABLE);
    for (int s = 0; s < studies->count; s++)
        for (int p = 0; p < studies->items[s].count; p++)
            add_point(output, &studies->items[s], &studies->items[s].points[p], (Columns){true, true, true});
    output_end(output);
}

/* Which text of a run. */
typedef const char *(*RunText)(const ScalingRun *run);

static const char *binding_of(const ScalingRun *run) {
    return run->binding;
}

static const char *build_of(const ScalingRun *run) {
    return run->build;
}

/* How many runs have the same text as run r; 0 if an earlier one has it. */
static int count_same(const ScalingRun *runs, int count, int r, RunText text) {
    int same = 0;
    for (int other = 0; other < count; other++) {
        if (strcmp(text(&runs[r]), text(&runs[other]))) continue;
        if (other < r) return 0;
        same++;
    }
    return same;
}

/* A fact of all runs; where they differ, its values and how many runs have each. Returns how many values. */
static int add_fact(Output *output, const char *name, const ScalingRun *runs, int count, RunText text) {
    char all[1024] = "";
    int values = 0;
    for (int r = 0; r < count; r++) {
        const int same = count_same(runs, count, r, text);
        const size_t used = strlen(all);
        if (!same) continue;
        snprintf(all + used, sizeof all - used, same < count ? "%s%s (%d run%s)" : "%s%s", values ? "; " : "",
                 text(&runs[r]), same, plural(same));
        values++;
    }
    output_text(output, name, name, all);
    return values;
}

static void add_hosts(Output *output, const ScalingRun *runs, int count) {
    const ScalingRun *most = runs;
    for (int r = 1; r < count; r++)
        if (runs[r].hosts > most->hosts) most = &runs[r];
    output_text(output, "hosts", "hosts", most->host_names);
}

static void add_note(Output *output, const ScalingStudies *studies, int builds) {
    char unused[128] = "";
    if (studies->unused)
        snprintf(unused, sizeof unused, "\n%d run%s no study: no run of another size is like %s.",
                 studies->unused, studies->unused == 1 ? " belongs to" : "s belong to",
                 studies->unused == 1 ? "it" : "them");
    output_note(output,
                "\nSeconds: of training (of a single CNN an epoch), or of predicting the held-out images; "
                "the median of "
                "the runs, least and most.\nSpeed-up: S = (base's seconds / seconds) x (images / base's "
                "images). Efficiency: S / (ranks x threads / the base's).%s%s",
                unused,
                builds > 1 ? "\nWarning: the runs are of different builds, so this compares programs, too."
                           : "");
}

void scaling_table_fill(Output *output, const ScalingRun *runs, int count, const ScalingStudies *studies,
                        double accuracy) {
    output_record(output);
    output_text(output, "model", "model", config_text(runs->config, "run.model"));
    output_integer(output, "runs", "runs", count);
    add_hosts(output, runs, count);
    add_fact(output, "binding", runs, count, binding_of);
    const int builds = add_fact(output, "build", runs, count, build_of);
    output_real(output, "accuracy", "accuracy to reach", accuracy, "%g");
    output_integer(output, "unused_runs", NULL, studies->unused);
    add_studies(output, studies);
    add_note(output, studies, builds);
}
