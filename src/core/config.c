#include "core/config.h"

#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct Config {
    const ConfigTables *tables;
    int count;
    const ConfigKey **keys; /* [count] of all tables */
    char **values;          /* [count], as written in a file */
    char *notice;           /* config_notice */
};

static int count_keys(const ConfigTables *tables) {
    int count = 0;
    for (int t = 0; t < tables->count; t++)
        count += tables->items[t]->count;
    return count;
}

Config *config_create(const ConfigTables *tables) {
    Config *config = mem_new(1, sizeof *config);
    config->tables = tables;
    const int count = count_keys(tables);
    config->keys = mem_new((size_t)count, sizeof *config->keys);
    config->values = mem_new((size_t)count, sizeof *config->values);
    for (int t = 0; t < tables->count; t++)
        for (int i = 0; i < tables->items[t]->count; i++)
            config->keys[config->count++] = &tables->items[t]->keys[i];
    for (int i = 0; i < count; i++)
        config->values[i] = mem_text(config->keys[i]->initial);
    return config;
}

Config *config_copy(const Config *config) {
    Config *copy = config_create(config->tables);
    for (int i = 0; i < config->count; i++) {
        mem_free(copy->values[i]);
        copy->values[i] = mem_text(config->values[i]);
    }
    return copy;
}

void config_destroy(Config **config) {
    if (!*config) return;
    for (int i = 0; i < (*config)->count; i++)
        mem_free((*config)->values[i]);
    mem_free((*config)->values);
    mem_free((*config)->keys);
    mem_free((*config)->notice);
    mem_free(*config);
    *config = NULL;
}

const ConfigTables *config_tables(const Config *config) {
    return config->tables;
}

int config_count(const Config *config) {
    return config->count;
}

const ConfigKey *config_key(const Config *config, int i) {
    return config->keys[i];
}

const char *config_notice(const Config *config) {
    return config->notice;
}

/* The place of a key; negative if there is none. */
static int find_exact(const Config *config, const char *name) {
    for (int i = 0; i < config->count; i++)
        if (!strcmp(config->keys[i]->name, name)) return i;
    return -1;
}

/* The same, also of a former name. */
static int find_key(const Config *config, const char *name) {
    const ConfigSynonym *former = config_tables_former(config->tables, name);
    return find_exact(config, former ? former->key : name);
}

const ConfigKey *config_find(const Config *config, const char *name) {
    const int i = find_key(config, name);
    return i < 0 ? NULL : config->keys[i];
}

const char *config_former_name(const Config *config, const ConfigKey *key) {
    for (int t = 0; t < config->tables->count; t++)
        for (int i = 0; i < config->tables->items[t]->synonym_count; i++) {
            const ConfigSynonym *synonym = &config->tables->items[t]->synonyms[i];
            if (synonym->former && !strcmp(synonym->key, key->name)) return synonym->word;
        }
    return NULL;
}

/* Takes note of a key that was set by a former name. */
static void note_former(Config *config, const char *name, const char *where) {
    const ConfigSynonym *former = config_tables_former(config->tables, name);
    if (!former || config->notice) return;
    const size_t size = strlen(where) + strlen(name) + strlen(former->key) + 64;
    config->notice = mem_new(size, 1);
    snprintf(config->notice, size, "%s: %s is the old name of %s, which does the same.", where, name,
             former->key);
}

/* A copy without blanks at its ends, which a file couldn't keep. */
static char *trimmed(const char *value) {
    value += strspn(value, " \t");
    char *copy = mem_text(value);
    for (size_t length = strlen(copy); length > 0 && strchr(" \t", copy[length - 1]); length--)
        copy[length - 1] = 0;
    return copy;
}

StatusCode config_set_value(Config *config, const char *name, const char *value, const char *where,
                            Status *status) {
    const int i = find_key(config, name);
    if (i < 0) return config_tables_refuse(config->tables, name, where, status);
    char *copy = trimmed(value);
    if (config_check_value(config->keys[i], copy, where, status)) {
        mem_free(copy);
        return status->code;
    }
    mem_free(config->values[i]);
    config->values[i] = copy;
    note_former(config, name, where);
    return STATUS_OK;
}

StatusCode config_set(Config *config, const char *assignment, const char *where, Status *status) {
    const char *equals = strchr(assignment, '=');
    const size_t length = strcspn(assignment, " \t="); /* blanks around the "=" are as in a file */
    if (!equals || length == 0 || assignment + length + strspn(assignment + length, " \t") != equals)
        return status_set(status, STATUS_USAGE, "%s: %s isn't section.key=value, such as run.seed=7.", where,
                          assignment);
    char *name = mem_text(assignment);
    name[length] = 0;
    config_set_value(config, name, equals + 1 + strspn(equals + 1, " \t"), where, status);
    mem_free(name);
    return status->code;
}

static const char *get(const Config *config, const char *name, bool is_text, bool is_int) {
    const int i = find_key(config, name);
    if (i < 0) fatal("config: there is no key %s", name);
    ConfigType type = config->keys[i]->type;
    bool right =
        is_text ? type == CONFIG_CHOICE || type == CONFIG_TEXT : type == (is_int ? CONFIG_INT : CONFIG_REAL);
    if (!right) fatal("config: %s is asked for as another type", name);
    return config->values[i];
}

int64_t config_int(const Config *config, const char *name) {
    return (int64_t)strtod(get(config, name, false, true), NULL);
}

double config_real(const Config *config, const char *name) {
    return strtod(get(config, name, false, false), NULL);
}

const char *config_text(const Config *config, const char *name) {
    return get(config, name, true, false);
}

/* The number of a choice among "a|b|c". */
static int choice_number(const char *choices, const char *value) {
    const size_t length = strlen(value);
    int number = 0;
    for (const char *at = choices; strncmp(at, value, length) || strcspn(at, "|") != length; number++) {
        at += strcspn(at, "|");
        if (!*at++) fatal("config: %s isn't one of %s", value, choices);
    }
    return number;
}

static void fill(const Config *config, const ConfigKey *key, void *variable) {
    switch (key->type) {
    case CONFIG_INT:
        *(int64_t *)variable = config_int(config, key->name);
        break;
    case CONFIG_REAL:
        *(double *)variable = config_real(config, key->name);
        break;
    case CONFIG_CHOICE:
        *(int *)variable = choice_number(key->choices, config_text(config, key->name));
        break;
    case CONFIG_TEXT:
        *(const char **)variable = config_text(config, key->name);
        break;
    }
}

void config_fill(const Config *config, const ConfigTable *table, void *options) {
    for (int i = 0; i < table->count; i++)
        fill(config, &table->keys[i], (char *)options + table->keys[i].offset);
}

const char *config_value(const Config *config, const char *name) {
    const int i = find_key(config, name);
    if (i < 0) fatal("config: there is no key %s", name);
    return config->values[i];
}

/* Whether the configuration is as the first of the needs says, up to '|'. */
static bool is_met(const Config *config, const char *need) {
    const size_t name = strcspn(need, "=>"), value = name + 1;
    const size_t length = strcspn(need + value, "|");
    for (int i = 0; i < config->count; i++) {
        if (strlen(config->keys[i]->name) != name || strncmp(config->keys[i]->name, need, name)) continue;
        const char *given = config->values[i];
        if (need[name] == '>') return strtod(given, NULL) > strtod(need + value, NULL);
        return strlen(given) == length && !strncmp(given, need + value, length);
    }
    fatal("config: there is no key %.*s", (int)name, need);
}

const char *config_unmet_need(const Config *config, const ConfigKey *key) {
    for (int t = 0; t < config->tables->count; t++)
        for (int n = 0; n < config->tables->items[t]->need_count; n++) {
            const ConfigNeed *need = &config->tables->items[t]->needs[n];
            const char *one = strcmp(need->key, key->name) ? NULL : need->needs;
            if (!one) continue;
            while (one && !is_met(config, one)) {
                const char *bar = strchr(one, '|');
                one = bar ? bar + 1 : NULL;
            }
            if (!one) return need->needs;
        }
    return NULL;
}

static bool has_same_value(const Config *a, const Config *b, int i) {
    const bool number = a->keys[i]->type == CONFIG_INT || a->keys[i]->type == CONFIG_REAL;
    return number ? strtod(a->values[i], NULL) == strtod(b->values[i], NULL)
                  : !strcmp(a->values[i], b->values[i]);
}

const ConfigKey *config_difference(const Config *a, const Config *b) {
    for (int i = 0; i < a->count; i++)
        if (a->keys[i]->shapes_model && !has_same_value(a, b, i)) return a->keys[i];
    return NULL;
}

const ConfigKey *config_difference_in(const Config *a, const Config *b, const char *const *names) {
    for (; names && *names; names++) {
        const int i = find_key(a, *names);
        if (i >= 0 && !has_same_value(a, b, i)) return a->keys[i];
    }
    return NULL;
}
