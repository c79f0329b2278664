/* Doubt belongs to words, not to single shapes: a letter may look like a digit, as o, l, S and B do, but its
 * word seldom has such letters only. A word is what stands together with narrow gaps. It is one of letters
 * where more than half of its shapes are doubtful, or where shapes that can't be digits by the gate's
 * judgment, or letters that hang together, outweigh its digits: one of these outweighs one to three. Then
 * none of its digits is sure, and it isn't joined to numbers beside it. A page is print where four fifths of
 * its shapes are in words of letters: there, a word is doubtful too that has a shape clearly lower than its
 * line's capitals, as most small letters are, and a single shape close to such words. A stroke read as 1 is
 * doubtful where it may be a comma, a slash, a bracket or a line between numbers, or is one of many in a row;
 * so are several digits at one edge of the page, which may cut them off. Of many shapes of all sizes, most of
 * which are doubtful, as a texture has them, none is sure, nor of many strokes that are read as 1, 4 and 7
 * where nothing else is. */
#ifndef PARDIGITS_CLI_READ_WORDS_H
#define PARDIGITS_CLI_READ_WORDS_H

#include "cli/readings.h"

/* Finds the words among the digits from `first` on, which are of one page or sheet, and makes their digits
 * doubtful that don't deserve trust. */
void doubt_words(ReadDigits *read, int first);

/* Counts lines and numbers again, as some were left out; a gap as wide as a digit is high ends a number, and
 * so does a word of letters, and a line between numbers. */
void count_lines_and_numbers(ReadDigits *read);

#endif
