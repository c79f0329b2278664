/* The names of the classes of a set of images. In a file: the attribute class_names of a group, one line of
 * text a class. */
#ifndef PARDIGITS_STORE_CLASS_NAMES_H
#define PARDIGITS_STORE_CLASS_NAMES_H

#include "store/h5io.h"

enum { CLASS_NAME_BYTES = 128 }; /* of the longest name, with its null byte */

/* Without names ({0}) a class is called by its number. */
typedef struct {
    int count;
    char **names; /* [count] owned, or NULL */
} ClassNames;

/* Freed by class_names_free. */
ClassNames class_names_copy(const ClassNames *names);
void class_names_free(ClassNames *names);

/* The name of a class, or its number in decimal, written to number. */
const char *class_name(const ClassNames *names, int label, char number[12]);

/* The class of a name; -1 if there is none. */
int class_names_find(const ClassNames *names, const char *name);

/* The width, in characters, of the widest name (or number) of `classes` classes. */
int class_names_width(const ClassNames *names, int classes);

/* Splits a text with one name a line. STATUS_FAILED if a name is empty, repeated, longer than
 * CLASS_NAME_BYTES - 1, contains control characters or isn't UTF-8; `where` names the text's origin in the
 * message. */
StatusCode class_names_parse(const char *text, const char *where, ClassNames *names, Status *status);

/* Writes nothing if there are no names; reads {0} if the group has none. The caller checks that their number
 * is the number of classes. */
StatusCode class_names_write(H5File *file, const char *group, const ClassNames *names, Status *status);
StatusCode class_names_read(const H5File *file, const char *group, ClassNames *names, Status *status);

/* The same of an older model, whose names were never checked: what isn't UTF-8 is taken as Latin-1. */
StatusCode class_names_read_latin1(const H5File *file, const char *group, ClassNames *names, Status *status);

#endif
