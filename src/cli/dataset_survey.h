/* What `show` and `prepare` say of strange images in a dataset. Nothing here communicates: rank 0 works. */
#ifndef PARDIGITS_CLI_DATASET_SURVEY_H
#define PARDIGITS_CLI_DATASET_SURVEY_H

#include "core/log.h"
#include "core/output.h"
#include "data/survey.h"
#include "store/dataset.h"
#include "store/h5io.h"

/* Surveys the images of "train" or "test", a block at a time, and sorts it. Freed by survey_free, also after
 * a failure. */
StatusCode dataset_survey(const H5File *file, const Dataset *dataset, const char *part, Survey *survey,
                          Status *status);

/* Adds a table `checks` to the output's record, a row a part: images of the largest and smallest class,
 * blank, inverted, repeated and shared ones. */
void output_surveys(Output *output, const Survey *train, const Survey *test);

/* Warns of faint, blank and inverted images of a part; paths [n]: of the pictures that they come from, or
 * NULL; advice: what to do about inverted ones. */
void warn_of_images(Log *log, const char *part, const ImageSet *set, char *const *paths, const char *advice);

/* What may be why a model recognises few of the images of a part: they are faint or inverted. */
typedef struct {
    int brightest; /* pixel, as survey_brightest finds it */
    int64_t n, inverted;
} Strangeness;
Strangeness strangeness_of(const ImageSet *set);
void hint_at_strange_images(Log *log, const char *part, const Strangeness *found);

/* Says which classes have no images in a part that has any. */
void hint_at_absent_classes(Log *log, const char *part, const ImageSet *set, const ClassNames *names);

#endif
