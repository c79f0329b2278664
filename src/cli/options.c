#include "cli/cli.h"

#include "core/mem.h"
#include "core/path.h"
#include "model/run_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 16 };

/* getopt takes --over for --overwrite; a slip of the keyboard mustn't do what that does. word: of argv. */
static bool is_abbreviated(const char *word, const Option *option) {
    return strncmp(word, "--", 2) != 0 || strncmp(word + 2, option->name, strlen(option->name)) != 0;
}

/* Which operand is missing, or which one is too many. argv[1..count]. */
static StatusCode check_operands(const Operands *wanted, int count, char **argv, Status *status) {
    if (count < wanted->least)
        return status_set(status, STATUS_USAGE,
                          "%s is missing on the command line; see `pardigits %s --help`.",
                          wanted->names[count], argv[0]);
    if (count <= wanted->most) return status->code;
    const char *extra = argv[1 + wanted->most];
    const char *before = wanted->most ? argv[wanted->most] : argv[0];
    return status_set(status, STATUS_USAGE,
                      "The argument %s after %s is too many: %s takes %d%s; see `pardigits %s --help`.",
                      extra, before, argv[0], wanted->most, wanted->most == 1 ? " argument" : " arguments",
                      argv[0]);
}

/* getopt passes -name only after its last letter. */
static StatusCode refuse_letter(char **argv, Status *status) {
    const char *next = argv[optind];
    const bool inside = next && next[0] == '-' && next[1] == optopt && next[2];
    return status_set(
        status, STATUS_USAGE,
        "%s isn't an option of this command; see `pardigits %s --help`. Names that begin with a "
        "dash follow --.",
        inside ? next : argv[optind - 1], argv[0]);
}

static StatusCode take_format(const Option *option, Status *status) {
    if (*option->format != OUTPUT_TEXT && *option->format != option->as_format)
        return status_set(status, STATUS_USAGE, "--json and --csv exclude each other: choose one.");
    *option->format = option->as_format;
    return status->code;
}

StatusCode options_parse(int argc, char **argv, const Option *options, const Operands *wanted, int *operands,
                         Status *status) {
    struct option names[MAX_OPTIONS + 1] = {0};
    for (int i = 0; options[i].name; i++)
        names[i] = (struct option){options[i].name,
                                   options[i].flag || options[i].format ? no_argument : required_argument,
                                   NULL, 256 + i};
    opterr = 0;
    optind = 1;
    for (int found; (found = getopt_long(argc, argv, ":", names, NULL)) != -1;) {
        if (found == '?' && optopt > 0 && optopt < 256) return refuse_letter(argv, status);
        if (found < 256) {
            const char *what = found == ':' ? "needs a value" : "isn't an option of this command";
            return status_set(status, STATUS_USAGE, "%s %s; see `pardigits %s --help`.", argv[optind - 1],
                              what, argv[0]);
        }
        const Option *option = &options[found - 256];
        const char *word = argv[optarg && optarg == argv[optind - 1] ? optind - 2 : optind - 1];
        if (is_abbreviated(word, option))
            return status_set(status, STATUS_USAGE, "%s isn't an option; did you mean --%s?", word,
                              option->name);
        if (optarg && optarg == argv[optind - 1] && !strncmp(optarg, "--", 2))
            return status_set(
                status, STATUS_USAGE,
                "--%s needs a value, but %s, which looks like an option, follows; if it is meant, "
                "write --%s=%s.",
                option->name, optarg, option->name, optarg);
        if (option->flag) *option->flag = true;
        if (option->format && take_format(option, status)) return status->code;
        if (option->value) *option->value = optarg;
        if (option->take && option->take(option->context, optarg, status)) return status->code;
    }
    *operands = argc - optind;
    memmove(argv + 1, argv + optind, (size_t)*operands * sizeof *argv);
    return check_operands(wanted, *operands, argv, status);
}

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

void note_unfinished_model(const Model *model, Log *log) {
    Status ignored = {0};
    bool complete = true;
    char about[128] = "";
    if (checkpoint_is_complete(model->file, &complete, &ignored) || complete) return;
    model->family->describe(model, about, sizeof about);
    log_line(log, "note: the training of %s isn't finished: %s", h5_path(model->file), about);
}

StatusCode check_models_differ(const char *where, int count, char **paths, Status *status) {
    for (int i = 0; i < count; i++)
        for (int j = 0; j < i && !status->code; j++) {
            char *path = model_path_of(paths[i]), *other = model_path_of(paths[j]);
            if (path_is_same(path, other))
                status_set(status, STATUS_USAGE, "%s%s and %s are the same file: name each model once.",
                           where, paths[j], paths[i]);
            mem_free(other);
            mem_free(path);
        }
    return status->code;
}

/* What follows the whole number from least to most that a text begins with; NULL: it doesn't. */
static const char *take_integer(const char *text, int64_t least, int64_t most, int64_t *value) {
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return end == text || errno || *value < least || *value > most ? NULL : end;
}

StatusCode option_integer(const char *name, const char *text, int64_t least, int64_t most, int64_t *value,
                          Status *status) {
    const char *end = take_integer(text, least, most, value);
    if (end && !*end) return status->code;
    return status_set(status, STATUS_USAGE, "--%s %s: expected a whole number, %lld to %lld.", name, text,
                      (long long)least, (long long)most);
}

StatusCode option_real(const char *name, const char *text, double least, double most, double *value,
                       Status *status) {
    char *end;
    *value = strtod(text, &end);
    if (end != text && !*end && *value >= least && *value <= most) return status->code;
    return status_set(status, STATUS_USAGE, "--%s %s: expected a number, %g to %g.", name, text, least, most);
}

StatusCode shape_parse(const char *text, int *height, int *width, Status *status) {
    int64_t sides[2];
    const char *end = take_integer(text, SIDE_MIN, SIDE_MAX, &sides[0]);
    end = end && *end == 'x' ? take_integer(end + 1, SIDE_MIN, SIDE_MAX, &sides[1]) : NULL;
    if (end && !*end) {
        *height = (int)sides[0];
        *width = (int)sides[1];
        return status->code;
    }
    return status_set(status, STATUS_USAGE,
                      "--shape %s: expected HEIGHTxWIDTH, each %d to %d, such as 28x28.", text, SIDE_MIN,
                      SIDE_MAX);
}
