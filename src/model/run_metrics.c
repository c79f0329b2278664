#include "model/run_metrics.h"

#include "core/mem.h"
#include "model/run_options.h"
#include "parallel/placement.h"
#include "store/config_store.h"
#include "store/metrics_aside.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char images_fact[] = "train_images_sha256", labels_fact[] = "train_labels_sha256",
                  init_fact[] = "init";

enum { REASON = 300 };

/* The length of a run may have become another one, where its family allows that (ModelFamily). */
static bool has_other_key(const H5File *file, const Config *config, const ModelFamily *family,
                          char reason[REASON]) {
    Config *theirs = NULL;
    Status unreadable = {0};
    if (config_store_read(file, config_tables(config), &theirs, &unreadable)) return false;
    const char *length = family->length_key;
    Status refused = {0};
    if (length && !family->check_length(theirs, config, &refused))
        config_set_value(theirs, length, config_value(config, length), "", &unreadable);
    const ConfigKey *key = run_difference(config, theirs);
    if (key)
        snprintf(reason, REASON, "%s = %.100s (this one has %.100s)", key->name,
                 config_value(theirs, key->name), config_value(config, key->name));
    config_destroy(&theirs);
    return key != NULL;
}

/* Whether a fact is there and another one. */
static bool has_other_fact(const H5File *file, const char *name, const char *mine) {
    char *theirs = NULL;
    Status ignored = {0};
    const bool differs = *mine && h5_has_attribute(file, "/run", name) &&
                         !h5_get_text(file, "/run", name, &theirs, &ignored) && strcmp(theirs, mine) != 0;
    mem_free(theirs);
    return differs;
}

StatusCode run_metrics_open(TrainJob *job, const ModelFamily *family, const char *path, bool goes_on,
                            Status *status) {
    const ImageSource *source = &job->source;
    char reason[REASON] = "other training images or labels";
    if (metrics_open(&job->metrics, path, job->config, goes_on, status)) return status->code;
    const H5File *earlier = metrics_earlier(job->metrics);
    if (earlier && (has_other_key(earlier, job->config, family, reason) ||
                    has_other_fact(earlier, images_fact, source->images_sha256) ||
                    has_other_fact(earlier, labels_fact, source->labels_sha256)))
        metrics_begin_anew(job->metrics, reason);
    if (job->init_digest && *job->init_digest) metrics_set_text(job->metrics, init_fact, job->init_digest);
    if (*source->images_sha256) metrics_set_text(job->metrics, images_fact, source->images_sha256);
    if (*source->labels_sha256) metrics_set_text(job->metrics, labels_fact, source->labels_sha256);
    return status->code;
}

void run_metrics_note_place(const TrainJob *job, char **hosts) {
    char binding[PLACEMENT_TEXT];
    const int count = placement_hosts(job->comm, hosts);
    placement_binding(job->comm, binding);
    metrics_set_count(job->metrics, "hosts", count);
    metrics_set_text(job->metrics, "host_names", *hosts);
    metrics_set_text(job->metrics, "binding", binding);
    metrics_set_count(job->metrics, "train_images", job->train_count);
}

void run_metrics_check(const Config *config, const ModelFamily *family, const char *path) {
    H5File *file = NULL;
    Status ignored = {0};
    char reason[REASON];
    if (!metrics_check(path, &file) && has_other_key(file, config, family, reason))
        metrics_set_other_aside(path, reason, "The model is whole, but what was measured is lost");
    h5_close(&file, &ignored);
}

bool run_metrics_init(const char *path, char digest[RUN_INIT_DIGEST]) {
    H5File *file = NULL;
    char *text = NULL;
    Status ignored = {0};
    *digest = 0;
    if (access(path, R_OK) || h5_open(&file, path, &ignored)) return false;
    if (h5_has_attribute(file, "/run", init_fact)) h5_get_text(file, "/run", init_fact, &text, &ignored);
    snprintf(digest, RUN_INIT_DIGEST, "%s", text ? text : "");
    mem_free(text);
    h5_close(&file, &ignored);
    return true;
}
