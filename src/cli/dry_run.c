#include "cli/dry_run.h"

#include "core/mem.h"
#include "ensemble/families.h"
#include "model/run_options.h"
#include "model/train_job_hints.h"
#include "parallel/placement.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* The most memory that this process had so far. */
static int64_t peak_bytes(void) {
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (int64_t)use.ru_maxrss << 10;
}

/* Collective. */
static void add_placement(const TrainJob *job, Output *output) {
    char *names, binding[PLACEMENT_TEXT];
    output_integer(output, "ranks", "ranks", comm_size(job->comm));
    output_integer(output, "threads", "threads of each", job->threads);
    output_integer(output, "hosts", "hosts", placement_hosts(job->comm, &names));
    output_text(output, "host_names", "on", names);
    placement_binding(job->comm, binding);
    output_text(output, "binding", "placement", binding);
    mem_free(names);
}

static void add_images(const TrainJob *job, Output *output) {
    char shape[32];
    snprintf(shape, sizeof shape, "%dx%d", job->spec.height, job->spec.width);
    output_text(output, "model", "model", config_text(job->config, "run.model"));
    output_text(output, "data", "data", run_options(job->config).data);
    output_text(output, "shape", "shape of an image", shape);
    output_integer(output, "classes", "classes", job->spec.classes);
    output_integer(output, "train_images", "images to train on", job->train_count);
    output_integer(output, "valid_images", "images held out", job->valid.n);
}

/* The keys of the run and of its family; for people those that aren't at their defaults. */
static void add_config(const Config *config, Output *output) {
    const bool text = output_format(output) == OUTPUT_TEXT;
    output_begin(output, "config", "configuration", OUTPUT_TABLE);
    for (int i = 0; i < config_count(config); i++) {
        const ConfigKey *key = config_key(config, i);
        const char *value = config_value(config, key->name);
        if (run_key_is_unused(config, key->name) || (text && !strcmp(value, key->initial))) continue;
        output_record(output);
        output_text(output, "key", "key", key->name);
        output_text(output, "value", "value", value);
    }
    output_end(output);
}

/* Collective. */
static StatusCode rehearse(TrainJob *job, Output *output, Status *status) {
    const ModelFamily *family = model_family_of(job->config);
    int64_t more_bytes = 0;
    train_job_log_hints(job);
    output_record(output);
    add_images(job, output);
    add_placement(job, output);
    if (comm_agree(job->comm, status) || family->rehearse(job, output, &more_bytes, status))
        return status->code;
    const double bytes = comm_max(job->comm, (double)(peak_bytes() + more_bytes), NULL);
    output_real(output, "rank_memory_mib", "MiB of memory a rank", bytes / (1 << 20), "%.0f");
    add_config(job->config, output);
    return status->code;
}

StatusCode dry_run(TrainJob *job, const Dataset *dataset, OutputFormat format, Status *status) {
    Output *output = output_create(format, OUTPUT_LINES);
    placement_report(job->comm, job->threads, job->log);
    if (!train_job_read(job, dataset, status) && !rehearse(job, output, status) && comm_rank(job->comm) == 0)
        output_print(output);
    output_destroy(&output);
    return comm_agree(job->comm, status);
}
