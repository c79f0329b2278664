#include "cli/readings.h"

#include "cli/digit_runs.h"
#include "cli/read_hairs.h"
#include "cli/read_signs.h"
#include "cli/read_words.h"
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

/* Makes of the model's answer that of model and gate, as two witnesses: the product of their probabilities.
 * log_odds [GATE_DIGITS], probabilities [GATE_DIGITS] */
static void hear_gate(const float *log_odds, Prediction *best, float *probabilities) {
    const double never = 1e-6; /* no model is surer */
    double both[GATE_DIGITS], sum = 0;
    float most = log_odds[0];
    for (int k = 1; k < GATE_DIGITS; k++)
        most = fmaxf(most, log_odds[k]);
    for (int k = 0; k < GATE_DIGITS; k++)
        sum += both[k] = fmax((double)probabilities[k], never) * exp((double)(log_odds[k] - most));
    best->label = 0;
    for (int k = 0; k < GATE_DIGITS; k++) {
        probabilities[k] = (float)(both[k] / sum);
        if (both[k] > both[best->label]) best->label = k;
    }
    best->confidence = probabilities[best->label];
}

/* Of each image [found->count]: how sure it is that it shows its label; how much that speaks for its reading
 * against others of the same ink, of which several may be sure enough; the gate's log odds of its label; and
 * what is too little. */
typedef struct {
    double *sure, *rank;
    float *log_odds;
    double reject;
    bool gated; /* the gate is asked */
} Doubt;

/* How likely an image is a digit, by the gate: 0.5 at the given log odds. */
static double digit_likelihood(double log_odds, double log_odds_at_half, double spread) {
    return 1 / (1 + exp((log_odds_at_half - log_odds) / spread));
}

/* Whether the gate rather sees another digit, such as a 1 of print with a flag where the model sees a 7. */
static bool gate_disagrees(const float *log_odds, int label) {
    const float clearly = 1;
    for (int k = 0; k < GATE_DIGITS; k++)
        if (log_odds[k] > log_odds[label] + clearly) return true;
    return false;
}

/* What model and gate say of image i. All but 0.11 % of MNIST's digits that the gate wasn't trained on have
 * log odds of -3.5 or more, all but 0.36 % -1.5 (results/pictures.md); where the model isn't sure the latter
 * are asked for. Digits that were cut from others or joined wrongly mostly have less than 2. Of doubtful
 * shapes in short words 95 % of the letters have less than -4, and 2 of 30 digits. A digit of which the gate
 * rather sees another one isn't sure at all, not even in an image taken as a whole. */
static void weigh(const Model *model, const FoundDigits *found, const Answers *views, int64_t i,
                  Answers *answers, Doubt *doubt) {
    const bool gated = doubt->gated;
    float log_odds[GATE_DIGITS];
    if (gated) gate_log_odds(found->images + i * image_spec_pixels(model->spec), log_odds);
    if (gated && answers->probabilities && !found->digits[i].alone)
        hear_gate(log_odds, &answers->best[i], answers->probabilities + i * GATE_DIGITS);
    doubt->sure[i] = doubt->rank[i] = sureness(model, views, i, answers->best[i].label);
    if (found->digits[i].struck || found->digits[i].badly_cut || found->digits[i].stain) doubt->sure[i] = 0;
    doubt->log_odds[i] = gated ? log_odds[answers->best[i].label] : HUGE_VALF;
    if (!gated) return;
    if (gate_disagrees(log_odds, answers->best[i].label)) doubt->sure[i] = 0;
    const double own = (double)doubt->log_odds[i], limit = doubt->sure[i] < 0.99 ? -1.5 : -3.5;
    doubt->sure[i] = fmin(doubt->sure[i], digit_likelihood(own, limit, 1));
    doubt->rank[i] = fmin(doubt->rank[i], digit_likelihood(own, 2, 2));
}

/* Readings of one shape: images first to end - 1. */
typedef struct {
    int64_t first, end;
    double sure, rank; /* of the least sure part */
} Reading;

static bool same_sheet(const FoundDigit *a, const FoundDigit *b) {
    return a->picture == b->picture && a->page == b->page && a->sheet == b->sheet;
}

static bool same_sight(const FoundDigit *a, const FoundDigit *b) {
    return same_sheet(a, b) && a->sight == b->sight;
}

static bool same_shape(const FoundDigit *a, const FoundDigit *b) {
    return same_sight(a, b) && a->shape == b->shape && !a->joins && !b->joins;
}

/* The reading that begins with image `first`. */
static Reading reading_at(const FoundDigits *found, const Doubt *doubt, int64_t first) {
    Reading reading = {first, first, 1, 1};
    const FoundDigit *digits = found->digits;
    while (reading.end < found->count && same_shape(&digits[reading.end], &digits[first]) &&
           digits[reading.end].reading == digits[first].reading) {
        reading.sure = fmin(reading.sure, doubt->sure[reading.end]);
        reading.rank = fmin(reading.rank, doubt->rank[reading.end++]);
    }
    return reading;
}

/* Whether several digits are more likely than one: a shape that is wider than high seldom is one. Of one that
 * is narrower only good cuts are among the readings. */
static bool is_better(const FoundDigits *found, const Reading *parts, const Reading *whole) {
    const FoundDigit *shape = &found->digits[whole->first];
    const double wide = (double)shape->width / shape->height;
    double lead = wide > 1.8 ? -0.5 : wide > 1.4 ? -0.1 : 0.25; /* that the parts need */
    if (found->digits[parts->first].badly_cut && wide <= 1.8) lead = 0.25;
    return parts->rank > whole->rank + lead;
}

/* Whether one digit was chosen though two are about as likely, and likely enough to be digits. */
static bool is_undecided(const FoundDigits *found, const Reading *parts, const Reading *whole) {
    const FoundDigit *shape = &found->digits[whole->first];
    const bool cut_well = shape->width < shape->height || !found->digits[parts->first].badly_cut;
    return !shape->reading && cut_well && parts->rank > fmax(0.3, whole->rank - 0.2);
}

/* Puts image i into place d of the digits read. */
static void put(const FoundDigits *found, const Answers *answers, const Doubt *doubt, int64_t i, int d,
                ReadDigits *read) {
    const int classes = found->spec.classes;
    read->digits[d] = (ReadDigit){.place = found->digits[i],
                                  .image = i,
                                  .best = answers->best[i],
                                  .doubtful = doubt->sure[i] < doubt->reject || found->digits[i].faint,
                                  .log_odds = doubt->log_odds[i]};
    if (answers->probabilities)
        memcpy(read->probabilities + (int64_t)d * classes, answers->probabilities + i * classes,
               (size_t)classes * sizeof(float));
}

static void take(const Reading *reading, const FoundDigits *found, const Answers *answers, const Doubt *doubt,
                 ReadDigits *read) {
    for (int64_t i = reading->first; i < reading->end; i++) {
        put(found, answers, doubt, i, read->count, read);
        /* a cut is as good as what it leaves on either side */
        read->digits[read->count++].doubtful = reading->sure < doubt->reject || found->digits[i].faint;
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

static bool is_joined(const FoundDigit *join, int shape) {
    for (int k = 0; k < join->joins; k++)
        if (join->joined[k] == shape) return true;
    return false;
}

/* By how much a join is better than what was read of its shapes, digits `before` and further; negative where
 * it isn't, it is doubtful, or a shape of it was joined already. */
static double gain_of_join(const FoundDigits *found, const Doubt *doubt, int64_t i, const ReadDigits *read,
                           int before) {
    const FoundDigit *join = &found->digits[i];
    const double lead =
        join->joins == 1 ? -0.4 : 0.25; /* a piece beside one shape is left over without the join */
    double rank = 1;
    bool whole[FOUND_JOINED] = {false};
    for (int d = before; d < read->count; d++) {
        const FoundDigit *part = &read->digits[d].place;
        for (int k = 0; k < join->joins; k++)
            if (join->joined[k] == part->shape && !part->joins) {
                whole[k] = true;
                rank = fmin(rank, doubt->rank[read->digits[d].image]);
            }
    }
    for (int k = 0; k < join->joins; k++)
        if (!whole[k]) return -1;
    return doubt->sure[i] < doubt->reject ? -1 : doubt->rank[i] - rank - lead;
}

/* Replaces what was read of shapes by the joins, images first to end - 1, that are surer, the best first. */
static void choose_joins(const FoundDigits *found, const Answers *answers, const Doubt *doubt, int64_t first,
                         int64_t end, int before, ReadDigits *read) {
    for (int64_t best = first; best >= 0;) {
        double most = 0;
        best = -1;
        for (int64_t i = first; i < end; i++) {
            const double gain = gain_of_join(found, doubt, i, read, before);
            if (gain <= most) continue;
            most = gain;
            best = i;
        }
        bool placed = false;
        for (int d = before; best >= 0 && d < read->count; d++) {
            if (!is_joined(&found->digits[best], read->digits[d].place.shape)) continue;
            if (placed) {
                drop(read, d, d + 1, found->spec.classes);
                d--;
            } else {
                put(found, answers, doubt, best, d, read);
            }
            placed = true;
        }
    }
}

/* Whether small digits, which stand close together, aren't a number: words, of which a third or more is
 * doubtful, and strokes that are all alike. */
static bool is_small_print(const ReadDigits *read, const Run *run) {
    const int count = run->end - run->first;
    int doubtful = 0, ones = 0;
    for (int d = run->first; d < run->end; d++) {
        doubtful += read->digits[d].doubtful;
        ones += read->digits[d].best.label == 1;
    }
    return 3 * doubtful >= count || ones == count;
}

static bool same_writing(const ReadDigit *a, const ReadDigit *b) {
    return are_close(a, b) && a->place.small == b->place.small;
}

static bool are_all_small(const ReadDigits *read, int before) {
    for (int d = before; d < read->count; d++)
        if (!read->digits[d].place.small) return false;
    return true;
}

/* Small numbers of 0s alone, beside larger writing, may be letters o as well. */
static void doubt_small_rings(ReadDigits *read, int before) {
    if (are_all_small(read, before)) return;
    for (Run number = {before, before}; next_run(read, same_writing, read->count, &number);) {
        bool rings = read->digits[number.first].place.small;
        for (int d = number.first; d < number.end; d++)
            rings = rings && read->digits[d].best.label == 0;
        for (int d = number.first; d < number.end && rings; d++)
            read->digits[d].doubtful = true;
    }
}

/* Leaves small print out, as forms have it beside what is filled in. */
static void drop_small_print(ReadDigits *read, int before, int classes) {
    if (are_all_small(read, before)) return;
    for (Run run = {before, before}; next_run(read, same_writing, read->count, &run);) {
        if (!read->digits[run.first].place.small || !is_small_print(read, &run)) continue;
        drop(read, run.first, run.end, classes);
        run.end = run.first; /* where the next ones are now */
    }
}

/* Chooses a reading of each shape that begins with image i and belongs to its sight; the images after them.
 * *sure: the mean over the digits. */
static int64_t choose_readings(const FoundDigits *found, const Answers *answers, const Doubt *doubt,
                               int64_t i, ReadDigits *read, double *sure) {
    const FoundDigit *first = &found->digits[i];
    const int before = read->count;
    *sure = 0;
    while (i < found->count && same_sight(&found->digits[i], first) && !found->digits[i].joins) {
        Reading best = reading_at(found, doubt, i), next = best;
        bool undecided = false;
        for (i = best.end; i < found->count && same_shape(&found->digits[i], &found->digits[best.first]);
             i = next.end) {
            next = reading_at(found, doubt, i);
            if (is_better(found, &next, &best)) {
                best = next;
                undecided = false;
            } else
                undecided = undecided || is_undecided(found, &next, &best);
        }
        if (undecided) best.sure = 0;
        take(&best, found, answers, doubt, read);
    }
    const int64_t joins = i;
    while (i < found->count && same_sight(&found->digits[i], first))
        i++;
    choose_joins(found, answers, doubt, joins, i, before, read);
    drop_small_print(read, before, found->spec.classes);
    if (doubt->gated) { /* by rules of digits */
        doubt_small_rings(read, before);
        doubt_signs(read, before);
    }
    doubt_words(read, before);
    doubt_hairs(read, before, doubt->gated);
    for (int d = before; d < read->count; d++)
        *sure += doubt->sure[read->digits[d].image] / (read->count - before);
    return i;
}

/* Of the two ways to see a page or a sheet the second one has to leave far less doubt. */
static void choose(const FoundDigits *found, const Answers *answers, const Doubt *doubt, ReadDigits *read) {
    const double little = 0.95;
    for (int64_t i = 0; i < found->count;) {
        const FoundDigit *first = &found->digits[i];
        const int before = read->count;
        double sure, other_sure;
        i = choose_readings(found, answers, doubt, i, read, &sure);
        if (i == found->count || !same_sheet(&found->digits[i], first)) continue;
        const int between = read->count;
        i = choose_readings(found, answers, doubt, i, read, &other_sure);
        if (sure < little && 2 * (1 - other_sure) < 1 - sure)
            drop(read, before, between, found->spec.classes);
        else
            drop(read, between, read->count, found->spec.classes);
    }
}

StatusCode read_digits(const Context *context, const Model *model, const FoundDigits *found, double reject,
                       bool gated, ReadDigits *read, Status *status) {
    const int64_t n = found->count;
    const int classes = model->spec.classes;
    uint8_t *changed = views_make(found->images, n, model->spec);
    Answers answers, views = {0};
    *read = (ReadDigits){0};
    if (!ask(context, model, found->images, n, &answers, status) &&
        !ask(context, model, changed, n * VIEWS, &views, status)) {
        Doubt doubt = {mem_new((size_t)n, sizeof *doubt.sure), mem_new((size_t)n, sizeof *doubt.rank),
                       mem_new((size_t)n, sizeof *doubt.log_odds), reject, gated};
        for (int64_t i = 0; i < n; i++)
            weigh(model, found, &views, i, &answers, &doubt);
        read->digits = mem_new((size_t)n, sizeof *read->digits);
        if (answers.probabilities) read->probabilities = mem_new((size_t)(n * classes), sizeof(float));
        choose(found, &answers, &doubt, read);
        count_lines_and_numbers(read);
        mem_free(doubt.sure);
        mem_free(doubt.rank);
        mem_free(doubt.log_odds);
    }
    answers_free(&answers);
    answers_free(&views);
    mem_free(changed);
    return status->code;
}
