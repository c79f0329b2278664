/* Keys that the command line sets. */
#ifndef PARDIGITS_CLI_SETTINGS_H
#define PARDIGITS_CLI_SETTINGS_H

#include "core/config.h"
#include "core/log.h"
#include "core/status.h"
#include "model/open_model.h"

#include <stdbool.h>

/* For an option --set: room for all that argc words can hold; freed by mem_free(items). */
Settings settings_new(int argc);
StatusCode settings_take(void *settings, const char *value, Status *status);

/* Whether an assignment of --set is of this key. */
bool setting_is_of(const char *setting, const char *key);

/* Says which of them are keys of another kind of model than run.model. A file may have sections of all kinds.
 */
void settings_hint_at_unused(const Settings *settings, const Config *config, Log *log);

/* The same, and of what the configuration's file sets, in a line. */
void hint_at_unused_keys(const Settings *settings, const Config *config, Log *log);

/* run.data becomes the path of a dataset from anywhere. */
StatusCode config_note_data(Config *config, const char *data, Status *status);

#endif
