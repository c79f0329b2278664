/* The configuration of a run: one table of keys (src/core/config_keys.c). Values come from the defaults, then
 * an .ini file, then --set; the last one wins. An unknown key or a value out of range is an error that names
 * file:line and what is allowed. */
#ifndef PARDIGITS_CORE_CONFIG_H
#define PARDIGITS_CORE_CONFIG_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum { CONFIG_INT, CONFIG_REAL, CONFIG_CHOICE, CONFIG_TEXT } ConfigType;

/* One key of the table. */
typedef struct {
    const char *name; /* "section.key" */
    ConfigType type;
    const char *initial; /* the default, as written in a file */
    double min, max;     /* inclusive range of CONFIG_INT and CONFIG_REAL */
    const char *choices; /* of CONFIG_CHOICE: "a|b|c"; of CONFIG_INT: a word that stands for 0, or "" */
    const char *unit;    /* "" if it has none */
    const char *help;    /* one line */
    bool shapes_model;   /* false: the value doesn't change the trained model (a cache's size) */
} ConfigKey;

/* The table. *count receives its length. */
const ConfigKey *config_keys(size_t *count);

typedef struct Config Config;

/* A configuration with all keys at their defaults. Destroyed by config_destroy. */
Config *config_create(void);
Config *config_copy(const Config *config);
void config_destroy(Config **config);

/* Sets the keys that an .ini file contains. STATUS_USAGE if it can't be read or its content is wrong. */
StatusCode config_read_file(Config *config, const char *path, Status *status);

/* Applies one "section.key=value" (from --set). `where` names its origin in messages. */
StatusCode config_set(Config *config, const char *assignment, const char *where, Status *status);

/* Sets one key to a value written as text. */
StatusCode config_set_value(Config *config, const char *name, const char *value, const char *where,
                            Status *status);

/* Values by "section.key". An unknown name or a wrong type is a bug (fatal). */
int64_t config_int(const Config *config, const char *name); /* 0 for a word such as auto */
double config_real(const Config *config, const char *name);
const char *config_text(const Config *config, const char *name); /* CONFIG_CHOICE and CONFIG_TEXT */

/* The value of any key, as text, as an .ini file would have it. */
const char *config_value(const Config *config, const char *name);

/* Writes all keys and their values as an .ini file, each with its help. */
void config_write(const Config *config, FILE *file);

/* The first key that shapes the model and whose values differ, or NULL. */
const ConfigKey *config_difference(const Config *a, const Config *b);

#endif
