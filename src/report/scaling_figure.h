/* Figures of scaling studies, drawn by gnuplot. Not collective. */
#ifndef PARDIGITS_REPORT_SCALING_FIGURE_H
#define PARDIGITS_REPORT_SCALING_FIGURE_H

#include "report/scaling_study.h"

enum { SCALING_FIGURE_NAME = 64 };

/* The name of study s: "strong-training"; a further study of the same kind has its number behind it. */
void scaling_figure_name(const ScalingStudies *studies, int s, char name[SCALING_FIGURE_NAME]);

/* Draws a study as FOLDER/NAME.svg and FOLDER/NAME.png: speed-up and efficiency over the number of workers,
 * with the least and most of repeated runs, and beside them what would be ideal. */
StatusCode scaling_figure_draw(const ScalingStudy *study, const char *folder, const char *name,
                               Status *status);

#endif
