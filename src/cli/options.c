#include "cli/options.h"

#include "store/image_set.h"

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
