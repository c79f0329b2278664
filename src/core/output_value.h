/* A value of a record, as the writers of each format take it (core/output.h). */
#ifndef PARDIGITS_CORE_OUTPUT_VALUE_H
#define PARDIGITS_CORE_OUTPUT_VALUE_H

#include <stdbool.h>

enum { OUTPUT_MOST_DEPTH = 4 }; /* the records, and tables within tables */

typedef struct {
    const char *name, *title; /* title NULL: not for people */
    const char *text;         /* as people see it */
    const char *literal;      /* in JSON; of a text NULL */
    bool is_number;
} OutputValue;

#endif
