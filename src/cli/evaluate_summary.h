/* Which models `evaluate --summary` counts as runs that differ only by their seeds, and what it says of them.
 */
#ifndef PARDIGITS_CLI_EVALUATE_SUMMARY_H
#define PARDIGITS_CLI_EVALUATE_SUMMARY_H

#include "core/config.h"
#include "core/output.h"
#include "model/model.h"
#include "store/image_set.h"

#include <stdbool.h>

/* What such models have in common. */
typedef struct {
    Config *config;              /* with seed 0 */
    const char *const *use_keys; /* of the family */
    char rest[65]; /* hash of what the configuration doesn't say: what the training began with and read, how
                      far it is, and the images that the model is evaluated on */
} RunKind;

/* Of an open model that is evaluated on a set. Freed by run_kind_free, also after a failure. */
StatusCode run_kind_find(RunKind *kind, const Model *model, const ImageSet *set, Status *status);
bool run_kind_same(const RunKind *a, const RunKind *b);
void run_kind_free(RunKind *kind);

/* Adds a record: number, mean, standard deviation (of a sample), least and most of accuracies [n]. */
void output_summary(Output *output, const double *percents, int n);

#endif
