/* Scaling studies as a table, for people and for programs. Not collective. */
#ifndef PARDIGITS_REPORT_SCALING_TABLE_H
#define PARDIGITS_REPORT_SCALING_TABLE_H

#include "core/output.h"
#include "report/scaling_study.h"

/* Adds a record to a table: model, title and base in words, and the array `points`. */
void scaling_table_add_study(Output *output, const ScalingStudy *study);

/* Fills an output (OUTPUT_LINES) with one record: what all runs have in common, and their points; for people
 * a table a study, for programs one table, `points`. accuracy: as for scaling_run_read. */
void scaling_table_fill(Output *output, const ScalingRun *runs, int count, const ScalingStudies *studies,
                        double accuracy);

enum { SCALING_TITLE = 256 };

/* What a study is of, such as "Strong scaling of training". */
void scaling_study_title(const ScalingStudy *study, char title[SCALING_TITLE]);

/* What its speed-up is over, such as "1 rank x 2 threads on 1 host". */
void scaling_study_base(const ScalingStudy *study, char text[SCALING_TITLE]);

#endif
