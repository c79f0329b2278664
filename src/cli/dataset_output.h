/* What `show` and `prepare` print of a dataset. Nothing here communicates: rank 0 prints. */
#ifndef PARDIGITS_CLI_DATASET_OUTPUT_H
#define PARDIGITS_CLI_DATASET_OUTPUT_H

#include "core/output.h"
#include "store/dataset.h"

/* A record of a dataset: file, shape, counts, checksums, and a table of its classes.
 * train, test: [classes] images of each class. */
void output_dataset(Output *output, const Dataset *dataset, const int64_t *train, const int64_t *test);

#endif
