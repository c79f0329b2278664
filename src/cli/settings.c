#include "cli/settings.h"

#include "core/mem.h"
#include "model/run_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Settings settings_new(int argc) {
    return (Settings){0, mem_new((size_t)argc, sizeof(char *))};
}

StatusCode settings_take(void *context, const char *value, Status *status) {
    Settings *settings = context;
    settings->items[settings->count++] = value;
    return status->code;
}

bool setting_is_of(const char *setting, const char *key) {
    const size_t length = strlen(key);
    return !strncmp(setting, key, length) && strchr(" \t=", setting[length]);
}

/* Whether --set names the key. */
static bool is_set(const Settings *settings, const ConfigKey *key) {
    for (int i = 0; i < settings->count; i++)
        if (setting_is_of(settings->items[i], key->name)) return true;
    return false;
}

/* "a=1 or b=2" for "a=1|b=2". */
static void print_needs(const char *needs, char text[200]) {
    size_t used = 0;
    for (const char *at = needs; *at && used < 190; at++)
        used += (size_t)snprintf(text + used, 200 - used, *at == '|' ? " or " : "%c", *at);
}

/* Of the run's family: keys that count only beside another one's value, which a member of an ensemble may
 * have by itself. */
static void hint_at_needs(const Config *config, Log *log) {
    for (int i = 0; i < config_count(config) && !*config_text(config, "cnn.member_settings"); i++) {
        const ConfigKey *key = config_key(config, i);
        const char *value = config_value(config, key->name), *needs = config_unmet_need(config, key);
        char text[200];
        if (!needs || run_key_is_unused(config, key->name) || !strcmp(value, key->initial)) continue;
        print_needs(needs, text);
        log_line(log, "hint: %s = %s has no effect without %s.", key->name, value, text);
    }
}

void hint_at_unused_keys(const Settings *settings, const Config *config, Log *log) {
    char names[400] = "";
    int count = 0;
    for (int i = 0; i < config_count(config); i++) {
        const ConfigKey *key = config_key(config, i);
        if (!run_key_is_unused(config, key->name) || is_set(settings, key) ||
            !strcmp(config_value(config, key->name), key->initial))
            continue;
        const size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", count++ ? ", " : "", key->name);
    }
    if (count)
        log_line(log, "hint: %s ha%s no effect, as run.model = %s.", names, count == 1 ? "s" : "ve",
                 config_text(config, "run.model"));
    settings_hint_at_unused(settings, config, log);
    hint_at_needs(config, log);
}

void settings_hint_at_unused(const Settings *settings, const Config *config, Log *log) {
    const char *model = config_text(config, "run.model");
    for (int i = 0; i < settings->count; i++) {
        const char *setting = settings->items[i];
        if (run_key_is_unused(config, setting))
            log_line(log, "hint: --set %s has no effect, as run.model = %s.", setting, model);
    }
}

StatusCode config_note_data(Config *config, const char *data, Status *status) {
    char *whole = realpath(data, NULL);
    config_set_value(config, "run.data", whole ? whole : data, "--data", status);
    free(whole);
    return status->code;
}
