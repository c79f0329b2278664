/* What strikes in the images of a dataset: blank, inverted and repeated ones; and the mean of each class. */
#ifndef PARDIGITS_DATA_SURVEY_H
#define PARDIGITS_DATA_SURVEY_H

#include "core/log.h"
#include "store/image_set.h"

#include <stdbool.h>

enum { SURVEY_KEY = 16 };

/* The beginning of an image's SHA-256, by which equal images are found. */
typedef struct {
    uint8_t bytes[SURVEY_KEY];
} SurveyKey;

typedef struct {
    ImageSpec spec;
    int64_t n;
    int64_t blank;    /* images of one grey or almost so */
    int64_t inverted; /* images with a bright ground: ink is 255, the ground 0 */
    int brightest;    /* pixel */
    int64_t *counts;  /* [classes] images of each class */
    double *sums;     /* [classes][height][width] of the pixels of each class */
    SurveyKey *keys;  /* [n]; sorted once all images are there */
} Survey;

/* Of `room` images, which survey_add brings in blocks: [n][height][width], [n]. Freed by survey_free. */
Survey survey_new(ImageSpec spec, int64_t room);
void survey_add(Survey *survey, const uint8_t *images, const uint8_t *labels, int64_t n);
void survey_free(Survey *survey);

/* Sorts the keys; called once all images are there and before the following two. */
void survey_sort(Survey *survey);

/* How many images equal an earlier one. */
int64_t survey_repeated(const Survey *survey);

/* How many images of `a` equal one of `b`. */
int64_t survey_shared(const Survey *a, const Survey *b);

/* The mean image of each class [classes][height][width]; blank for a class without images. Freed by mem_free.
 */
uint8_t *survey_means(const Survey *survey);

/* Images without a brighter pixel than this aren't in 0 to 255, but in 0 to 1 or 0 to 16, or the like. */
enum { SURVEY_FAINT = 64 };

/* The brightest of n pixels, or one of SURVEY_FAINT or more, behind which it doesn't look. */
int survey_brightest(const uint8_t *pixels, int64_t n);

/* Says that the images of a part are too faint, or black, if they are; returns whether. */
bool survey_hint_at_faint(Log *log, const char *part, int brightest);

bool survey_is_blank(const uint8_t *image, ImageSpec spec);
bool survey_is_inverted(const uint8_t *image, ImageSpec spec);

/* Whether an image is one as MNIST's makers made them: the ink fits 20/28 of its height or width, and is
 * centred by mass on a dark ground; both about. */
bool survey_is_normalised(const uint8_t *image, ImageSpec spec);

#endif
