#include "report/predictions.h"

#include "core/integers.h"
#include "core/mem.h"
#include "model/confusion.h"
#include "report/statistics.h"

#include <stdlib.h>

/* A page with all images of a bad model would take minutes to load. LISTED: of the most doubtful images, and
 * of the wrong ones that are most confident, whatever their cell; page.js lists as many doubtful ones. */
enum { LISTED = 48, CELL_MOST = 24, PICTURES_MOST = 1500 };

void predictions_calibrate(const Prediction *predictions, const ImageSet *set,
                           CalibrationBin bins[CALIBRATION_BINS]) {
    for (int b = 0; b < CALIBRATION_BINS; b++)
        bins[b] = (CalibrationBin){0};
    for (int64_t i = 0; i < set->n; i++) {
        const float confidence = predictions[i].confidence;
        /* a product of floats: 0.7 is 0.69999999 as a float, but of seven tenths */
        const float tenths = confidence * (float)CALIBRATION_BINS;
        CalibrationBin *bin = &bins[smaller(larger((int64_t)tenths, 0), CALIBRATION_BINS - 1)];
        bin->n++;
        bin->correct += predictions[i].label == set->labels[i];
        bin->confidence += (double)confidence;
    }
}

static void add_calibration(Output *output, const Prediction *predictions, const ImageSet *set) {
    CalibrationBin bins[CALIBRATION_BINS];
    predictions_calibrate(predictions, set, bins);
    output_begin(output, "calibration", NULL, OUTPUT_TABLE);
    for (int b = 0; b < CALIBRATION_BINS; b++) {
        if (!bins[b].n) continue;
        output_record(output);
        output_integer(output, "images", NULL, bins[b].n);
        output_real(output, "confidence", NULL, bins[b].confidence / (double)bins[b].n, "%g");
        output_real(output, "accuracy", NULL, (double)bins[b].correct / (double)bins[b].n, "%g");
    }
    output_end(output);
}

typedef struct {
    int64_t index;
    bool wrong, chosen;
    float confidence;
    int place; /* among those of its cell of the confusion matrix, from 0 */
} Candidate;

static int compare_index(const Candidate *a, const Candidate *b) {
    return (a->index > b->index) - (a->index < b->index);
}

static int compare_doubt(const void *left, const void *right) {
    const Candidate *a = left, *b = right;
    if (a->confidence != b->confidence) return a->confidence < b->confidence ? -1 : 1;
    return compare_index(a, b);
}

/* Wrong ones first, the most confident of them on top; then right ones, the most doubtful on top. */
static int compare_worth(const void *left, const void *right) {
    const Candidate *a = left, *b = right;
    if (a->wrong != b->wrong) return a->wrong ? -1 : 1;
    if (a->confidence != b->confidence) return (a->confidence < b->confidence) == a->wrong ? 1 : -1;
    return compare_index(a, b);
}

static void choose(Candidate *candidate, int *chosen) {
    if (candidate->chosen || *chosen == PICTURES_MOST) return;
    candidate->chosen = true;
    ++*chosen;
}

/* The first of each cell, then the second of each, and so on: a cell of few images isn't empty because others
 * have many. */
static void choose_of_cells(Candidate *candidates, const Prediction *predictions, const ImageSet *set,
                            int *chosen) {
    const int classes = set->spec.classes;
    int *of_cell = mem_new((size_t)classes * (size_t)classes, sizeof *of_cell);
    for (int64_t k = 0; k < set->n; k++) {
        const int64_t i = candidates[k].index;
        candidates[k].place = of_cell[set->labels[i] * classes + predictions[i].label]++;
    }
    for (int place = 0; place < CELL_MOST; place++)
        for (int64_t k = 0; k < set->n; k++)
            if (candidates[k].place == place) choose(&candidates[k], chosen);
    mem_free(of_cell);
}

/* Those that lists begin with, and some of each cell of the confusion matrix; [n], freed by the caller. */
static Candidate *choose_candidates(const Prediction *predictions, const ImageSet *set) {
    Candidate *candidates = mem_new((size_t)set->n, sizeof *candidates);
    int chosen = 0;
    for (int64_t i = 0; i < set->n; i++)
        candidates[i] = (Candidate){.index = i,
                                    .wrong = predictions[i].label != set->labels[i],
                                    .confidence = predictions[i].confidence};
    qsort(candidates, (size_t)set->n, sizeof *candidates, compare_doubt);
    for (int64_t k = 0; k < smaller(set->n, LISTED); k++)
        choose(&candidates[k], &chosen);
    qsort(candidates, (size_t)set->n, sizeof *candidates, compare_worth);
    for (int64_t k = 0; k < smaller(set->n, LISTED) && candidates[k].wrong; k++)
        choose(&candidates[k], &chosen);
    choose_of_cells(candidates, predictions, set, &chosen);
    return candidates;
}

static void add_picture(Output *output, const Prediction *prediction, int64_t index, int label) {
    output_record(output);
    output_integer(output, "index", NULL, index);
    output_integer(output, "label", NULL, label);
    output_integer(output, "predicted", NULL, prediction->label);
    output_real(output, "confidence", NULL, prediction->confidence, "%.9g");
}

static void add_pictures(Output *output, const Prediction *predictions, const ImageSet *set, bool *shown) {
    Candidate *candidates = choose_candidates(predictions, set);
    output_begin(output, "pictures", NULL, OUTPUT_TABLE);
    for (int64_t k = 0; k < set->n; k++) {
        const int64_t i = candidates[k].index;
        if (!candidates[k].chosen) continue;
        shown[i] = true;
        add_picture(output, &predictions[i], i, set->labels[i]);
    }
    output_end(output);
    mem_free(candidates);
}

void predictions_describe(Output *output, const Prediction *predictions, const ImageSet *set, bool *shown) {
    Confusion confusion = confusion_count(predictions, set->labels, set->n, set->spec.classes);
    const Interval interval = wilson_interval(confusion.correct, confusion.n);
    output_integer(output, "n", NULL, confusion.n);
    output_integer(output, "correct", NULL, confusion.correct);
    output_real(output, "accuracy", NULL, confusion_accuracy(&confusion), "%g");
    output_real(output, "low", NULL, interval.low, "%g");
    output_real(output, "high", NULL, interval.high, "%g");
    output_matrix(output, "confusion", confusion.counts, confusion.classes, confusion.classes);
    add_calibration(output, predictions, set);
    add_pictures(output, predictions, set, shown);
    confusion_free(&confusion);
}
