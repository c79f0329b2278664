/* Runs of digits that belong together: lines, words, numbers. */
#ifndef PARDIGITS_CLI_DIGIT_RUNS_H
#define PARDIGITS_CLI_DIGIT_RUNS_H

#include "cli/readings.h"

#include <stdbool.h>

/* Digits first to end - 1. */
typedef struct {
    int first, end;
} Run;

typedef bool (*Together)(const ReadDigit *a, const ReadDigit *b);

bool same_line(const ReadDigit *a, const ReadDigit *b);

/* Whether two stand as close as digits of one number, or as words, do. */
bool are_close(const ReadDigit *a, const ReadDigit *b);

/* The run of digits that belong together with its first one, after the last run; false if there is none
 * before `end`. All runs of the digits from `first` on:
 *     for (Run number = {first, first}; next_run(read, are_close, read->count, &number);) */
bool next_run(const ReadDigits *read, Together together, int end, Run *run);

#endif
