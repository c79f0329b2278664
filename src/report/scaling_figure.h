/* Figures of scaling studies, drawn by gnuplot. Not collective. */
#ifndef PARDIGITS_REPORT_SCALING_FIGURE_H
#define PARDIGITS_REPORT_SCALING_FIGURE_H

#include "report/scaling_study.h"

#include <stdbool.h>

/* Whether there is a program gnuplot. */
bool scaling_figure_can_draw(void);

/* Draws a study as FOLDER/NAME.svg and FOLDER/NAME.png: speed-up and efficiency over the number of workers,
 * with the least and most of repeated runs, and beside them what would be ideal. */
StatusCode scaling_figure_draw(const ScalingStudy *study, const char *folder, const char *name,
                               Status *status);

#endif
