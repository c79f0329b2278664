/* The keys that a configuration can have: what each allows, and what people may write for it. */
#ifndef PARDIGITS_CORE_CONFIG_KEY_H
#define PARDIGITS_CORE_CONFIG_KEY_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum { CONFIG_INT, CONFIG_REAL, CONFIG_CHOICE, CONFIG_TEXT } ConfigType;

/* A key. */
typedef struct {
    const char *name; /* "section.key" */
    ConfigType type;
    const char *initial; /* the default, as written in a file */
    double min, max;     /* inclusive range of CONFIG_INT and CONFIG_REAL */
    const char *choices; /* of CONFIG_CHOICE: "a|b|c"; of CONFIG_INT: a word that stands for 0, or "" */
    const char *unit;    /* "" if it has none */
    const char *help;    /* one line */
    bool shapes_model;   /* false: the value doesn't change the trained model (a cache's size) */
    size_t offset;       /* of its variable in the table's options (config_fill) */
} ConfigKey;

/* What people may write for a key. */
typedef struct {
    const char *word;    /* "learning_rate", of any section; of a former name "section.key" */
    const char *key;     /* "cnn.lr" */
    const char *meaning; /* a sentence, or NULL: the key's help says enough */
    bool former;         /* an older name, which is still read as the key */
} ConfigSynonym;

/* What a key needs to have an effect. */
typedef struct {
    const char *key;   /* "svm.folds" */
    const char *needs; /* "svm.search=grid|svm.probability=yes": one of these; "cnn.elastic>0" */
} ConfigNeed;

/* The keys of one part of the program: a constant beside the code that uses them. */
typedef struct {
    int count, synonym_count;
    const ConfigKey *keys;
    const ConfigSynonym *synonyms;
    int need_count;
    const ConfigNeed *needs;
} ConfigTable;

/* All keys of a program. */
typedef struct {
    int count;
    const ConfigTable *const *items;
} ConfigTables;

/* What a key allows, such as "auto or 1 to 1000 neighbours"; "" for any text. */
void config_describe_range(const ConfigKey *key, char *text, size_t size);

/* Refuses a value, as text, that a key doesn't allow (STATUS_USAGE). `where` names its origin in messages. */
StatusCode config_check_value(const ConfigKey *key, const char *value, const char *where, Status *status);

/* The synonym that exactly this former name is; NULL if it is none. */
const ConfigSynonym *config_tables_former(const ConfigTables *tables, const char *name);

/* Refuses a name that no key has (STATUS_USAGE), with the one that was probably meant. */
StatusCode config_tables_refuse(const ConfigTables *tables, const char *name, const char *where,
                                Status *status);

#endif
