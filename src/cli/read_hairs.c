#include "cli/read_hairs.h"

#include "cli/digit_runs.h"
#include "core/integers.h"
#include "core/mem.h"

#include <math.h>

static double median(double *values, int count) {
    sort_doubles(values, (size_t)count);
    return values[count / 2];
}

/* What most of the sure digits' strokes are like; false where these are few. */
static bool usual_strokes(const ReadDigits *read, int first, double *stroke, double *ink) {
    const int few = 3;
    const size_t room = (size_t)(read->count - first) + 1;
    double *strokes = mem_new(room, sizeof *strokes), *inks = mem_new(room, sizeof *inks);
    int count = 0;
    for (int d = first; d < read->count; d++) {
        if (read->digits[d].doubtful) continue;
        strokes[count] = read->digits[d].place.stroke;
        inks[count++] = read->digits[d].place.ink;
    }
    if (count > few) {
        *stroke = median(strokes, count);
        *ink = median(inks, count);
    }
    mem_free(strokes);
    mem_free(inks);
    return count > few;
}

static bool is_hair(const FoundDigit *digit, double stroke, double ink) {
    return 3 * digit->stroke <= 2 * stroke && 5 * digit->ink <= 2 * ink;
}

/* Doubts the hairs of a number unless there are several and nothing else. */
static void doubt_in_number(ReadDigits *read, const Run *number, double stroke, double ink) {
    int hairs = 0;
    for (int d = number->first; d < number->end; d++)
        hairs += is_hair(&read->digits[d].place, stroke, ink);
    if (hairs > 1 && hairs == number->end - number->first) return;
    for (int d = number->first; d < number->end; d++) {
        FoundDigit *place = &read->digits[d].place;
        if (!is_hair(place, stroke, ink)) continue;
        read->digits[d].doubtful = true;
        if (d == number->first || d == number->end - 1)
            place->number = -1 - d; /* others are counted from 0 */
    }
}

/* A stroke as slim as this, slimmer than a thin pen's, may be a hair or a scratch as well as a 1 on a page
 * with little else. */
static void doubt_slim_strokes(ReadDigits *read, int first) {
    const double slim = 45;
    for (int d = first; d < read->count; d++) {
        const FoundDigit *place = &read->digits[d].place;
        if (read->digits[d].best.label == 1 && !place->alone &&
            slim * place->stroke < hypot(place->width, place->height))
            read->digits[d].doubtful = true;
    }
}

void doubt_hairs(ReadDigits *read, int first, bool digits) {
    double stroke, ink;
    if (!usual_strokes(read, first, &stroke, &ink)) {
        if (digits) doubt_slim_strokes(read, first);
        return;
    }
    for (Run number = {first, first}; next_run(read, are_close, read->count, &number);)
        doubt_in_number(read, &number, stroke, ink);
}
