#include "store/config_store.h"

#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 64 }; /* of a key's name, with a space or a null byte */

static void write_work_keys(H5File *file, const Config *config, Status *status) {
    char *names = mem_new((size_t)config_count(config), NAME_BYTES);
    size_t used = 0;
    for (int i = 0; i < config_count(config); i++) {
        const ConfigKey *key = config_key(config, i);
        if (!key->shapes_model)
            used += (size_t)snprintf(names + used, NAME_BYTES, "%s%s", used ? " " : "", key->name);
    }
    h5_set_text(file, "/config", WORK_KEYS, names, status);
    mem_free(names);
}

/* The group and attribute of a key. */
static const char *split_name(const char *name, char group[NAME_BYTES]) {
    const char *dot = strchr(name, '.');
    snprintf(group, NAME_BYTES, "/config/%.*s", (int)(dot - name), name);
    return dot + 1;
}

void config_store_write(H5File *file, const Config *config, Status *status) {
    for (int i = 0; i < config_count(config); i++) {
        const ConfigKey *key = config_key(config, i);
        char group[NAME_BYTES];
        const char *attribute = split_name(key->name, group);
        if (key->type == CONFIG_INT)
            h5_set_i64(file, group, attribute, config_int(config, key->name), status);
        else if (key->type == CONFIG_REAL)
            h5_set_f64(file, group, attribute, config_real(config, key->name), status);
        else
            h5_set_text(file, group, attribute, config_text(config, key->name), status);
    }
    write_work_keys(file, config, status);
}

/* The shortest decimal form, of at least 6 digits, that reads back as the same number. */
static void print_real(double value, char *text, size_t size) {
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, size, "%.*g", digits, value);
        if (strtod(text, NULL) == value) return;
    }
}

/* The value of a key as text, freed by the caller; NULL if the file, which may be older than the key, has
 * none by this name. */
static char *read_value(const H5File *file, const ConfigKey *key, const char *name, Status *status) {
    char group[NAME_BYTES], number[64], *text = NULL;
    const char *attribute = split_name(name, group);
    if (!h5_has_attribute(file, group, attribute)) return NULL;
    if (key->type == CONFIG_INT) {
        int64_t value = 0;
        h5_get_i64(file, group, attribute, &value, status);
        snprintf(number, sizeof number, "%lld", (long long)value);
        return mem_text(value == 0 && *key->choices ? key->choices : number);
    }
    if (key->type == CONFIG_REAL) {
        double value = 0;
        h5_get_f64(file, group, attribute, &value, status);
        print_real(value, number, sizeof number);
        return mem_text(number);
    }
    h5_get_text(file, group, attribute, &text, status);
    return text;
}

StatusCode config_store_read(const H5File *file, const ConfigTables *tables, Config **config,
                             Status *status) {
    *config = config_create(tables);
    for (int i = 0; i < config_count(*config) && !status->code; i++) {
        const ConfigKey *key = config_key(*config, i);
        const char *former = config_former_name(*config, key);
        char *text = read_value(file, key, key->name, status);
        if (!text && former && !status->code) text = read_value(file, key, former, status);
        if (text && !status->code) config_set_value(*config, key->name, text, h5_path(file), status);
        mem_free(text);
    }
    if (status->code) config_destroy(config);
    return status->code;
}
