#include "ensemble/members_config.h"

#include "cnn/cnn_options.h"
#include "cnn/state.h"
#include "cnn/train.h"
#include "ensemble/ensemble_options.h"

#include "core/mem.h"
#include "core/rng.h"
#include "model/run_options.h"

#include <stdio.h>
#include <string.h>

enum { MEMBER_SETTING = 128 };

/* The keys that go round the members. */
static const char preprocess_key[] = "cnn.member_preprocess", layers_key[] = "cnn.member_layers",
                  settings_key[] = "cnn.member_settings";

uint32_t members_seed(uint32_t run_seed, int member) {
    uint32_t bits[4];
    rng_u32x4((RngKey){run_seed, RNG_MEMBER}, 0, (uint64_t)member, 0, bits);
    return member == 0 ? run_seed : bits[0];
}

/* Copies word `index` of a text, cut at size - 1 characters; false if it has fewer words. */
static bool copy_word(const char *text, int index, char *word, size_t size) {
    for (text += strspn(text, " "); *text && index > 0; index--) {
        text += strcspn(text, " ");
        text += strspn(text, " ");
    }
    snprintf(word, size, "%.*s", (int)strcspn(text, " "), text);
    return *text != 0;
}

static int count_words(const char *text) {
    int count = 0;
    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        text += strcspn(text, " ");
        count++;
    }
    return count;
}

const char *members_preprocess(const Config *config, int member, char text[MEMBER_PREPROCESS]) {
    const char *preprocess = ensemble_options(config).member_preprocess;
    const int count = count_words(preprocess);
    if (count == 0 || !copy_word(preprocess, member % count, text, MEMBER_PREPROCESS))
        snprintf(text, MEMBER_PREPROCESS, "none");
    return text;
}

/* The text between the bars before and behind the item of that index; NULL if there are fewer. */
static char *copy_item(const char *text, int index) {
    for (; index > 0; index--) {
        text = strchr(text, '|');
        if (!text) return NULL;
        text++;
    }
    const size_t length = strcspn(text, "|");
    char *item = mem_new(length + 1, 1);
    memcpy(item, text, length);
    return item;
}

static int count_items(const char *text) {
    int count = *text != 0;
    for (; (text = strchr(text, '|')); text++)
        count++;
    return count;
}

/* What a text with bars between its items says of a member; NULL if it is empty. Freed by the caller. */
static char *member_item(const char *text, int member) {
    return *text ? copy_item(text, member % count_items(text)) : NULL;
}

Network *members_network(const Config *config, ImageSpec spec, int member, Status *status) {
    char *layers = member_item(ensemble_options(config).member_layers, member);
    Network *net = mem_new(1, sizeof *net);
    if (network_parse(net, layers ? layers : cnn_options(config).layers, spec, status)) mem_free(net);
    mem_free(layers);
    return status->code ? NULL : net;
}

/* Whether a member can have a key of its own. */
static bool is_own_key(const Config *config, const char *name) {
    const ConfigKey *key = config_find(config, name);
    return key && key->type != CONFIG_TEXT && key->shapes_model && strcmp(key->name, "cnn.members") != 0;
}

/* Whether one of the first `count` words of the settings sets this key, "cnn.epochs". */
static bool is_set_before(const char *settings, int count, const char *name) {
    char word[MEMBER_SETTING];
    for (int i = 0; i < count && copy_word(settings, i, word, sizeof word); i++) {
        word[strcspn(word, "=")] = 0;
        if (!strcmp(word, name + 4)) return true;
    }
    return false;
}

/* Sets a member's own keys of [cnn], written as epochs=12 elastic=0.8. */
static StatusCode set_own(Config *own, const char *settings, Status *status) {
    char word[MEMBER_SETTING], name[MEMBER_SETTING + 4];
    for (int i = 0; !status->code && copy_word(settings, i, word, sizeof word); i++) {
        const char *equals = strchr(word, '=');
        snprintf(name, sizeof name, "cnn.%.*s", (int)strcspn(word, "="), word);
        if (!equals || !is_own_key(own, name) || strlen(word) == sizeof word - 1)
            return status_set(
                status, STATUS_USAGE,
                "%s: %s isn't a key of [cnn] that a member can have of its own, with its value, "
                "such as epochs=12.",
                settings_key, word);
        if (is_set_before(settings, i, name))
            return status_set(status, STATUS_USAGE,
                              "%s: %s is set twice for a member; is a | missing between two members?",
                              settings_key, name);
        config_set_value(own, name, equals + 1, settings_key, status);
    }
    return status->code;
}

Config *members_config(const Config *config, int member, Status *status) {
    const EnsembleOptions options = ensemble_options(config);
    Config *own = config_copy(config);
    char seed[32], preprocess[MEMBER_PREPROCESS];
    snprintf(seed, sizeof seed, "%u", members_seed((uint32_t)run_options(config).seed, member));
    config_set_value(own, "run.seed", seed, "cnn.members", status);
    config_set_value(own, "cnn.members", "1", "cnn.members", status);
    if (*options.member_preprocess)
        config_set_value(own, "run.preprocess", members_preprocess(config, member, preprocess),
                         preprocess_key, status);
    char *layers = member_item(options.member_layers, member),
         *settings = member_item(options.member_settings, member);
    if (layers) config_set_value(own, "cnn.layers", layers, layers_key, status);
    if (settings) set_own(own, settings, status);
    config_set_value(own, preprocess_key, "", "cnn.members", status);
    config_set_value(own, layers_key, "", "cnn.members", status);
    config_set_value(own, settings_key, "", "cnn.members", status);
    mem_free(layers);
    mem_free(settings);
    return own;
}

static StatusCode check_count(int64_t members, const char *key, int count, Status *status) {
    if (status->code || count == 0) return status->code;
    if (members == 1)
        return status_set(status, STATUS_USAGE, "%s is for ensembles: set cnn.members to more than 1.", key);
    if (count > members)
        return status_set(status, STATUS_USAGE,
                          "%s has %d entries for %lld members: make it shorter, or set cnn.members to more.",
                          key, count, (long long)members);
    return status->code;
}

static StatusCode check_counts(const Config *config, Status *status) {
    const EnsembleOptions options = ensemble_options(config);
    check_count(options.members, layers_key, count_items(options.member_layers), status);
    check_count(options.members, settings_key, count_items(options.member_settings), status);
    check_count(options.members, preprocess_key, count_words(options.member_preprocess), status);
    if (!status->code && *options.member_preprocess &&
        strcmp(config_text(config, "run.preprocess"), "none") != 0)
        status_set(status, STATUS_USAGE,
                   "cnn.member_preprocess replaces run.preprocess: leave that at none.");
    return status->code;
}

StatusCode members_check(const Config *config, ImageSpec spec, Status *status) {
    if (cnn_train_check(config, spec, status) || check_counts(config, status)) return status->code;
    const int64_t members = ensemble_options(config).members;
    for (int m = 0; members > 1 && m < members && !status->code; m++) {
        Config *own = members_config(config, m, status);
        if (!status->code) cnn_train_check(own, spec, status);
        config_destroy(&own);
    }
    return status->code;
}

void members_root(const Config *config, int member, char root[MEMBER_ROOT]) {
    if (ensemble_options(config).members == 1)
        snprintf(root, MEMBER_ROOT, MODEL_ROOT);
    else
        snprintf(root, MEMBER_ROOT, MODEL_ROOT "/members/%d", member);
}

StatusCode members_count(const H5File *file, const Config *config, int64_t *count, Status *status) {
    const EnsembleOptions options = ensemble_options(config);
    const int64_t all = options.members, wanted = options.use_members;
    int64_t held = 1;
    if (all > 1 && h5_get_i64(file, "/state", "members", &held, status)) return status->code;
    *count = wanted ? wanted : held;
    if (held < 0 || held > all)
        return status_set(status, STATUS_FAILED,
                          "%s says that it holds %lld of its %lld members: the file is damaged.",
                          h5_path(file), (long long)held, (long long)all);
    if (held == 0)
        return status_set(
            status, STATUS_FAILED,
            "%s: none of its %lld members is trained yet; go on with `pardigits train --resume`.",
            h5_path(file), (long long)all);
    if (wanted > held)
        return status_set(status, STATUS_USAGE,
                          "cnn.use_members = %lld, but %s holds %lld trained members: use that many at most.",
                          (long long)wanted, h5_path(file), (long long)held);
    return STATUS_OK;
}
