#include "cli/read_signs.h"

#include "cli/digit_runs.h"
#include "core/integers.h"

#include <math.h>
#include <stdlib.h>

static bool is_leaning_stroke(const ReadDigit *digit) {
    return digit->best.label == 1 && digit->place.lean >= 0.25 && digit->place.spread <= 1.15;
}

/* The number that digits first to end - 1 show. */
static int value_of(const ReadDigits *read, int first, int end) {
    int value = 0;
    for (int d = first; d < end; d++)
        value = 10 * value + read->digits[d].best.label;
    return value;
}

static bool is_day_and_month(int day, int month) {
    return day >= 1 && day <= 31 && month >= 1 && month <= 12;
}

/* Whether digits first to end - 1 are a date with slashes at a and b. */
static bool is_date(const ReadDigits *read, int first, int a, int b, int end) {
    const int years = end - b - 1;
    if (a - first < 1 || a - first > 2 || b - a < 2 || b - a > 3 || (years != 2 && years != 4)) return false;
    const int day = value_of(read, first, a), month = value_of(read, a + 1, b);
    return is_day_and_month(day, month) || is_day_and_month(month, day);
}

/* Whether strokes a and b lean more than any 1 between first and end; one that lies flat is no slash. */
static bool lean_most(const ReadDigits *read, int first, int a, int b, int end) {
    const double clearly = 0.05, alike = 0.25, one = read->digits[a].place.lean,
                 other = read->digits[b].place.lean, least = fmin(one, other), most = fmax(one, other);
    if (most - least > alike) return false;
    for (int d = first; d < end; d++) {
        const double lean = read->digits[d].place.lean;
        if (d != a && d != b && read->digits[d].best.label == 1 && lean > least - clearly &&
            lean < most + alike)
            return false;
    }
    return true;
}

static void part_by_sign(ReadDigits *read, int d) {
    ReadDigit *digit = &read->digits[d];
    digit->doubtful = digit->is_sign = true;
    digit->place.number = -1 - d; /* others are counted from 0 */
}

static void doubt_slashes(ReadDigits *read, int first, int end) {
    for (int a = first; a < end; a++)
        for (int b = a + 1; b < end && is_leaning_stroke(&read->digits[a]); b++) {
            if (!is_leaning_stroke(&read->digits[b]) || !is_date(read, first, a, b, end) ||
                !lean_most(read, first, a, b, end))
                continue;
            part_by_sign(read, a);
            part_by_sign(read, b);
            return;
        }
}

/* Two parts of one shape that end a number, a 9 and a 6, or what is clearly lower than the 9, may be a per
 * cent sign. */
static void doubt_per_cent(ReadDigits *read, int first) {
    for (int d = first; d + 1 < read->count; d++) {
        ReadDigit *nine = &read->digits[d], *six = &read->digits[d + 1];
        const bool one_shape = nine->place.reading > 0 && nine->place.shape == six->place.shape,
                   at_end = d + 2 == read->count || !are_close(six, &read->digits[d + 2]),
                   is_low = 100 * six->place.height <= 85 * nine->place.height;
        if (one_shape && at_end && nine->best.label == 9 && (six->best.label == 6 || is_low))
            nine->doubtful = six->doubtful = nine->is_sign = six->is_sign = true;
    }
}

/* Whether two are 1s nearer to each other than a quarter of their height. */
static bool are_narrow_ones(const ReadDigit *a, const ReadDigit *b) {
    const int twice_apart = abs(2 * b->place.x + b->place.width - 2 * a->place.x - a->place.width);
    return a->place.line == b->place.line && a->best.label == 1 && b->best.label == 1 &&
           2 * twice_apart < larger(a->place.height, b->place.height);
}

/* Nobody writes 1s so close together: these are a zigzag. */
static void doubt_zigzags(ReadDigits *read, int first) {
    for (int d = first; d + 1 < read->count; d++)
        if (are_narrow_ones(&read->digits[d], &read->digits[d + 1]))
            read->digits[d].doubtful = read->digits[d + 1].doubtful = true;
}

/* The strokes of ! and ? look like a 1, a 2 or a 7. A 3 is seldom three times as high as wide: that is rather
 * a brace. */
static bool is_like_punctuation(const ReadDigit *digit) {
    const int label = digit->best.label;
    return (digit->place.dotted && (label == 1 || label == 2 || label == 7)) ||
           (label == 3 && 3 * digit->place.width < digit->place.height);
}

void doubt_signs(ReadDigits *read, int first) {
    for (int d = first; d < read->count; d++)
        if (is_like_punctuation(&read->digits[d])) read->digits[d].doubtful = read->digits[d].is_sign = true;
    doubt_per_cent(read, first);
    doubt_zigzags(read, first);
    for (Run number = {first, first}; next_run(read, are_close, read->count, &number);)
        doubt_slashes(read, number.first, number.end);
}
