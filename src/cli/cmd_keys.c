/* pardigits keys: what a configuration may say. */
#include "cli/cli.h"
#include "cli/options.h"

#include "ensemble/families.h"

#include <string.h>
#include <strings.h>

static const char *type_name(ConfigType type) {
    static const char *const names[] = {[CONFIG_INT] = "whole number",
                                        [CONFIG_REAL] = "number",
                                        [CONFIG_CHOICE] = "choice",
                                        [CONFIG_TEXT] = "text"};
    return names[type];
}

static void add_key(Output *output, const ConfigKey *key) {
    char range[256];
    config_describe_range(key, range, sizeof range);
    output_record(output);
    output_text(output, "key", "key", key->name);
    output_text(output, "default", "default", key->initial);
    output_text(output, "type", NULL, type_name(key->type));
    output_text(output, "range", "allowed", range);
    if (key->type == CONFIG_INT || key->type == CONFIG_REAL) {
        output_real(output, "min", NULL, key->min, "%g");
        output_real(output, "max", NULL, key->max, "%g");
    } else {
        output_text(output, "min", NULL, "");
        output_text(output, "max", NULL, "");
    }
    output_text(output, "choices", NULL, key->choices);
    output_text(output, "unit", NULL, key->unit);
    output_bool(output, "shapes_model", NULL, key->shapes_model);
    output_text(output, "meaning", "meaning", key->help);
}

static StatusCode cmd_keys(const Context *context, int argc, char **argv, Status *status) {
    OutputFormat format = OUTPUT_TEXT;
    const Option options[] = {OPTIONS_OF_FORMAT(&format), {0}};
    static const char *const names[] = {"SECTION"};
    const Operands wanted = {0, 1, names};
    int operands, found = 0;
    if (options_parse(argc, argv, options, &wanted, &operands, status)) return status->code;
    Config *config = config_create(&model_families.keys);
    const ConfigKey *wanted_key = operands ? config_find(config, argv[1]) : NULL; /* of a former name, too */
    Output *output = output_create(format, OUTPUT_TABLE);
    for (int i = 0; i < config_count(config); i++) {
        const ConfigKey *key = config_key(config, i);
        const size_t section = strcspn(key->name, ".");
        if (operands && (strlen(argv[1]) != section || strncasecmp(argv[1], key->name, section)) &&
            key != wanted_key)
            continue;
        add_key(output, key);
        found++;
    }
    if (!found)
        config_tables_refuse(&model_families.keys, argv[1], "keys", status);
    else if (comm_rank(context->comm) == 0)
        output_print(output);
    output_destroy(&output);
    config_destroy(&config);
    return status->code;
}

const Command command_keys = {
    .name = "keys",
    .run = cmd_keys,
    .usage = "keys [SECTION | KEY] [--json | --csv]",
    .help =
        "Lists the keys of the configuration: defaults, ranges and meanings; --json and --csv: types, too.",
};
