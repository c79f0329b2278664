#include "store/class_names.h"

#include "core/mem.h"
#include "core/utf8.h"
#include "store/image_set.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char attribute[] = "class_names";

ClassNames class_names_copy(const ClassNames *names) {
    ClassNames copy = {.count = names->count};
    if (names->names) copy.names = mem_new((size_t)names->count, sizeof *copy.names);
    for (int c = 0; names->names && c < names->count; c++)
        copy.names[c] = mem_text(names->names[c]);
    return copy;
}

void class_names_free(ClassNames *names) {
    for (int c = 0; names->names && c < names->count; c++)
        mem_free(names->names[c]);
    mem_free(names->names);
    *names = (ClassNames){0};
}

const char *class_name(const ClassNames *names, int label, char number[12]) {
    if (names->names && label >= 0 && label < names->count) return names->names[label];
    snprintf(number, 12, "%d", label);
    return number;
}

int class_names_find(const ClassNames *names, const char *name) {
    for (int c = 0; names->names && c < names->count; c++)
        if (!strcmp(names->names[c], name)) return c;
    return -1;
}

int class_names_width(const ClassNames *names, int classes) {
    char number[12];
    int width = 1;
    for (int c = 0; c < classes; c++) {
        const int own = utf8_length(class_name(names, c, number));
        width = own > width ? own : width;
    }
    return width;
}

static StatusCode check_name(const ClassNames *names, const char *where, Status *status) {
    const int last = names->count - 1;
    const char *name = names->names[last];
    if (!*name || strlen(name) >= CLASS_NAME_BYTES)
        return status_set(status, STATUS_FAILED,
                          "%s: the name of class %d is %s: expected one name of at most %d bytes a line.",
                          where, last, *name ? "too long" : "empty", CLASS_NAME_BYTES - 1);
    for (const char *at = name; *at; at++)
        if (iscntrl((unsigned char)*at))
            return status_set(status, STATUS_FAILED, "%s: the name of class %d holds a control character.",
                              where, last);
    if (!utf8_is_valid(name))
        return status_set(status, STATUS_FAILED,
                          "%s: the name of class %d isn't in UTF-8: save the names as UTF-8.", where, last);
    for (int c = 0; c < last; c++)
        if (!strcmp(names->names[c], name))
            return status_set(status, STATUS_FAILED, "%s: classes %d and %d are both called %s.", where, c,
                              last, name);
    return status->code;
}

StatusCode class_names_parse(const char *text, const char *where, ClassNames *names, Status *status) {
    *names = (ClassNames){0, mem_new(CLASSES_MAX, sizeof *names->names)};
    while (*text && !status->code) {
        size_t length = strcspn(text, "\n"), used = length;
        if (used && text[used - 1] == '\r') used--;
        if (names->count == CLASSES_MAX) {
            status_set(status, STATUS_FAILED, "%s: there are more than %d names.", where, CLASSES_MAX);
            break;
        }
        char *name = mem_new(used + 1, 1);
        memcpy(name, text, used);
        names->names[names->count++] = name;
        check_name(names, where, status);
        text += length + (text[length] == '\n');
    }
    if (status->code || names->count == 0) class_names_free(names);
    return status->code;
}

StatusCode class_names_write(H5File *file, const char *group, const ClassNames *names, Status *status) {
    if (!names->names) return status->code;
    size_t size = 1, used = 0;
    for (int c = 0; c < names->count; c++)
        size += strlen(names->names[c]) + 1;
    char *text = mem_new(size, 1);
    for (int c = 0; c < names->count; c++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", c ? "\n" : "", names->names[c]);
    h5_set_text(file, group, attribute, text, status);
    mem_free(text);
    return status->code;
}

/* NULL: there are none, or a failure. Freed by mem_free. */
static char *read_text(const H5File *file, const char *group, Status *status) {
    char *text = NULL;
    if (h5_exists(file, group) && h5_has_attribute(file, group, attribute))
        h5_get_text(file, group, attribute, &text, status);
    return text;
}

StatusCode class_names_read(const H5File *file, const char *group, ClassNames *names, Status *status) {
    char *text = read_text(file, group, status);
    *names = (ClassNames){0};
    if (text) class_names_parse(text, h5_path(file), names, status);
    mem_free(text);
    return status->code;
}

StatusCode class_names_read_latin1(const H5File *file, const char *group, ClassNames *names, Status *status) {
    char *text = read_text(file, group, status), *valid = text ? utf8_from_latin1(text) : NULL;
    *names = (ClassNames){0};
    if (valid) class_names_parse(valid, h5_path(file), names, status);
    mem_free(valid);
    mem_free(text);
    return status->code;
}
