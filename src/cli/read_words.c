#include "cli/read_words.h"

#include "cli/digit_runs.h"
#include "core/integers.h"
#include "core/mem.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

static bool same_word(const ReadDigit *a, const ReadDigit *b) {
    return same_line(a, b) && a->place.word == b->place.word;
}

/* Whether the second of two stands right beside the first one, whatever is between them: a piece of a cell's
 * border is a stroke, too. */
static bool are_beside(const ReadDigit *a, const ReadDigit *b) {
    return same_line(a, b) && (b->place.in_next_cell || (are_close(a, b) && !b->place.goes_on));
}

static bool same_number(const ReadDigit *a, const ReadDigit *b) {
    return are_close(a, b) && a->of_letters == b->of_letters;
}

/* Signs stand beside numbers as well as words, so they aren't counted. */
static int count_signs(const ReadDigits *read, const Run *run) {
    int signs = 0;
    for (int d = run->first; d < run->end; d++)
        signs += read->digits[d].is_sign;
    return signs;
}

static int count_doubtful(const ReadDigits *read, const Run *run) {
    int doubtful = 0;
    for (int d = run->first; d < run->end; d++)
        doubtful += read->digits[d].doubtful && !read->digits[d].is_sign;
    return doubtful;
}

static void make_doubtful(ReadDigits *read, const Run *run) {
    for (int d = run->first; d < run->end; d++)
        read->digits[d].doubtful = true;
}

/* The height that `rank` of a run's digits don't exceed. */
static int ranked_height(const ReadDigits *read, const Run *run, int rank) {
    const int count = run->end - run->first;
    int *heights = mem_new((size_t)count, sizeof *heights);
    for (int i = 0; i < count; i++)
        heights[i] = read->digits[run->first + i].place.height;
    sort_ints(heights, (size_t)count);
    const int height = heights[rank];
    mem_free(heights);
    return height;
}

/* A word's shapes, with those that aren't read. */
static int shapes_of(const ReadDigits *read, const Run *word) {
    return word->end - word->first - count_signs(read, word) + read->digits[word->first].place.strange;
}

/* Whether a word's shapes, some of which can't be digits, taken together rather aren't: the sum of their log
 * odds is negative. A digit that isn't doubtful speaks for a number no more than `most`. What is far higher
 * than the others, such as a stain, isn't of the word. */
static bool has_letters(const ReadDigits *read, const Run *word) {
    const float least = -12, most = 3, joined = -10, never = -4;
    const int count = word->end - word->first, strange = read->digits[word->first].place.strange,
              usual = ranked_height(read, word, (count - 1) / 2);
    float sum = joined * (float)strange;
    int letters = strange;
    for (int d = word->first; d < word->end; d++) {
        const ReadDigit *digit = &read->digits[d];
        if (digit->is_sign) continue;
        if (digit->doubtful && count > 2 && 10 * digit->place.height > 17 * usual) continue;
        letters += digit->doubtful && digit->log_odds < never;
        sum += digit->doubtful ? fmaxf(least, fminf(most, digit->log_odds)) : most;
    }
    return letters && sum < 0;
}

static bool is_of_letters(const ReadDigits *read, const Run *word) {
    const int shapes = shapes_of(read, word),
              doubtful = read->digits[word->first].place.strange + count_doubtful(read, word);
    return has_letters(read, word) || (shapes > 1 && 2 * doubtful > shapes);
}

static void doubt_words_of_letters(ReadDigits *read, int first) {
    for (Run word = {first, first}; next_run(read, same_word, read->count, &word);) {
        if (!is_of_letters(read, &word)) continue;
        make_doubtful(read, &word);
        for (int d = word.first; d < word.end; d++)
            read->digits[d].of_letters = true;
    }
}

/* Where most of three or more that stand together are doubtful, with gaps wide or narrow, all are. */
static void doubt_numbers(ReadDigits *read, int first) {
    const int least = 3;
    for (Run number = {first, first}; next_run(read, same_number, read->count, &number);) {
        const int digits = number.end - number.first - count_signs(read, &number);
        if (digits >= least && 2 * count_doubtful(read, &number) > digits) make_doubtful(read, &number);
    }
}

static bool is_print(const ReadDigits *read, int first) {
    const int several = 5;
    int words = 0, in_words = 0, all = 0;
    for (Run word = {first, first}; next_run(read, same_word, read->count, &word);) {
        const bool letters = read->digits[word.first].of_letters;
        all += shapes_of(read, &word);
        in_words += letters ? shapes_of(read, &word) : 0;
        words += letters && word.end - word.first > 1;
    }
    return words >= several && 10 * in_words > 8 * all;
}

static bool has_low_shape(const ReadDigits *read, const Run *word, int height) {
    bool low = false;
    for (int d = word->first; d < word->end; d++)
        low = low || 100 * read->digits[d].place.height < 78 * height;
    return low;
}

/* An eighth of a line's letters or more are capitals, or reach above or below the others. */
static void doubt_low_words(ReadDigits *read, int first) {
    for (Run line = {first, first}; next_run(read, same_line, read->count, &line);) {
        const int capitals = ranked_height(read, &line, 7 * (line.end - line.first) / 8);
        for (Run word = {line.first, line.first}; next_run(read, same_word, line.end, &word);)
            if (has_low_shape(read, &word, capitals)) make_doubtful(read, &word);
    }
}

/* A single shape close to words of letters may be the first of a word, or a word of one letter. */
static void doubt_single_shapes(ReadDigits *read, int first) {
    for (Run close = {first, first}; next_run(read, are_close, read->count, &close);) {
        bool letters = false;
        for (int d = close.first; d < close.end; d++)
            letters = letters || read->digits[d].of_letters;
        for (Run word = {close.first, close.first}; letters && next_run(read, same_word, close.end, &word);)
            if (word.end - word.first == 1) make_doubtful(read, &word);
    }
}

/* Whether a stroke stands where a comma after, or before, a digit does. */
static bool is_like_comma(const FoundDigit *stroke, const FoundDigit *digit) {
    const int gap = (int)larger(stroke->x - digit->x - digit->width, digit->x - stroke->x - stroke->width),
              bottom = digit->y + digit->height;
    return 5 * stroke->height <= 3 * digit->height && 2 * gap <= digit->height &&
           2 * (stroke->y - digit->y) >= digit->height && stroke->y < bottom &&
           stroke->y + stroke->height > bottom;
}

/* Whether a stroke reaches further up and further down than the digit beside it, by a share of its height. */
static bool reaches_beyond(const FoundDigit *stroke, const FoundDigit *digit, double share) {
    const double least = share * digit->height;
    return digit->y - stroke->y >= least && stroke->y + stroke->height - digit->y - digit->height >= least;
}

/* Whether stroke s of a line may be a slash or a bracket: it reaches beyond the digits before and after it in
 * its number, or clearly beyond the only one there is beside it. */
static bool is_like_slash(const ReadDigits *read, const Run *line, int s) {
    const ReadDigit *stroke = &read->digits[s];
    const bool before = s > line->first && are_beside(&read->digits[s - 1], stroke),
               after = s + 1 < line->end && are_beside(stroke, &read->digits[s + 1]);
    const double share = before && after ? 0.03 : 0.05;
    return (before || after) &&
           (!before || reaches_beyond(&stroke->place, &read->digits[s - 1].place, share)) &&
           (!after || reaches_beyond(&stroke->place, &read->digits[s + 1].place, share));
}

/* A stroke that is read as 1 may be a comma, a slash or a bracket, or, where it is far higher than most
 * digits of its line, a line between numbers. */
static void doubt_strokes(ReadDigits *read, int first) {
    for (Run line = {first, first}; next_run(read, same_line, read->count, &line);) {
        const int usual = ranked_height(read, &line, (line.end - line.first) / 2);
        for (int s = line.first; s < line.end; s++) {
            ReadDigit *stroke = &read->digits[s];
            if (stroke->best.label != 1) continue;
            bool doubtful = stroke->place.height >= 4 * usual || is_like_slash(read, &line, s);
            for (int d = first; d < read->count && !doubtful; d++)
                doubtful = is_like_comma(&stroke->place, &read->digits[d].place);
            stroke->doubtful = stroke->doubtful || doubtful;
        }
    }
}

/* Print has digits of one height: a stroke that is read as 1 and is somewhat higher is a slash or a bracket.
 */
static void doubt_high_strokes(ReadDigits *read, const Run *run) {
    const int least = 3;
    int others = 0, low = INT_MAX, high = 0;
    for (int d = run->first; d < run->end; d++) {
        const ReadDigit *digit = &read->digits[d];
        if (digit->best.label == 1 || digit->doubtful) continue;
        others++;
        low = (int)smaller(low, digit->place.height);
        high = (int)larger(high, digit->place.height);
    }
    if (others < least || 100 * (high - low) > 5 * high + 100) return;
    for (int d = run->first; d < run->end; d++) {
        ReadDigit *digit = &read->digits[d];
        const int beyond = digit->place.height - high;
        if (digit->best.label == 1 && beyond >= 2 && 100 * beyond > 8 * high && 100 * beyond < 40 * high)
            digit->doubtful = true;
    }
}

static void doubt_strokes_of_print(ReadDigits *read, int first) {
    const Run all = {first, read->count};
    for (Run line = {first, first}; next_run(read, same_line, read->count, &line);)
        doubt_high_strokes(read, &line);
    doubt_high_strokes(read, &all);
}

static int bottom_of(const FoundDigit *digit) {
    return digit->y + digit->height;
}

/* Whether two strokes are as high as each other, and reach beyond each digit between them on the same side.
 */
static bool are_like_brackets(const ReadDigits *read, const Run *number) {
    const FoundDigit *left = &read->digits[number->first].place,
                     *right = &read->digits[number->end - 1].place;
    const int height = left->height, equal = 4 * height / 100 + 1;
    int above = INT_MAX, below = INT_MAX;
    if (abs(left->y - right->y) > equal || abs(bottom_of(left) - bottom_of(right)) > equal) return false;
    for (int d = number->first + 1; d < number->end - 1; d++) {
        const FoundDigit *digit = &read->digits[d].place;
        above = (int)smaller(above, digit->y - larger(left->y, right->y));
        below = (int)smaller(below, smaller(bottom_of(left), bottom_of(right)) - bottom_of(digit));
    }
    return above >= -equal && below >= -equal && 100 * larger(above, below) > 8 * height;
}

/* A number that begins and ends with such a stroke, read as 1, may stand in brackets. */
static void doubt_brackets(ReadDigits *read, int first) {
    for (Run number = {first, first}; next_run(read, are_close, read->count, &number);) {
        ReadDigit *left = &read->digits[number.first], *right = &read->digits[number.end - 1];
        if (number.end - number.first > 2 && left->best.label == 1 && right->best.label == 1 &&
            are_like_brackets(read, &number))
            left->doubtful = right->doubtful = left->is_sign = right->is_sign = true;
    }
}

/* So many 1s in a row are rather the bars of a bar code, the teeth of a comb or a tally. */
static void doubt_bars(ReadDigits *read, int first) {
    const int many = 7;
    for (Run line = {first, first}; next_run(read, same_line, read->count, &line);)
        for (Run bars = {line.first, line.first}; bars.end < line.end; bars.first = ++bars.end) {
            while (bars.end < line.end && read->digits[bars.end].best.label == 1)
                bars.end++;
            if (bars.end - bars.first >= many) make_doubtful(read, &bars);
        }
}

/* Pieces of rules and other strokes are 1s and 7s, where they cross 4s: many of these and nothing else aren't
 * writing. */
static void doubt_strokes_alone(ReadDigits *read, int first) {
    const int many = 10;
    const Run all = {first, read->count};
    int sure = 0;
    for (int d = first; d < read->count; d++) {
        const int label = read->digits[d].best.label;
        if (read->digits[d].doubtful) continue;
        if (label != 1 && label != 7 && label != 4) return;
        sure++;
    }
    if (sure >= many) make_doubtful(read, &all);
}

/* Several digits at one edge of the page, and none at the opposite one, which they would touch too where a
 * number was cut out, may be the rest of what the edge cuts off. */
static void doubt_cut_off(ReadDigits *read, const Run *run, unsigned edge, unsigned opposite) {
    int at_edge = 0, at_opposite = 0;
    for (int d = run->first; d < run->end; d++) {
        at_edge += (read->digits[d].place.edges & edge) != 0;
        at_opposite += (read->digits[d].place.edges & opposite) != 0;
    }
    if (at_edge < 2 || at_opposite) return;
    for (int d = run->first; d < run->end; d++)
        if (read->digits[d].place.edges & edge) read->digits[d].doubtful = true;
}

/* Upper and lower edges cut lines, the other two columns. */
static void doubt_at_edges(ReadDigits *read, int first) {
    const Run all = {first, read->count};
    for (Run line = {first, first}; next_run(read, same_line, read->count, &line);) {
        doubt_cut_off(read, &line, FOUND_TOP, FOUND_BOTTOM);
        doubt_cut_off(read, &line, FOUND_BOTTOM, FOUND_TOP);
    }
    doubt_cut_off(read, &all, FOUND_LEFT, FOUND_RIGHT);
    doubt_cut_off(read, &all, FOUND_RIGHT, FOUND_LEFT);
}

/* Digits of numbers of several of which none is doubtful. */
static int count_in_sure_numbers(const ReadDigits *read, int first) {
    int sure = 0;
    for (Run number = {first, first}; next_run(read, same_number, read->count, &number);) {
        const int count = number.end - number.first;
        sure += count > 1 && !count_doubtful(read, &number) ? count : 0;
    }
    return sure;
}

/* Whether two that stand close together end at about the same height. */
static bool end_level(const ReadDigit *a, const ReadDigit *b) {
    const FoundDigit *left = &a->place, *right = &b->place;
    const int apart = abs(left->y + left->height - right->y - right->height);
    return are_close(a, b) && 8 * apart <= larger(left->height, right->height);
}

/* Whether a tenth of the doubtful shapes is more than twice as high as another tenth. Letters are more alike.
 */
static bool do_heights_differ(const ReadDigits *read, int first, int doubtful) {
    int *heights = mem_new((size_t)doubtful, sizeof *heights), count = 0;
    for (int d = first; d < read->count; d++)
        if (read->digits[d].doubtful) heights[count++] = read->digits[d].place.height;
    sort_ints(heights, (size_t)count);
    const bool differ = heights[9 * (count - 1) / 10] > 2 * heights[(count - 1) / 10];
    mem_free(heights);
    return differ;
}

/* Whether most doubtful shapes end at the height where one beside them does, as letters of a line do. */
static bool stand_on_lines(const ReadDigits *read, int first, int doubtful) {
    int aligned = 0;
    for (int d = first; d < read->count; d++)
        aligned += read->digits[d].doubtful &&
                   ((d > first && end_level(&read->digits[d], &read->digits[d - 1])) ||
                    (d + 1 < read->count && end_level(&read->digits[d], &read->digits[d + 1])));
    return 10 * aligned > 6 * doubtful;
}

/* Grass, gravel and the like have shapes of all sizes all over the page. Some look like a digit, but most
 * don't, and seldom do two that stand together. */
static void doubt_texture(ReadDigits *read, int first) {
    const int many = 40;
    const Run all = {first, read->count};
    int doubtful = 0;
    for (int d = first; d < read->count; d++)
        doubtful += read->digits[d].doubtful;
    const int shapes = read->count - first, sure = shapes - doubtful;
    if (shapes < many || doubtful <= sure || 2 * count_in_sure_numbers(read, first) >= sure) return;
    if (do_heights_differ(read, first, doubtful) && !stand_on_lines(read, first, doubtful))
        make_doubtful(read, &all);
}

void doubt_words(ReadDigits *read, int first) {
    doubt_at_edges(read, first);
    doubt_strokes(read, first);
    doubt_strokes_of_print(read, first);
    doubt_brackets(read, first);
    doubt_bars(read, first);
    doubt_words_of_letters(read, first);
    doubt_numbers(read, first);
    doubt_texture(read, first);
    doubt_strokes_alone(read, first);
    if (!is_print(read, first)) return;
    doubt_low_words(read, first);
    doubt_single_shapes(read, first);
}

/* The widest gap between digits of one number: the height of the higher one, unless that is a line between
 * numbers. */
static int64_t gap_in_number(int a, int b) {
    const int64_t low = smaller(a, b), high = larger(a, b);
    return high >= 4 * low ? low : high;
}

/* Whether two digits of a line, as they were found, are of one number. */
static bool go_on(const ReadDigit *before, const ReadDigit *digit) {
    const FoundDigit *left = &before->place, *right = &digit->place;
    const bool letters = before->of_letters || digit->of_letters;
    return left->number == right->number && (left->word == right->word || !letters) &&
           (right->goes_on || right->x - left->x - left->width <= gap_in_number(left->height, right->height));
}

void count_lines_and_numbers(ReadDigits *read) {
    ReadDigit before = {.place = {.picture = -1}}; /* as it was counted at first */
    int line = 0, number = 0;
    for (int d = 0; d < read->count; d++) {
        FoundDigit *place = &read->digits[d].place;
        const ReadDigit own = read->digits[d];
        const bool same_page = place->picture == before.place.picture && place->page == before.place.page,
                   in_line = same_page && same_line(&before, &own),
                   in_number = in_line && go_on(&before, &own);
        line = same_page ? line + !in_line : 0;
        number = same_page ? number + !in_number : 0;
        place->line = line;
        place->number = number;
        before = own;
    }
}
