#include "cli/digit_runs.h"

bool same_line(const ReadDigit *a, const ReadDigit *b) {
    return a->place.line == b->place.line;
}

bool are_close(const ReadDigit *a, const ReadDigit *b) {
    return same_line(a, b) && a->place.number == b->place.number;
}

bool next_run(const ReadDigits *read, Together together, int end, Run *run) {
    run->first = run->end;
    if (run->first >= end) return false;
    while (run->end < end && together(&read->digits[run->first], &read->digits[run->end]))
        run->end++;
    return true;
}
