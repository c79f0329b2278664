/* The report on some runs: a page that a browser opens from disk, with everything in it. Not collective: rank
 * 0 alone has one. */
#ifndef PARDIGITS_REPORT_REPORT_H
#define PARDIGITS_REPORT_REPORT_H

#include "core/output.h"
#include "model/model.h"
#include "report/scaling_study.h"
#include "store/metrics.h"

/* Images that models were asked for; runs of the same images share one, if they number the classes alike. */
typedef struct {
    ImageSet images; /* as in the dataset, but for the labels: they are the model's */
    int same_as;     /* the first set of the same images, whose classes may have other numbers; or itself */
    ClassNames class_names;
    char *data;  /* path of the dataset */
    bool *shown; /* [n] whether the page shows this image */
} ReportSet;

typedef struct {
    char *name;                  /* as the user called it */
    int set;                     /* its place among the sets; -1: there are no predictions */
    Prediction *predictions;     /* [n] or NULL */
    MetricsTable epochs, phases; /* without rows: there are none */
} ReportRun;

typedef struct {
    const char *split; /* train, valid or test */
    int count, set_count;
    ReportRun *runs; /* [count], room for all */
    ReportSet *sets; /* [set_count], room for all */
    Output *facts;   /* a record each run, as JSON */
} Report;

/* What is to be written. */
typedef struct {
    const char *path;
    const char *figures;     /* a folder for all figures as SVG and PNG; NULL: the page has them alone */
    const char *build;       /* of this program */
    const ScalingRun *sizes; /* [size_count] runs that may make scaling studies */
    int size_count;
} ReportFiles;

/* For up to `room` runs. Freed by report_free. */
Report report_new(int room, const char *split);
void report_free(Report *report);

/* Begins the next run; what follows belongs to it. */
void report_begin_run(Report *report, const char *name);

/* Adds what a metrics file says. */
StatusCode report_add_metrics(Report *report, const H5File *file, Status *status);

/* Adds what an open model says of itself. */
StatusCode report_add_model(Report *report, const Model *model, Status *status);

/* What a model was asked for. */
typedef struct {
    const char *data;  /* path of the dataset */
    int64_t first;     /* the row of the first image in its part of the dataset */
    const char *doubt; /* a sentence: why the dataset may be the wrong one; or NULL */
    double seconds;    /* of predicting them */
} ReportAsked;

/* Adds what the model of the run says of images: takes over the set and predictions [n]. */
void report_add_predictions(Report *report, const Model *model, const ReportAsked *asked, ImageSet *images,
                            Prediction *predictions);

/* Or says why there are none; or no metrics: a sentence. */
void report_add_no_predictions(Report *report, const char *why);
void report_add_no_metrics(Report *report, const char *why);

/* Writes the page, whole or not at all. Without gnuplot it has no figures; undrawn: why others are missing.
 */
StatusCode report_write(const Report *report, const ReportFiles *files, Status *undrawn, Status *status);

#endif
