/* The scaling studies that the runs of a report make. */
#ifndef PARDIGITS_REPORT_PAGE_STUDIES_H
#define PARDIGITS_REPORT_PAGE_STUDIES_H

#include "report/report.h"

/* What is done with study s of the runs of a configuration. name: its family's and, from the second
 * configuration of a family on, a number: "cnn", "cnn-2". */
typedef void PageStudyUse(const char *name, const ScalingStudies *studies, int s, void *context);

/* Uses each study of runs of the same configuration; there are none if the runs don't make any. */
void page_studies_use(const ReportFiles *files, PageStudyUse *use, void *context);

#endif
