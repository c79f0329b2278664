/* Scripts of the figures of runs, for gnuplot. Private to the report's figures. */
#ifndef PARDIGITS_REPORT_RUN_FIGURES_H
#define PARDIGITS_REPORT_RUN_FIGURES_H

#include "report/report.h"

#include <stdbool.h>
#include <stdio.h>

/* What a figure is of: the context of its script. */
typedef struct {
    const Report *report;
    int run; /* of a figure of one run */
} RunFigureOf;

/* A figure of all runs that have what it shows. */
typedef struct {
    const char *kind, *title;
    int width, height, row_height; /* pixels, row_height for each run */
    bool (*has)(const Report *report, const ReportRun *run);
    void (*print)(FILE *script, const void *context);
} RunFigure;

enum { RUN_FIGURES = 4 };
extern const RunFigure run_figures[RUN_FIGURES];

/* The confusion matrix of one run that has predictions. */
void run_figure_print_confusion(FILE *script, const void *context);

#endif
