#include "svm/libsvm_lines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A line without its newline was cut: LIBSVM ends each. What is left of its last number could be another
 * number. (A first line may be of any other file, which isn't a model.) */
bool libsvm_next_line(LibsvmLines *lines, Status *status) {
    const ssize_t length = getline(&lines->line, &lines->room, lines->file);
    if (length < 0) return false;
    lines->number++;
    if (lines->line[length - 1] != '\n' && lines->number > 1) {
        status_set(status, STATUS_FAILED,
                   "%s ends within line %lld, which has no newline: copy or export the model again.",
                   lines->path, (long long)lines->number);
        return false;
    }
    lines->line[strcspn(lines->line, "\r\n")] = 0;
    return true;
}

StatusCode libsvm_refuse_end(const LibsvmLines *lines, const char *before, Status *status) {
    if (!lines->number) return status_set(status, STATUS_FAILED, "%s is empty.", lines->path);
    return status_set(status, STATUS_FAILED,
                      "%s ends after line %lld, before %s: copy or export the model again.", lines->path,
                      (long long)lines->number, before);
}

bool libsvm_take_number(const char **at, double *value) {
    char *end;
    *value = strtod(*at, &end);
    if (end == *at || !isfinite(*value)) return false;
    *at = end;
    return true;
}

int libsvm_take_numbers(const char *at, double *values, int most) {
    int count = 0;
    while (*(at += strspn(at, " \t")))
        if (count == most || !libsvm_take_number(&at, &values[count++])) return -1;
    return count;
}

int libsvm_feature_before(const char *line, char *colon) {
    *colon = 0;
    const char *at = colon;
    while (at > line && at[-1] != ' ' && at[-1] != '\t')
        at--;
    return atoi(at);
}
