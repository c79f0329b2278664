/* `prepare --grow N [--set section.key=value]...`: more training images, made by distorting those that there
 * are. */
#ifndef PARDIGITS_CLI_GROW_ARGUMENTS_H
#define PARDIGITS_CLI_GROW_ARGUMENTS_H

#include "cli/settings.h"
#include "parallel/context.h"
#include "store/dataset.h"

typedef struct {
    const char *count; /* of --grow; NULL: not given */
    Settings settings;
    int64_t n; /* images wanted; 0: as many as there are */
    Config *config;
} GrowArguments;

/* Checks --grow and --set and fills n and config; freed by grow_arguments_free. */
StatusCode grow_arguments_check(GrowArguments *arguments, Status *status);
void grow_arguments_free(GrowArguments *arguments);

/* Writes the grown dataset (grow_dataset). Collective: all ranks agree. */
StatusCode grow_parts(const GrowArguments *arguments, const Context *context, const DatasetParts *parts,
                      const char *path, ImageSource *source, Status *status);

#endif
