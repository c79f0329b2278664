/* Hairs, scratches and pieces of rules may look like a 1, 6 or 7. They are far thinner and far fainter than
 * the strokes of the page's digits, and stand alone, unlike numbers in another pen. */
#ifndef PARDIGITS_CLI_READ_HAIRS_H
#define PARDIGITS_CLI_READ_HAIRS_H

#include "cli/readings.h"

/* Makes such strokes doubtful among the digits from `first` on, which are of one page or sheet. One at an end
 * of a number becomes a number of its own. Where there are few to compare with, very slim 1s are;
 * digits: whether the classes are digits. */
void doubt_hairs(ReadDigits *read, int first, bool digits);

#endif
