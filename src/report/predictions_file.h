/* Files of what a model says about each image of a split: CSV, HDF5 or NumPy's .npz, by the ending of the
 * name. */
#ifndef PARDIGITS_REPORT_PREDICTIONS_FILE_H
#define PARDIGITS_REPORT_PREDICTIONS_FILE_H

#include "core/output.h"
#include "model/model.h"

#define PREDICTIONS_FORMAT "pardigits predictions" /* the attribute `format` of an HDF5 file */

typedef struct {
    const Model *model;
    const char *data, *split;   /* the path of the dataset, and its part */
    int64_t first, n;           /* first: the row of the first image in its part of the dataset */
    const uint8_t *labels;      /* [n] */
    const Prediction *best;     /* [n] */
    const float *probabilities; /* [n][classes], or NULL */
    const double *decisions;    /* [n][decision_count], or NULL */
} PredictionRows;

/* STATUS_USAGE unless the name ends in .csv, .npz, .h5 or .hdf5, and can be written. Serial. */
StatusCode predictions_file_check(const char *path, Status *status);

/* Whether a file of this name is HDF5. */
bool predictions_file_is_hdf5(const char *path);

/* Whether the file holds predictions as CSV. */
bool predictions_file_is_csv(const char *path);

/* Writes the file, whole or not at all. Serial.
 * CSV: index, label, prediction, confidence, then p_C for each class C or d_A_B for each pair of classes.
 * HDF5: arrays index, label, prediction, confidence [n], and probabilities [n][classes] or decisions
 * [n][pairs] with pairs [pairs][2]. NumPy: the same. */
StatusCode predictions_file_write(const char *path, const PredictionRows *rows, Status *status);

/* Adds a record about an open file in HDF5: whose predictions, of how many images, how many are right. Not
 * collective. */
StatusCode predictions_file_describe(Output *output, const H5File *file, Status *status);

#endif
