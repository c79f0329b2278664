/* The lines of a LIBSVM model file, and the numbers in them. */
#ifndef PARDIGITS_SVM_LIBSVM_LINES_H
#define PARDIGITS_SVM_LIBSVM_LINES_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct {
    FILE *file;
    const char *path;
    char *line; /* the current one, its newline cut off; freed by free */
    size_t room;
    int64_t number; /* of the line, from 1 */
} LibsvmLines;

/* Goes to the next line; false at the end of the file, and, with STATUS_FAILED, at one without its newline.
 */
bool libsvm_next_line(LibsvmLines *lines, Status *status);

/* Says, after libsvm_next_line found none, that the file ends before something. */
StatusCode libsvm_refuse_end(const LibsvmLines *lines, const char *before, Status *status);

/* The number at *at, which moves behind it; false if there is none. */
bool libsvm_take_number(const char **at, double *value);

/* The numbers of the rest of a line, at most `most`; -1 if it holds anything else. */
int libsvm_take_numbers(const char *at, double *values, int most);

/* The feature before a colon of a line, which is cut there. */
int libsvm_feature_before(const char *line, char *colon);

#endif
