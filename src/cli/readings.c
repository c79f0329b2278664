#include "cli/readings.h"

#include "core/mem.h"
#include "data/gate.h"
#include "data/views.h"

#include <math.h>
#include <string.h>

void read_digits_free(ReadDigits *read) {
    mem_free(read->digits);
    mem_free(read->probabilities);
    *read = (ReadDigits){0};
}

/* What a model says of some images. */
typedef struct {
    Prediction *best;     /* [n] */
    float *probabilities; /* [n][classes]; NULL where the model has none */
} Answers;

static void answers_free(Answers *answers) {
    mem_free(answers->best);
    mem_free(answers->probabilities);
}

/* images [n][height][width], copied. */
static StatusCode ask(const Context *context, const Model *model, const uint8_t *images, int64_t n,
                      Answers *answers, Status *status) {
    const ModelFamily *family = model->family;
    const bool whole = !family->has_probabilities || family->has_probabilities(model);
    ImageSet set = image_set_new(n, model->spec);
    ModelImages seen = {0};
    *answers = (Answers){mem_new((size_t)n, sizeof *answers->best), NULL};
    if (n) memcpy(set.images, images, (size_t)n * (size_t)image_spec_pixels(model->spec));
    if (whole) answers->probabilities = mem_new((size_t)n * (size_t)model->spec.classes, sizeof(float));
    progress_enter(comm_progress(context->comm), PROGRESS_PREDICTION, 0);
    if (!model_images_create(model, &set, &seen, status) && n)
        family->predict(model, context, &seen, answers->best, answers->probabilities);
    model_images_free(&seen);
    return status->code;
}

/* How sure the model is of label k's image over the views of it: its mean probability there or, of a model
 * without probabilities, the share of views with this label, times the mean confidence. */
static double sureness(const Model *model, const Answers *views, int64_t image, int label) {
    double sum = 0;
    for (int64_t v = image * VIEWS; v < (image + 1) * VIEWS; v++)
        if (views->probabilities)
            sum += (double)views->probabilities[v * model->spec.classes + label];
        else if (views->best[v].label == label)
            sum += (double)views->best[v].confidence;
    return sum / VIEWS;
}

/* How likely an image is the digit that the model takes it for, by the gate: 0.5 where all but 0.35 % of
 * digits that the gate wasn't trained on are likelier (tests/pictures/gate.sh). */
static double digit_likelihood(const uint8_t *image, int label) {
    const double log_odds_at_half = -3.9;
    return 1 / (1 + exp(log_odds_at_half - (double)gate_log_odds(image, label)));
}

/* Readings of one shape: images first to end - 1. */
typedef struct {
    int64_t first, end;
    double sure; /* of the least sure part */
} Reading;

static bool same_page(const FoundDigit *a, const FoundDigit *b) {
    return a->picture == b->picture && a->page == b->page;
}

static bool same_sight(const FoundDigit *a, const FoundDigit *b) {
    return same_page(a, b) && a->sight == b->sight;
}

static bool same_shape(const FoundDigit *a, const FoundDigit *b) {
    return same_sight(a, b) && a->shape == b->shape;
}

/* The reading that begins with image `first`. */
static Reading reading_at(const FoundDigits *found, const double *sure, int64_t first) {
    Reading reading = {first, first, 1};
    const FoundDigit *digits = found->digits;
    while (reading.end < found->count && same_shape(&digits[reading.end], &digits[first]) &&
           digits[reading.end].reading == digits[first].reading)
        reading.sure = fmin(reading.sure, sure[reading.end++]);
    return reading;
}

/* Whether several digits are more likely than one: a shape that is wider than high seldom is one. */
static bool is_better(const FoundDigits *found, const Reading *parts, const Reading *whole) {
    const FoundDigit *shape = &found->digits[whole->first];
    const double wide = (double)shape->width / shape->height;
    const double lead = wide > 1.8 ? -0.5 : wide > 1.4 ? -0.1 : 0.25; /* that the parts need */
    return parts->sure > whole->sure + lead;
}

/* How sure the model is of each image's label [found->count], and what is too little. */
typedef struct {
    double *sure, reject;
} Doubt;

static void take(const Reading *reading, const FoundDigits *found, const Answers *answers, const Doubt *doubt,
                 ReadDigits *read) {
    const int classes = found->spec.classes;
    for (int64_t i = reading->first; i < reading->end; i++) {
        ReadDigit *digit = &read->digits[read->count];
        *digit = (ReadDigit){found->digits[i], i, answers->best[i], doubt->sure[i] < doubt->reject};
        if (read->probabilities)
            memcpy(read->probabilities + (int64_t)read->count * classes, answers->probabilities + i * classes,
                   (size_t)classes * sizeof(float));
        read->count++;
    }
}

/* Removes digits first to end - 1. */
static void drop(ReadDigits *read, int first, int end, int classes) {
    const size_t behind = (size_t)(read->count - end);
    memmove(read->digits + first, read->digits + end, behind * sizeof *read->digits);
    if (read->probabilities)
        memmove(read->probabilities + (int64_t)first * classes, read->probabilities + (int64_t)end * classes,
                behind * (size_t)classes * sizeof(float));
    read->count -= end - first;
}

/* Chooses a reading of each shape that begins with image i and belongs to its sight; the images after them.
 * *sure: the mean over the digits. */
static int64_t choose_readings(const FoundDigits *found, const Answers *answers, const Doubt *doubt,
                               int64_t i, ReadDigits *read, double *sure) {
    const FoundDigit *first = &found->digits[i];
    const int before = read->count;
    *sure = 0;
    while (i < found->count && same_sight(&found->digits[i], first)) {
        Reading best = reading_at(found, doubt->sure, i), next = best;
        for (i = best.end; i < found->count && same_shape(&found->digits[i], &found->digits[best.first]);
             i = next.end) {
            next = reading_at(found, doubt->sure, i);
            if (is_better(found, &next, &best)) best = next;
        }
        take(&best, found, answers, doubt, read);
    }
    for (int d = before; d < read->count; d++)
        *sure += doubt->sure[read->digits[d].image] / (read->count - before);
    return i;
}

/* Of the two ways to see a page the second one has to leave far less doubt. */
static void choose(const FoundDigits *found, const Answers *answers, const Doubt *doubt, ReadDigits *read) {
    const double little = 0.95;
    for (int64_t i = 0; i < found->count;) {
        const FoundDigit *first = &found->digits[i];
        const int before = read->count;
        double sure, other_sure;
        i = choose_readings(found, answers, doubt, i, read, &sure);
        if (i == found->count || !same_page(&found->digits[i], first)) continue;
        const int between = read->count;
        i = choose_readings(found, answers, doubt, i, read, &other_sure);
        if (sure < little && 2 * (1 - other_sure) < 1 - sure)
            drop(read, before, between, found->spec.classes);
        else
            drop(read, between, read->count, found->spec.classes);
    }
}

StatusCode read_digits(const Context *context, const Model *model, const FoundDigits *found, double reject,
                       ReadDigits *read, Status *status) {
    const int64_t n = found->count;
    const int classes = model->spec.classes;
    uint8_t *changed = views_make(found->images, n, model->spec);
    Answers answers, views = {0};
    *read = (ReadDigits){0};
    if (!ask(context, model, found->images, n, &answers, status) &&
        !ask(context, model, changed, n * VIEWS, &views, status)) {
        const Doubt doubt = {mem_new((size_t)n, sizeof *doubt.sure), reject};
        for (int64_t i = 0; i < n; i++) {
            doubt.sure[i] = sureness(model, &views, i, answers.best[i].label);
            const uint8_t *image = found->images + i * image_spec_pixels(model->spec);
            if (gate_knows(model->spec) && !model->class_names.names)
                doubt.sure[i] = fmin(doubt.sure[i], digit_likelihood(image, answers.best[i].label));
        }
        read->digits = mem_new((size_t)n, sizeof *read->digits);
        if (answers.probabilities) read->probabilities = mem_new((size_t)(n * classes), sizeof(float));
        choose(found, &answers, &doubt, read);
        mem_free(doubt.sure);
    }
    answers_free(&answers);
    answers_free(&views);
    mem_free(changed);
    return status->code;
}
