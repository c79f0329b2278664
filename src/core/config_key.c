#include "core/config_key.h"

#include "core/config_lines.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_TEXT = 60000 }; /* an attribute of HDF5 holds 65,535 bytes */

/* Levenshtein's distance of two short words. */
static int edit_distance(const char *a, const char *b) {
    enum { LONGEST = 63 };
    int row[LONGEST + 1], n = (int)strnlen(b, LONGEST);
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; a[i - 1] && i <= LONGEST; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int changed = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            int one_more = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = changed < one_more ? changed : one_more;
        }
    }
    return row[n];
}

/* Whether two words are the same but for capitals, hyphens and underscores. */
static bool is_same_word(const char *a, const char *b) {
    for (;; a++, b++) {
        a += strspn(a, "-_");
        b += strspn(b, "-_");
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b)) return false;
        if (!*a) return true;
    }
}

/* The part of a name behind its section. */
static const char *bare_name(const char *name) {
    const char *dot = strchr(name, '.');
    return dot ? dot + 1 : name;
}

const ConfigSynonym *config_tables_former(const ConfigTables *tables, const char *name) {
    for (int t = 0; t < tables->count; t++)
        for (int i = 0; i < tables->items[t]->synonym_count; i++) {
            const ConfigSynonym *synonym = &tables->items[t]->synonyms[i];
            if (synonym->former && !strcmp(synonym->word, name)) return synonym;
        }
    return NULL;
}

/* The synonym that a name is, whatever its section and however it is written: LearningRate, learning-rate. */
static const ConfigSynonym *find_synonym(const ConfigTables *tables, const char *name) {
    for (int t = 0; t < tables->count; t++)
        for (int i = 0; i < tables->items[t]->synonym_count; i++) {
            const ConfigSynonym *synonym = &tables->items[t]->synonyms[i];
            if (!synonym->former && is_same_word(synonym->word, bare_name(name))) return synonym;
        }
    return NULL;
}

/* The key of exactly this name; NULL if there is none. */
static const ConfigKey *find_key(const ConfigTables *tables, const char *name) {
    for (int t = 0; t < tables->count; t++)
        for (int i = 0; i < tables->items[t]->count; i++)
            if (!strcmp(tables->items[t]->keys[i].name, name)) return &tables->items[t]->keys[i];
    return NULL;
}

/* The key whose name is most like `name`; one that differs by its section alone comes first. */
static const ConfigKey *nearest_key(const ConfigTables *tables, const char *name) {
    const ConfigKey *best = NULL;
    int best_distance = 0;
    for (int t = 0; t < tables->count; t++)
        for (int i = 0; i < tables->items[t]->count; i++) {
            const ConfigKey *key = &tables->items[t]->keys[i];
            int distance = edit_distance(name, key->name);
            if (!strcmp(bare_name(key->name), bare_name(name))) distance = 0;
            if (!best || distance < best_distance) {
                best = key;
                best_distance = distance;
            }
        }
    return best;
}

StatusCode config_tables_refuse(const ConfigTables *tables, const char *name, const char *where,
                                Status *status) {
    const ConfigSynonym *synonym = find_synonym(tables, name);
    const ConfigKey *near = synonym ? find_key(tables, synonym->key) : nearest_key(tables, name);
    if (synonym && synonym->meaning)
        return status_set(status, STATUS_USAGE, "%s: there is no key %s; use %s: %s.", where, name,
                          near->name, synonym->meaning);
    return status_set(status, STATUS_USAGE, "%s: there is no key %s; did you mean %s (%s)?", where, name,
                      near->name, near->help);
}

static bool is_choice(const char *choices, const char *value) {
    size_t length = strlen(value);
    for (const char *at = choices; *at; at += strcspn(at, "|"), at += *at == '|')
        if (length && strcspn(at, "|") == length && !strncmp(at, value, length)) return true;
    return false;
}

static StatusCode check_number(const ConfigKey *key, const char *value, const char *where, Status *status) {
    char *end;
    if (*value && !strcmp(key->choices, value)) return STATUS_OK;
    errno = 0;
    double number = strtod(value, &end);
    bool whole = key->type == CONFIG_INT;
    bool good = end != value && !*end && !strpbrk(value, "xX") /* hexadecimal */ && isfinite(number) &&
                number >= key->min && number <= key->max && (!whole || number == floor(number));
    if (good) return STATUS_OK;
    return status_set(status, STATUS_USAGE, "%s: %s = %s isn't %s%s%s from %.10g to %.10g%s%s.", where,
                      key->name, value, key->choices, *key->choices ? " or " : "",
                      whole ? "a whole number" : "a number", key->min, key->max, *key->unit ? " " : "",
                      key->unit);
}

/* Refuses a text that a file couldn't hold. */
static StatusCode check_text(const ConfigKey *key, const char *value, const char *where, Status *status) {
    if (strlen(value) > LONGEST_TEXT)
        return status_set(status, STATUS_USAGE, "%s: %s is longer than %d characters.", where, key->name,
                          LONGEST_TEXT);
    const char *found = config_check_lines(value);
    if (found) return status_set(status, STATUS_USAGE, "%s: %s holds %s.", where, key->name, found);
    return STATUS_OK;
}

StatusCode config_check_value(const ConfigKey *key, const char *value, const char *where, Status *status) {
    switch (key->type) {
    case CONFIG_INT:
    case CONFIG_REAL:
        return check_number(key, value, where, status);
    case CONFIG_CHOICE:
        if (is_choice(key->choices, value)) return STATUS_OK;
        return status_set(status, STATUS_USAGE, "%s: %s = %s isn't one of %s.", where, key->name, value,
                          key->choices);
    case CONFIG_TEXT:
        return check_text(key, value, where, status);
    }
    return STATUS_OK;
}

void config_describe_range(const ConfigKey *key, char *text, size_t size) {
    text[0] = 0;
    if (key->type == CONFIG_CHOICE) snprintf(text, size, "%s", key->choices);
    if (key->type == CONFIG_INT || key->type == CONFIG_REAL)
        snprintf(text, size, "%s%s%.10g to %.10g%s%s", key->choices, *key->choices ? " or " : "", key->min,
                 key->max, *key->unit ? " " : "", key->unit);
}
