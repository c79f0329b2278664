/* What `show` and `report` say of model and metrics files. Not collective. */
#ifndef PARDIGITS_REPORT_DESCRIBE_H
#define PARDIGITS_REPORT_DESCRIBE_H

#include "core/output.h"
#include "model/model.h"

/* Height, width and classes of images. */
void describe_shape(Output *output, ImageSpec spec);

/* Adds a record about a model whose file is open: its family, digest, configuration, layers and arrays. */
StatusCode describe_model(Output *output, const Model *model, Status *status);

/* Adds a record about an open metrics file: circumstances, and all its tables; of a long one people see the
 * last rows, and the course of each column. but: a table that is left out, such as "/steps"; NULL: none. */
StatusCode describe_metrics(Output *output, const H5File *file, const char *but, Status *status);

#endif
