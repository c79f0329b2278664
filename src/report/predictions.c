#include "report/predictions.h"

#include "core/integers.h"
#include "core/mem.h"
#include "model/confusion.h"
#include "report/statistics.h"

#include <stdlib.h>

/* A page with all images of a bad model would take minutes to load. */
enum { DOUBTFUL_MOST = 40, CELL_MOST = 24, PICTURES_MOST = 1500 };

void predictions_calibrate(const Prediction *predictions, const ImageSet *set,
                           CalibrationBin bins[CALIBRATION_BINS]) {
    for (int b = 0; b < CALIBRATION_BINS; b++)
        bins[b] = (CalibrationBin){0};
    for (int64_t i = 0; i < set->n; i++) {
        const double confidence = predictions[i].confidence;
        CalibrationBin *bin =
            &bins[smaller(larger((int64_t)(confidence * CALIBRATION_BINS), 0), CALIBRATION_BINS - 1)];
        bin->n++;
        bin->correct += predictions[i].label == set->labels[i];
        bin->confidence += confidence;
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
    bool wrong;
    float confidence;
} Candidate;

static int compare_candidates(const void *left, const void *right) {
    const Candidate *a = left, *b = right;
    if (a->wrong != b->wrong) return a->wrong ? -1 : 1;
    if (a->confidence != b->confidence) return (a->confidence < b->confidence) == a->wrong ? 1 : -1;
    return (a->index > b->index) - (a->index < b->index);
}

/* Those worth a look come first; [n], freed by the caller. */
static Candidate *sort_candidates(const Prediction *predictions, const ImageSet *set) {
    Candidate *candidates = mem_new((size_t)set->n, sizeof *candidates);
    for (int64_t i = 0; i < set->n; i++)
        candidates[i] = (Candidate){i, predictions[i].label != set->labels[i], predictions[i].confidence};
    qsort(candidates, (size_t)set->n, sizeof *candidates, compare_candidates);
    return candidates;
}

static void add_picture(Output *output, const Prediction *prediction, int64_t index, int label) {
    output_record(output);
    output_integer(output, "index", NULL, index);
    output_integer(output, "label", NULL, label);
    output_integer(output, "predicted", NULL, prediction->label);
    output_real(output, "confidence", NULL, prediction->confidence, "%g");
}

/* So many of each cell of the confusion matrix, and some right ones whatever their cell. */
static void add_pictures(Output *output, const Prediction *predictions, const ImageSet *set, bool *shown) {
    const int classes = set->spec.classes;
    int *of_cell = mem_new((size_t)classes * (size_t)classes, sizeof *of_cell);
    int right = 0, all = 0;
    Candidate *candidates = sort_candidates(predictions, set);
    output_begin(output, "pictures", NULL, OUTPUT_TABLE);
    for (int64_t k = 0; k < set->n && all < PICTURES_MOST; k++) {
        const int64_t i = candidates[k].index;
        int *cell = &of_cell[set->labels[i] * classes + predictions[i].label];
        const bool doubtful = !candidates[k].wrong && right++ < DOUBTFUL_MOST;
        if (!doubtful && *cell >= CELL_MOST) continue;
        ++*cell;
        all++;
        shown[i] = true;
        add_picture(output, &predictions[i], i, set->labels[i]);
    }
    output_end(output);
    mem_free(candidates);
    mem_free(of_cell);
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
