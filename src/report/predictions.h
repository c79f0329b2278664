/* What the page says of a model's predictions: counts, calibration, and which images are worth a look. */
#ifndef PARDIGITS_REPORT_PREDICTIONS_H
#define PARDIGITS_REPORT_PREDICTIONS_H

#include "core/output.h"
#include "model/model.h"

enum { CALIBRATION_BINS = 10 };

/* Images of similar confidence. */
typedef struct {
    int64_t n, correct;
    double confidence; /* the sum of theirs */
} CalibrationBin;

/* bins[CALIBRATION_BINS] of equal width, from confidence 0 to 1. */
void predictions_calibrate(const Prediction *predictions, const ImageSet *set,
                           CalibrationBin bins[CALIBRATION_BINS]);

/* Adds to the output's record: n, correct, accuracy with its interval, confusion, calibration, and
 * `pictures`, a table of the images to be shown: the most doubtful ones, and some of each cell of the
 * confusion matrix; wrong ones stand first, the most confident on top. predictions [n]; sets shown[n] for
 * these. */
void predictions_describe(Output *output, const Prediction *predictions, const ImageSet *set, bool *shown);

#endif
