#include "data/survey.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/sha256.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLANK_RANGE = 16 }; /* grey levels that noise may take */

bool survey_is_blank(const uint8_t *image, ImageSpec spec) {
    int least = 255, most = 0;
    for (int i = 0; i < image_spec_pixels(spec); i++) {
        least = image[i] < least ? image[i] : least;
        most = image[i] > most ? image[i] : most;
    }
    return most - least < BLANK_RANGE;
}

/* The frame of outermost pixels is bright, and brighter than what is inside. (Ink that fills an image, such
 * as a coat's, is as bright inside.) */
bool survey_is_inverted(const uint8_t *image, ImageSpec spec) {
    int64_t frame = 0, all = 0;
    for (int y = 0; y < spec.height; y++)
        for (int x = 0; x < spec.width; x++) {
            const bool outermost = y == 0 || x == 0 || y == spec.height - 1 || x == spec.width - 1;
            const int pixel = image[y * spec.width + x];
            all += pixel;
            frame += outermost ? pixel : 0;
        }
    const double frame_pixels = 2.0 * (spec.height + spec.width) - 4,
                 inside = (double)(all - frame) / (image_spec_pixels(spec) - frame_pixels),
                 mean = (double)frame / frame_pixels;
    return mean >= 128 && mean > inside;
}

bool survey_is_normalised(const uint8_t *image, ImageSpec spec) {
    const int ink = 32; /* the least pixel of it */
    int left = spec.width, right = -1, top = spec.height, bottom = -1;
    double mass = 0, x_sum = 0, y_sum = 0;
    for (int y = 0; y < spec.height; y++)
        for (int x = 0; x < spec.width; x++) {
            const int pixel = image[y * spec.width + x];
            mass += pixel;
            x_sum += (double)pixel * x;
            y_sum += (double)pixel * y;
            if (pixel < ink) continue;
            left = x < left ? x : left;
            right = x > right ? x : right;
            top = y < top ? y : top;
            bottom = y > bottom ? y : bottom;
        }
    if (right < 0) return false;
    const double size = 28 * fmax((right - left + 1.0) / spec.width, (bottom - top + 1.0) / spec.height),
                 off_x = 28 * fabs((x_sum / mass + 0.5) / spec.width - 0.5),
                 off_y = 28 * fabs((y_sum / mass + 0.5) / spec.height - 0.5);
    return size > 17 && size < 22.5 && off_x < 2 && off_y < 2;
}

int survey_brightest(const uint8_t *pixels, int64_t n) {
    uint8_t most = 0;
    for (int64_t i = 0; i < n && most < SURVEY_FAINT; i++)
        most = pixels[i] > most ? pixels[i] : most;
    return most;
}

bool survey_hint_at_faint(Log *log, const char *part, int brightest) {
    if (brightest >= SURVEY_FAINT) return false;
    if (brightest == 0)
        log_line(log, "hint: every pixel of the %s images is 0, so there is nothing to see in them", part);
    if (brightest == 0) return true;
    log_line(
        log,
        "hint: the brightest pixel of the %s images is %d of 255, too faint for SVMs and CNNs to learn well "
        "from; multiply the pixels by %d when the dataset is made",
        part, brightest, 255 / brightest);
    return true;
}

Survey survey_new(ImageSpec spec, int64_t room) {
    const size_t classes = (size_t)spec.classes, pixels = (size_t)image_spec_pixels(spec);
    return (Survey){.spec = spec,
                    .counts = mem_new(classes, sizeof(int64_t)),
                    .sums = mem_new(classes * pixels, sizeof(double)),
                    .keys = mem_new((size_t)room, sizeof(SurveyKey))};
}

void survey_free(Survey *survey) {
    mem_free(survey->counts);
    mem_free(survey->sums);
    mem_free(survey->keys);
    *survey = (Survey){0};
}

static SurveyKey key_of(const uint8_t *image, int pixels) {
    unsigned char digest[SHA256_BYTES];
    SurveyKey key;
    Sha256 hash;
    sha256_begin(&hash);
    sha256_add(&hash, image, (size_t)pixels);
    sha256_end_bytes(&hash, digest);
    memcpy(key.bytes, digest, SURVEY_KEY);
    return key;
}

static void add_one(Survey *survey, const uint8_t *image, int label) {
    const int pixels = image_spec_pixels(survey->spec);
    double *sum = survey->sums + (int64_t)label * pixels;
    for (int i = 0; i < pixels; i++) {
        sum[i] += image[i];
        if (image[i] > survey->brightest) survey->brightest = image[i];
    }
    survey->counts[label]++;
    const bool blank = survey_is_blank(image, survey->spec);
    survey->blank += blank;
    survey->inverted += !blank && survey_is_inverted(image, survey->spec);
    survey->keys[survey->n++] = key_of(image, pixels);
}

void survey_add(Survey *survey, const uint8_t *images, const uint8_t *labels, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        add_one(survey, images + i * image_spec_pixels(survey->spec), labels[i]);
}

static int compare_keys(const void *left, const void *right) {
    return memcmp(left, right, SURVEY_KEY);
}

void survey_sort(Survey *survey) {
    qsort(survey->keys, (size_t)survey->n, sizeof *survey->keys, compare_keys);
}

int64_t survey_repeated(const Survey *survey) {
    int64_t repeated = 0;
    for (int64_t i = 1; i < survey->n; i++)
        repeated += !compare_keys(&survey->keys[i - 1], &survey->keys[i]);
    return repeated;
}

int64_t survey_shared(const Survey *a, const Survey *b) {
    int64_t shared = 0, at = 0;
    for (int64_t i = 0; i < a->n; i++) {
        while (at < b->n && compare_keys(&b->keys[at], &a->keys[i]) < 0)
            at++;
        shared += at < b->n && !compare_keys(&b->keys[at], &a->keys[i]);
    }
    return shared;
}

uint8_t *survey_means(const Survey *survey) {
    const int64_t pixels = image_spec_pixels(survey->spec);
    uint8_t *means = mem_new((size_t)(survey->spec.classes * pixels), 1);
    for (int64_t i = 0; i < survey->spec.classes * pixels; i++)
        means[i] = (uint8_t)lrint(survey->sums[i] / (double)larger(survey->counts[i / pixels], 1));
    return means;
}
