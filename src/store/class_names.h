/* What the classes of a set of images are called. In a file: the attribute class_names of a group, one text
 * with a line for each class. */
#ifndef PARDIGITS_STORE_CLASS_NAMES_H
#define PARDIGITS_STORE_CLASS_NAMES_H

#include "store/h5io.h"

enum { CLASS_NAME_BYTES = 128 }; /* of the longest name, with its end */

/* No names ({0}): then a class is called by its number. */
typedef struct {
    int count;
    char **names; /* [count] owned, or NULL */
} ClassNames;

/* Freed by class_names_free. */
ClassNames class_names_copy(const ClassNames *names);
void class_names_free(ClassNames *names);

/* The name of a class, or its number in decimal, written to number. */
const char *class_name(const ClassNames *names, int label, char number[12]);

/* Columns of a table that hold the widest name of `classes` classes. */
int class_names_width(const ClassNames *names, int classes);

/* Parts a text with one name a line, which mustn't be empty, repeated, longer than CLASS_NAME_BYTES - 1 or
 * hold control characters. where says where it comes from, for the message (STATUS_FAILED). */
StatusCode class_names_parse(const char *text, const char *where, ClassNames *names, Status *status);

/* Writes nothing where there are no names; reads {0} where the group has none. The caller checks that there
 * are as many as classes. */
StatusCode class_names_write(H5File *file, const char *group, const ClassNames *names, Status *status);
StatusCode class_names_read(const H5File *file, const char *group, ClassNames *names, Status *status);

#endif
