#include "store/config_store.h"

#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 64 }; /* of a key's name, with a space or a null byte */

static void write_work_keys(H5File *file, Status *status) {
    size_t count;
    const ConfigKey *keys = config_keys(&count);
    char *names = mem_new(count, NAME_BYTES);
    for (size_t i = 0, used = 0; i < count; i++)
        if (!keys[i].shapes_model)
            used += (size_t)snprintf(names + used, NAME_BYTES, "%s%s", used ? " " : "", keys[i].name);
    h5_set_text(file, "/config", WORK_KEYS, names, status);
    mem_free(names);
}

void config_store_write(H5File *file, const Config *config, Status *status) {
    size_t count;
    const ConfigKey *keys = config_keys(&count);
    for (size_t i = 0; i < count; i++) {
        const char *dot = strchr(keys[i].name, '.');
        char group[64];
        snprintf(group, sizeof group, "/config/%.*s", (int)(dot - keys[i].name), keys[i].name);
        if (keys[i].type == CONFIG_INT)
            h5_set_i64(file, group, dot + 1, config_int(config, keys[i].name), status);
        else if (keys[i].type == CONFIG_REAL)
            h5_set_f64(file, group, dot + 1, config_real(config, keys[i].name), status);
        else
            h5_set_text(file, group, dot + 1, config_text(config, keys[i].name), status);
    }
    write_work_keys(file, status);
}

/* The shortest decimal form, of at least 6 digits, that reads back as the same number. */
static void print_real(double value, char *text, size_t size) {
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, size, "%.*g", digits, value);
        if (strtod(text, NULL) == value) return;
    }
}

StatusCode config_store_read(const H5File *file, Config **config, Status *status) {
    *config = config_create();
    size_t count;
    const ConfigKey *keys = config_keys(&count);
    for (size_t i = 0; i < count && !status->code; i++) {
        const char *dot = strchr(keys[i].name, '.');
        char group[64], number[64], *text = NULL;
        snprintf(group, sizeof group, "/config/%.*s", (int)(dot - keys[i].name), keys[i].name);
        /* a key that the file doesn't have yet keeps its default */
        if (!h5_has_attribute(file, group, dot + 1)) continue;
        if (keys[i].type == CONFIG_INT) {
            int64_t value = 0;
            h5_get_i64(file, group, dot + 1, &value, status);
            snprintf(number, sizeof number, "%lld", (long long)value);
            if (value == 0 && *keys[i].choices) text = mem_text(keys[i].choices);
        } else if (keys[i].type == CONFIG_REAL) {
            double value = 0;
            h5_get_f64(file, group, dot + 1, &value, status);
            print_real(value, number, sizeof number);
        } else {
            h5_get_text(file, group, dot + 1, &text, status);
        }
        if (!status->code)
            config_set_value(*config, keys[i].name, text ? text : number, h5_path(file), status);
        mem_free(text);
    }
    if (status->code) config_destroy(config);
    return status->code;
}
