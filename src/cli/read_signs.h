/* Signs that look like digits: each is known by what stands around it, and is doubtful.
 *
 * Slashes of a date are two straight strokes that lean more than its 1s, and leave a day, a month and a year
 * between them. A per cent sign ends a number. An exclamation or question mark has a dot right below it, a
 * brace is a very narrow 3. 1s far closer together than digits are a zigzag. */
#ifndef PARDIGITS_CLI_READ_SIGNS_H
#define PARDIGITS_CLI_READ_SIGNS_H

#include "cli/readings.h"

/* Makes those among the digits from `first` on doubtful, which are of one page or sheet; slashes of dates
 * part numbers, too. */
void doubt_signs(ReadDigits *read, int first);

#endif
