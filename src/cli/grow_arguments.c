#include "cli/grow_arguments.h"

#include "cli/options.h"

#include "cnn/cnn_options.h"
#include "core/mem.h"
#include "data/grow.h"
#include "ensemble/families.h"
#include "model/run_options.h"

/* The keys that say how images are distorted, and what they are here unless --set says otherwise: changes
 * that leave the class of a written digit as it is, small enough for nearest neighbours. */
static const char *const defaults[][2] = {
    {"cnn.shift", "0.5"}, {"cnn.rotate", "4"},    {"cnn.zoom", "0.05"},   {"cnn.shear", "3"},
    {"cnn.stretch", "0"}, {"cnn.thickness", "0"}, {"cnn.elastic", "0.5"}, {"cnn.elastic_sigma", "4"},
};
enum { DEFAULTS = sizeof defaults / sizeof *defaults };

/* A key that has no meaning here is refused. */
static StatusCode check_key(const char *setting, Status *status) {
    if (setting_is_of(setting, "run.seed")) return status->code;
    for (int i = 0; i < DEFAULTS; i++)
        if (setting_is_of(setting, defaults[i][0])) return status->code;
    return status_set(status, STATUS_USAGE,
                      "--set %s: --grow takes run.seed and the keys of distortions, cnn.shift, rotate, zoom, "
                      "shear, stretch, thickness, elastic and elastic_sigma.",
                      setting);
}

StatusCode grow_arguments_check(GrowArguments *arguments, Status *status) {
    if (!arguments->count && arguments->settings.count)
        return status_set(status, STATUS_USAGE, "--set belongs to --grow.");
    if (!arguments->count) return status->code;
    /* neighbours and the order of an epoch have indices of 32 bits */
    if (option_integer("grow", arguments->count, 1, UINT32_MAX, &arguments->n, status)) return status->code;
    arguments->config = config_create(&model_families.keys);
    for (int i = 0; i < DEFAULTS; i++)
        config_set_value(arguments->config, defaults[i][0], defaults[i][1], "--grow", status);
    for (int i = 0; i < arguments->settings.count && !status->code; i++)
        if (!check_key(arguments->settings.items[i], status))
            config_set(arguments->config, arguments->settings.items[i], "--set", status);
    return status->code;
}

void grow_arguments_free(GrowArguments *arguments) {
    if (arguments->config) config_destroy(&arguments->config);
    mem_free(arguments->settings.items);
}

/* Rank 0 knows how many there are. */
static StatusCode check_count(const GrowArguments *arguments, const Comm *comm, const DatasetParts *parts,
                              Status *status) {
    if (comm_rank(comm) == 0 && arguments->n < parts->train.n)
        status_set(status, STATUS_USAGE, "--grow %lld: there are %lld training images already.",
                   (long long)arguments->n, (long long)parts->train.n);
    return comm_agree(comm, status);
}

StatusCode grow_parts(const GrowArguments *arguments, const Context *context, const DatasetParts *parts,
                      const char *path, ImageSource *source, Status *status) {
    if (check_count(arguments, context->comm, parts, status)) return status->code;
    const CnnOptions options = cnn_options(arguments->config);
    const Growth growth = {(uint32_t)run_options(arguments->config).seed, cnn_augmentation(&options)};
    return grow_dataset(context, &growth, parts, arguments->n, path, source, status);
}
