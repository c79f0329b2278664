#include "cli/train_origin.h"

#include "core/config_file.h"
#include "core/fingerprint.h"
#include "core/mem.h"
#include "store/checkpoint.h"

#include "ensemble/families.h"
#include "model/open_model.h"
#include "model/run_metrics.h"
#include "model/run_options.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Where the model can't be read, but what it is made of is there, as of an ensemble, the run goes on with
 * that.
 */
static StatusCode forgive_damage(const RunFolder *run, const Comm *comm, Status *status) {
    int rest = status->code && comm_rank(comm) == 0 && run_folder_has_leftovers(run);
    comm_broadcast(comm, &rest, sizeof rest, 0);
    if (!rest) return status->code;
    if (comm_rank(comm) == 0)
        fprintf(stderr, "pardigits: %s is written anew, from the members' own files.\n", run->model);
    *status = (Status){0};
    return status->code;
}

/* Refuses to go on with another configuration than the run was begun with, unless only its length is another
 * one and may be: then *longer. */
static StatusCode check_begun(const RunFolder *run, const Config *config, const Config *begun, bool *longer,
                              Status *status) {
    const ModelFamily *family = model_family_of(begun);
    const char *length = family ? family->length_key : NULL;
    Config *same = config_copy(begun);
    *longer = length && strcmp(config_value(begun, length), config_value(config, length)) != 0;
    if (*longer) config_set_value(same, length, config_value(config, length), "--set", status);
    const ConfigKey *key = run_difference(config, same);
    if (key)
        status_set(status, STATUS_USAGE,
                   "%s was begun with %s = %s, but the configuration says %s: change it back, or use "
                   "--overwrite.",
                   run->folder, key->name, config_value(begun, key->name), config_value(config, key->name));
    else if (*longer)
        family->check_length(begun, config, status);
    config_destroy(&same);
    return status->code;
}

/* A model that another program trained is no run: its file lacks what a training goes on with. */
static StatusCode refuse_imported(const RunFolder *run, const H5File *file, Config *config, Status *status) {
    const ModelFamily *family = model_family_of(config);
    const Model model = {.family = family, .config = config, .file = (H5File *)file};
    for (int i = 0; family && family->lacks_key && i < config_count(config) && !status->code; i++)
        if (family->lacks_key(&model, config_key(config, i)->name))
            status_set(
                status, STATUS_USAGE,
                "%s was imported from another program's file, so there is no training to go on with: name "
                "another folder by --run, or use --overwrite.",
                run->model);
    return status->code;
}

/* Without a checkpoint of the whole the models of members that a run left are gone on with by the same
 * configuration alone. What a damaged config.ini lacks would count as the defaults: then the members' own
 * files have to tell. Collective. */
static StatusCode check_leftovers(const RunFolder *run, const Config *config, const Comm *comm,
                                  Status *status) {
    bool longer = false;
    Status unreadable = {0};
    Config *begun = config_create(&model_families.keys);
    if (comm_rank(comm) == 0 && run_folder_has_leftovers(run) && run_folder_wrote_config(run) &&
        !config_read_file(begun, run->config, &unreadable))
        check_begun(run, config, begun, &longer, status);
    config_destroy(&begun);
    return comm_agree(comm, status);
}

StatusCode train_open_resumed(const RunFolder *run, const Config *config, const Comm *comm, H5File **resume,
                              bool *complete, Status *status) {
    if (comm_rank(comm) == 0) checkpoint_check_readable(run->model, status);
    if (comm_agree(comm, status)) return status->code;
    checkpoint_open_newest(run->model, comm, resume, status);
    forgive_damage(run, comm, status);
    if (!*resume) return status->code ? status->code : check_leftovers(run, config, comm, status);
    Config *stored = NULL;
    if (!checkpoint_config(*resume, &model_families.keys, &stored, status)) {
        bool longer = false;
        if (!refuse_imported(run, *resume, stored, status)) check_begun(run, config, stored, &longer, status);
        checkpoint_is_complete(*resume, complete, status);
        *complete = *complete && !longer;
    }
    config_destroy(&stored);
    return comm_agree(comm, status);
}

/* The builds that trained what is gone on with: a run may have been killed after its members were saved and
 * before their whole was. On rank 0; freed by the caller. */
static char *read_builds(const RunFolder *run, const TrainJob *job, Status *status) {
    const ModelFamily *family = model_family_of(job->config);
    char *whole = NULL, *rest = NULL;
    if (job->resume) checkpoint_builds(job->resume, &whole, status);
    if (family->leftover_builds && run->start == RUN_START_RESUME)
        rest = family->leftover_builds(run->model, job->config);
    const bool take_rest = !whole || (rest && strlen(rest) > strlen(whole));
    mem_free(take_rest ? whole : rest);
    return take_rest ? rest : whole;
}

/* The same on all ranks. Collective. */
static char *share_builds(const RunFolder *run, const TrainJob *job, Status *status) {
    char *builds = comm_rank(job->comm) == 0 ? read_builds(run, job, status) : NULL;
    int64_t length = builds ? (int64_t)strlen(builds) : 0;
    comm_broadcast(job->comm, &length, sizeof length, 0);
    char *shared = mem_new((size_t)length + 1, 1);
    if (builds) memcpy(shared, builds, (size_t)length);
    comm_broadcast(job->comm, shared, length, 0);
    mem_free(builds);
    return shared;
}

StatusCode train_check_build(const RunFolder *run, const TrainJob *job, bool allow_others, char **builds,
                             Status *status) {
    char mine[65], *before = share_builds(run, job, status);
    fingerprint_hex(mine);
    size_t length = strlen(before);
    if (length < 64) length = 0;
    const bool same = length > 0 && !strcmp(before + length - 64, mine);
    if (length > 0 && !same && !allow_others)
        status_set(
            status, STATUS_USAGE,
            "%s was trained by another build of pardigits, or on another kind of processor (%.8s, this is "
            "%.8s), whose results may differ: go on there, or add --allow-other-build.",
            run->folder, before + length - 64, mine);
    const size_t size = length + sizeof mine + 1;
    *builds = mem_new(size, 1);
    snprintf(*builds, size, "%s%s%s", length ? before : "", length && !same ? " " : "", same ? "" : mine);
    mem_free(before);
    return comm_agree(job->comm, status);
}

/* The model that a run was begun with. */
typedef struct {
    char digest[RUN_INIT_DIGEST]; /* "" for none */
    bool said;                    /* a checkpoint says the digest, or the run's folder names a model */
    bool known;                   /* without a checkpoint: the folder tells whether there was one */
    bool from_random;             /* the training would begin with random weights */
} InitOrigin;

/* The configuration says it, which is written before anything else; if it was lost, the metrics may. */
static InitOrigin read_folder_origin(const RunFolder *run) {
    const bool has_config = access(run->config, F_OK) == 0, has_metrics = access(run->metrics, F_OK) == 0;
    InitOrigin found = {.known = !has_config && !has_metrics, .from_random = !run_folder_has_leftovers(run)};
    Config *config = config_create(&model_families.keys);
    Status unreadable = {0};
    if (has_config && !config_read_file(config, run->config, &unreadable)) {
        snprintf(found.digest, sizeof found.digest, "%s", run_options(config).init_digest);
        found.known = true;
    }
    if (has_metrics && !*found.digest)
        found.known = run_metrics_init(run->metrics, found.digest) || found.known;
    found.said = *found.digest != 0;
    config_destroy(&config);
    return found;
}

static void read_checkpoint_origin(const H5File *file, InitOrigin *origin, Status *status) {
    char *digest = NULL;
    if (!checkpoint_init(file, &digest, status)) {
        snprintf(origin->digest, sizeof origin->digest, "%s", digest);
        origin->said = true;
    }
    mem_free(digest);
}

/* What --resume finds of the model that the run was begun with, if it is of a family that begins with one.
 * Collective. */
static StatusCode find_origin(const RunFolder *run, const TrainJob *job, InitOrigin *origin, Status *status) {
    if (job->resume) {
        read_checkpoint_origin(job->resume, origin, status);
        return comm_agree(job->comm, status);
    }
    if (!run || run->start != RUN_START_RESUME || !model_family_of(job->config)->takes_init)
        return status->code;
    if (comm_rank(job->comm) == 0) *origin = read_folder_origin(run);
    comm_broadcast(job->comm, origin, sizeof *origin, 0);
    if (origin->from_random && !origin->known)
        status_set(
            status, STATUS_USAGE,
            "The run in %s has no checkpoint yet, and neither its config.ini nor its metrics.h5 can be "
            "read, which say whether it was begun by --init: begin it again with --overwrite.",
            run->folder);
    return status->code;
}

/* Opens the model at path, which has to be of the family; its digest is freed by the caller. Collective. */
static StatusCode open_init(const char *path, const TrainJob *job, H5File **init, char **digest,
                            Status *status) {
    const ModelFamily *family = model_family_of(job->config);
    char *format = NULL;
    if (!family->takes_init)
        return status_set(status, STATUS_USAGE,
                          "--init: a %s doesn't begin with the weights of another model.", family->name);
    if (comm_rank(job->comm) == 0) model_check_there(path, status);
    if (comm_agree(job->comm, status) || checkpoint_open(path, job->comm, init, status)) return status->code;
    if (job->log->speaks && h5_lacks_sum(*init)) h5_note_missing_sum(path);
    if (!h5_get_text(*init, "/", "model", &format, status) && strcmp(format, family->name))
        status_set(status, STATUS_USAGE, "--init %s is a %s, expected a %s as run.model says.", path, format,
                   family->name);
    if (!status->code) h5_get_text(*init, "/", "digest", digest, status);
    mem_free(format);
    return comm_agree(job->comm, status);
}

/* Whether a model of this digest, or none for path NULL, suits what was begun. */
static StatusCode check_init(const char *path, const char *digest, const InitOrigin *origin,
                             const RunFolder *run, const Config *config, Status *status) {
    const char *wanted = run_options(config).init_digest;
    if (origin->said && path && strcmp(origin->digest, digest))
        status_set(status, STATUS_USAGE, "--init %s: the run was begun %s: %s, or use --overwrite.", path,
                   *origin->digest ? "with another model" : "without a model",
                   origin->from_random ? "name that one" : "omit --init to go on");
    if (origin->said && origin->from_random && !path)
        status_set(
            status, STATUS_USAGE,
            "The run in %s was begun with the weights of another model, whose digest begins with %.8s, "
            "and has no checkpoint yet: name that model again by --init, or use --overwrite.",
            run->folder, origin->digest);
    if (!origin->said && path && *wanted && strcmp(wanted, digest))
        status_set(
            status, STATUS_USAGE,
            "--init %s: run.init_digest names another model, whose digest begins with %.8s: name that one, "
            "or add --set run.init_digest= to begin with this one.",
            path, wanted);
    if (!origin->said && !path && model_family_of(config)->takes_init && *wanted)
        status_set(status, STATUS_USAGE,
                   "run.init_digest says that the training begins with the weights of a model, whose digest "
                   "begins with %.8s: name that model by --init, or add --set run.init_digest= to begin "
                   "without one.",
                   wanted);
    return status->code;
}

StatusCode train_open_init(const char *path, const RunFolder *run, const TrainJob *job, H5File **init,
                           char **digest, Status *status) {
    InitOrigin origin = {0};
    if (!find_origin(run, job, &origin, status) && (!path || !open_init(path, job, init, digest, status)))
        check_init(path, *digest, &origin, run, job->config, status);
    if (origin.said && !path && !status->code) *digest = mem_text(origin.digest);
    return comm_agree(job->comm, status);
}

bool train_note_init(const RunFolder *run, const TrainJob *job) {
    Status later = {0};
    if (comm_rank(job->comm) != 0 || !job->init || job->resumed || run_folder_has_leftovers(run) ||
        access(run->model, F_OK) == 0 || access(run->metrics, F_OK) == 0)
        return false;
    const bool alone = access(run->config, F_OK) != 0;
    run_folder_keep_config(run, job->log, &later);
    if (!later.code) run_folder_write_config(run, job->config, &later);
    return alone && !later.code;
}
