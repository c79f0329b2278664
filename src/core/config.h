/* The configuration of a run. Each part of the program declares a table of its keys. Values come from the
 * defaults, then an .ini file, then --set; the last one wins. An unknown key or a value out of range is an
 * error that names file:line and what is allowed. */
#ifndef PARDIGITS_CORE_CONFIG_H
#define PARDIGITS_CORE_CONFIG_H

#include "core/config_key.h"
#include "core/status.h"

#include <stdint.h>

typedef struct Config Config;

/* A configuration with all keys at their defaults; the tables must outlive it. Destroyed by config_destroy.
 */
Config *config_create(const ConfigTables *tables);
Config *config_copy(const Config *config);
void config_destroy(Config **config);

/* Applies one "section.key=value" (from --set). `where` names its origin in messages. */
StatusCode config_set(Config *config, const char *assignment, const char *where, Status *status);

/* Sets one key to a value written as text. */
StatusCode config_set_value(Config *config, const char *name, const char *value, const char *where,
                            Status *status);

/* Sets the variables of a struct of options from the keys of a table: CONFIG_INT int64_t, CONFIG_REAL double,
 * CONFIG_CHOICE int (the number of the choice, from 0), CONFIG_TEXT const char * (the configuration's). */
void config_fill(const Config *config, const ConfigTable *table, void *options);

/* Former names that were used to set keys, as a sentence; NULL if there were none. */
const char *config_notice(const Config *config);

/* What it was created with. */
const ConfigTables *config_tables(const Config *config);

/* The keys in the order of the tables. */
int config_count(const Config *config);
const ConfigKey *config_key(const Config *config, int i);

/* The key of a name; NULL if there is none. */
const ConfigKey *config_find(const Config *config, const char *name);

/* A former name of a key, or NULL. */
const char *config_former_name(const Config *config, const ConfigKey *key);

/* Values by "section.key". An unknown name or a wrong type is a bug (fatal). */
int64_t config_int(const Config *config, const char *name); /* 0 for a word such as auto */
double config_real(const Config *config, const char *name);
const char *config_text(const Config *config, const char *name); /* CONFIG_CHOICE and CONFIG_TEXT */

/* The value of any key, as text, as an .ini file would have it. */
const char *config_value(const Config *config, const char *name);

/* What a key needs to have an effect (ConfigNeed), if the configuration doesn't give it that; or NULL. */
const char *config_unmet_need(const Config *config, const ConfigKey *key);

/* The first key that shapes the model and whose values differ, or NULL. */
const ConfigKey *config_difference(const Config *a, const Config *b);

/* The same of these keys alone, up to a NULL. */
const ConfigKey *config_difference_in(const Config *a, const Config *b, const char *const *names);

#endif
