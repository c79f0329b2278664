/* The figures of a report, drawn by gnuplot. */
#ifndef PARDIGITS_REPORT_PAGE_FIGURES_H
#define PARDIGITS_REPORT_PAGE_FIGURES_H

#include "report/report.h"

/* Draws all that the report has data for to a folder, as SVG and PNG, and adds a table `figures` to the
 * output's record: name, title, kind (accuracy, learning, confusion, calibration, times, scaling), the run it
 * is of, and the SVG's text. */
StatusCode page_figures_draw(const Report *report, const ReportFiles *files, const char *folder,
                             Output *output, Status *status);

#endif
