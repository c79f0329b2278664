#include "cli/dataset_survey.h"

#include "core/integers.h"

#include <stdio.h>
#include <string.h>

enum { BLOCK = 4096 }; /* images in memory */

StatusCode dataset_survey(const H5File *file, const Dataset *dataset, const char *part, Survey *survey,
                          Status *status) {
    const ImageSpec spec = dataset->spec;
    const int64_t n = strcmp(part, "test") ? dataset->train : dataset->test;
    char images_path[DATASET_NAME], labels_path[DATASET_NAME];
    dataset_part_names(part, images_path, labels_path);
    const int pixels = image_spec_pixels(spec);
    ImageSet block = image_set_new(BLOCK, spec);
    *survey = survey_new(spec, n);
    for (int64_t first = 0; first < n && !status->code; first += BLOCK) {
        const int64_t count = smaller(BLOCK, n - first);
        h5_read_rows(file, images_path, H5_U8, pixels, first, count, block.images, status);
        h5_read_rows(file, labels_path, H5_U8, 1, first, count, block.labels, status);
        if (!status->code && !dataset_check_labels(dataset, part, first, count, block.labels, status))
            survey_add(survey, block.images, block.labels, count);
    }
    survey_sort(survey);
    image_set_free(&block);
    return status->code;
}

static void add_survey(Output *output, const char *part, const Survey *survey, const Survey *other) {
    int64_t least = survey->n, most = 0;
    for (int c = 0; c < survey->spec.classes; c++) {
        least = smaller(least, survey->counts[c]);
        most = larger(most, survey->counts[c]);
    }
    output_record(output);
    output_text(output, "part", "part", part);
    output_integer(output, "smallest_class", "smallest class", least);
    output_integer(output, "largest_class", "largest class", most);
    output_integer(output, "brightest", "brightest pixel", survey->brightest);
    output_integer(output, "blank", "blank", survey->blank);
    output_integer(output, "inverted", "inverted", survey->inverted);
    output_integer(output, "repeated", "repeated", survey_repeated(survey));
    output_integer(output, "shared", "in the other part", survey_shared(survey, other));
}

void output_surveys(Output *output, const Survey *train, const Survey *test) {
    output_begin(output, "checks", "images that may be wrong", OUTPUT_TABLE);
    add_survey(output, "train", train, test);
    if (test->n) add_survey(output, "test", test, train);
    output_end(output);
}

/* How a message names an image. */
static const char *name_of(int64_t image, char *const *paths, char number[32]) {
    snprintf(number, 32, "image %lld", (long long)image);
    return paths ? paths[image] : number;
}

void warn_of_images(Log *log, const char *part, const ImageSet *set, char *const *paths, const char *advice) {
    const int64_t pixels = image_spec_pixels(set->spec);
    char number[32];
    if (set->n == 0) return;
    if (survey_hint_at_faint(log, part, survey_brightest(set->images, set->n * pixels)))
        return; /* all would be blank */
    int64_t blank = 0, inverted = 0, first_blank = 0, first_inverted = 0;
    for (int64_t i = 0; i < set->n; i++) {
        const uint8_t *image = set->images + i * pixels;
        const bool is_blank = survey_is_blank(image, set->spec);
        if (is_blank && !blank++) first_blank = i;
        if (!is_blank && survey_is_inverted(image, set->spec) && !inverted++) first_inverted = i;
    }
    if (blank)
        log_line(log, "warning: %lld of %lld %s images are blank (the first one is %s)", (long long)blank,
                 (long long)set->n, part, name_of(first_blank, paths, number));
    const bool mixed = paths && 5 * inverted > set->n - blank && 5 * inverted < 4 * (set->n - blank);
    if (inverted)
        log_line(log,
                 "warning: %lld of %lld %s images have a bright ground (the first one is %s); ink "
                 "is 255 and the ground 0: %s",
                 (long long)inverted, (long long)set->n, part, name_of(first_inverted, paths, number),
                 mixed
                     ? "others have a dark one, so invert some of them unless the ground belongs to the class"
                     : advice);
}

Strangeness strangeness_of(const ImageSet *set) {
    const int64_t pixels = image_spec_pixels(set->spec);
    Strangeness found = {.brightest = survey_brightest(set->images, set->n * pixels), .n = set->n};
    for (int64_t i = 0; i < set->n; i++)
        found.inverted += survey_is_inverted(set->images + i * pixels, set->spec);
    return found;
}

void hint_at_strange_images(Log *log, const char *part, const Strangeness *found) {
    if (found->brightest < SURVEY_FAINT)
        log_line(
            log,
            "hint: few images are recognised; the brightest pixel of the %s images is %d of 255: compare "
            "them with the images that the model was trained on",
            part, found->brightest);
    else if (2 * found->inverted > found->n)
        log_line(log,
                 "hint: few images are recognised; %lld of %lld %s images have a bright ground: compare them "
                 "with the images that the model was trained on",
                 (long long)found->inverted, (long long)found->n, part);
}

void hint_at_absent_classes(Log *log, const char *part, const ImageSet *set, const ClassNames *names) {
    bool present[CLASSES_MAX] = {false};
    char number[12];
    int absent = 0, first = 0;
    for (int64_t i = 0; i < set->n; i++)
        present[set->labels[i]] = true;
    for (int c = 0; c < set->spec.classes; c++)
        if (!present[c] && !absent++) first = c;
    if (absent && set->n)
        log_line(
            log,
            "hint: classes without %s images: %d of %d (the first one is %s); add some, or remove the class",
            part, absent, set->spec.classes, class_name(names, first, number));
}
