#include "ensemble/members.h"

#include "cnn/cnn_options.h"
#include "cnn/hints.h"
#include "cnn/network.h"
#include "cnn/state.h"
#include "cnn/train.h"
#include "ensemble/assignment.h"
#include "ensemble/cnn_family.h"
#include "ensemble/ensemble_options.h"
#include "ensemble/member_files.h"
#include "ensemble/members_config.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/timer.h"
#include "data/preprocess.h"
#include "data/shard.h"
#include "model/run_metrics.h"
#include "model/run_options.h"
#include "model/train_job_save.h"
#include "store/checkpoint.h"
#include "store/kept_file.h"
#include "store/run_lock.h"

#include <stdio.h>

/* The ensemble under way, as every rank sees it. */
typedef struct {
    TrainJob *job;
    int members;
    Assignment assignment;
    int group_index; /* this rank's group */
    Comm *group;     /* its ranks */
    ImageSet shard;  /* this rank's rows among them */
    StopWatch *watch;
    uint64_t *diverged; /* [members] whether its training did */
    bool trained;       /* all other members are finished */
} EnsembleTraining;

/* The work of training a member: multiply-adds of an image, times epochs. */
static MemberWork member_work(const Config *config, ImageSpec spec, int member) {
    Status ignored = {0}; /* members_check has refused what is wrong */
    Config *own = members_config(config, member, &ignored);
    Network *net = members_network(config, spec, member, &ignored);
    const CnnOptions options = cnn_options(own);
    const MemberWork work = {(double)net->multiply_adds * (double)options.epochs,
                             divide_up(options.batch, options.micro_batch)};
    mem_free(net);
    config_destroy(&own);
    return work;
}

/* Who trains the members that are left. Collective. */
static Assignment assign_unfinished(const TrainJob *job, int members) {
    MemberWork *work = mem_new((size_t)members, sizeof *work);
    int threads = job->threads;
    for (int m = 0; comm_rank(job->comm) == 0 && m < members; m++) {
        work[m] = member_work(job->config, job->spec, m);
        if (job->model_path && member_is_finished(job->model_path, m)) work[m].work = 0;
    }
    comm_broadcast(job->comm, work, members * (int64_t)sizeof *work, 0);
    comm_broadcast(job->comm, &threads, sizeof threads, 0);
    const Assignment assignment = assignment_of_members(work, members, comm_size(job->comm), threads);
    mem_free(work);
    return assignment;
}

static void log_assignment(const EnsembleTraining *ensemble) {
    const Assignment *assignment = &ensemble->assignment;
    int left = 0;
    for (int m = 0; m < ensemble->members; m++)
        left += assignment->owner[m] >= 0;
    log_line(ensemble->job->log,
             "%d of %d members to train, by %d group%s of ranks; this is what rank 0 trains", left,
             ensemble->members, assignment->groups, assignment->groups > 1 ? "s" : "");
}

static void ensemble_begin(EnsembleTraining *ensemble, TrainJob *job) {
    ensemble->job = job;
    ensemble->members = (int)ensemble_options(job->config).members;
    ensemble->diverged = mem_new((size_t)ensemble->members, sizeof *ensemble->diverged);
    ensemble->assignment = assign_unfinished(job, ensemble->members);
    ensemble->group_index = assignment_group(&ensemble->assignment, comm_rank(job->comm));
    ensemble->group = comm_split(job->comm, ensemble->group_index);
    progress_join(comm_progress(job->comm), ensemble->group_index);
    ensemble->shard = shard_fetch(
        job->comm, job->train_count, &job->shard,
        partition_range(job->train_count, comm_size(ensemble->group), comm_rank(ensemble->group)));
    ensemble->watch = stop_watch_create(job->comm);
    /* or a group that starts early would make several steps before it hears of a signal that came before */
    if (comm_max(job->comm, stop_signalled(), NULL) > 0) stop_watch_raise(ensemble->watch);
    member_tables_declare(job->metrics);
    log_assignment(ensemble);
}

/* The images as a member sees them, with the same labels. */
static ImageSet preprocessed(const ImageSet *set, const char *preprocess, int threads) {
    ImageSet copy = *set;
    copy.images = mem_copy(set->images, (size_t)set->n * (size_t)image_spec_pixels(set->spec));
    preprocess_images(preprocess, &copy, threads);
    return copy;
}

/* Opens what there is of a member's training. Where none of it can be read the member is trained anew, and
 * the file that is there is kept aside. Collective in the group. */
static H5File *open_begun(const EnsembleTraining *ensemble, int member, const char *model) {
    Status status = {0};
    H5File *file;
    uint64_t lost = comm_rank(ensemble->group) == 0 && run_lock_is_lost(model); /* with what is there */
    comm_sum_u64(ensemble->group, &lost, 1);
    if (lost) return NULL;
    const StatusCode code = checkpoint_open_newest(model, ensemble->group, &file, &status);
    if (comm_rank(ensemble->group) == 0 && file) checkpoint_make_newest(file, model);
    if (comm_rank(ensemble->group) == 0 && code) {
        char *kept = kept_file_set_aside(model, "damaged");
        fprintf(stderr, "pardigits: member %d is trained from its start; its file %s%s.\n", member + 1,
                kept ? "is kept as " : "couldn't be kept", kept ? kept : "");
        mem_free(kept);
    }
    return file;
}

/* Says that a member diverged; the others go on without it. */
static void leave_out(const TrainJob *job, int member, Status *status) {
    if (comm_rank(job->comm) == 0)
        fprintf(stderr, "pardigits: Member %d is left out of the ensemble: %s\n", member + 1, status->text);
    *status = (Status){0};
}

/* What the group works with to train a member. */
typedef struct {
    TrainJob job; /* the ensemble's, with what follows, the group's ranks and the member's images */
    Config *config;
    char *model, *fallback, *metrics; /* paths; fallback: or NULL */
} MemberJob;

/* Without metrics. Collective in the group; freed by member_job_free, also after a failure. */
static MemberJob member_job_new(const EnsembleTraining *ensemble, int member, Status *status) {
    const TrainJob *whole = ensemble->job;
    MemberJob own = {.job = *whole};
    TrainJob *job = &own.job;
    char preprocess[MEMBER_PREPROCESS];
    own.model = member_path(whole->model_path, member, member_model);
    if (whole->fallback_path) own.fallback = member_path(whole->fallback_path, member, member_model);
    own.metrics = member_path(whole->model_path, member, member_metrics);
    own.config = members_config(whole->config, member, status);
    job->comm = ensemble->group;
    job->config = own.config;
    job->model_path = own.model;
    job->fallback_path = own.fallback;
    members_preprocess(whole->config, member, preprocess);
    job->shard = preprocessed(&ensemble->shard, preprocess, job->threads);
    job->valid = preprocessed(&whole->valid, preprocess, job->threads);
    job->watch = ensemble->watch;
    job->begin = NULL;
    job->metrics = NULL;
    job->resume = open_begun(ensemble, member, own.model);
    job->resumed = job->resume != NULL;
    return own;
}

static void member_job_free(MemberJob *own) {
    Status ignored = {0};
    metrics_destroy(&own->job.metrics);
    h5_close(&own->job.resume, &ignored);
    config_destroy(&own->config);
    mem_free(own->job.shard.images);
    mem_free(own->job.valid.images);
    mem_free(own->model);
    mem_free(own->fallback);
    mem_free(own->metrics);
}

/* The group trains a member, or goes on with it. Collective in the group: the same status on all its ranks.
 */
static StatusCode train_member(const EnsembleTraining *ensemble, int member, Status *status) {
    MemberJob own = member_job_new(ensemble, member, status);
    TrainJob *job = &own.job;
    log_line(job->log, "member %d of %d, run.seed = %lld%s", member + 1, ensemble->members,
             (long long)run_options(job->config).seed, job->resumed ? ", resumed" : "");
    if (comm_rank(job->comm) == 0) {
        run_metrics_open(job, &cnn_family, own.metrics, job->resumed, status);
        metrics_run(job->metrics, comm_size(job->comm), job->threads, timer_now_s());
    }
    char *hosts;
    run_metrics_note_place(job, &hosts); /* for who watches the run */
    mem_free(hosts);
    if (!comm_agree(job->comm, status)) cnn_train(job, status);
    ensemble->diverged[member] = job->diverged && comm_rank(job->comm) == 0;
    if (job->diverged) leave_out(job, member, status);
    member_job_free(&own);
    return status->code;
}

/* The CheckpointWriter of an ensemble (context: an EnsembleTraining). */
static StatusCode write_members(H5File *out, const void *context, Status *status) {
    const EnsembleTraining *ensemble = context;
    return member_files_copy(out, ensemble->job->config, ensemble->job->spec, ensemble->job->model_path,
                             ensemble->trained ? ensemble->diverged : NULL, status);
}

/* Writes the model of the members that are complete, and the metrics. Collective: all ranks agree. */
static StatusCode save_ensemble(const EnsembleTraining *ensemble, Status *status) {
    const TrainJob *job = ensemble->job;
    if (comm_rank(job->comm) == 0 && job->metrics) {
        member_tables_merge(job->metrics, job->config, job->model_path);
        train_job_flush_metrics(job);
    }
    return train_job_save(job, ensemble->trained, write_members, ensemble, status);
}

/* Says which member failed. */
static void name_member(Status *status, int member) {
    Status named = {0};
    status_set(&named, status->code, "Member %d: %s", member + 1, status->text);
    *status = named;
}

/* An ensemble without any member can't be used. */
static StatusCode refuse_none(const EnsembleTraining *ensemble, Status *status) {
    int left = ensemble->members;
    for (int m = 0; m < ensemble->members; m++)
        left -= ensemble->diverged[m] > 0;
    const CnnOptions options = cnn_options(ensemble->job->config);
    if (left == 0)
        status_set(status, STATUS_FAILED, "The training of all members diverged; %s.",
                   cnn_divergence_advice(&options));
    return status->code;
}

/* The members of all groups. One that diverges is left out. When one fails otherwise the other groups stop as
 * after a signal. Collective: all ranks agree. */
static StatusCode train_all(EnsembleTraining *ensemble, Status *status) {
    for (int m = 0; m < ensemble->members && !status->code; m++) {
        if (ensemble->assignment.owner[m] != ensemble->group_index || !train_member(ensemble, m, status))
            continue;
        if (status->code == STATUS_STOPPED) break;
        name_member(status, m);
        stop_watch_raise(ensemble->watch);
    }
    stop_watch_destroy(&ensemble->watch);
    comm_sum_u64(ensemble->job->comm, ensemble->diverged, ensemble->members);
    if (!comm_agree(ensemble->job->comm, status)) refuse_none(ensemble, status);
    return status->code;
}

/* Whether a member is finished. Collective: rank 0 looks. */
static bool any_finished(const EnsembleTraining *ensemble) {
    const TrainJob *job = ensemble->job;
    uint64_t finished = 0;
    for (int m = 0; comm_rank(job->comm) == 0 && m < ensemble->members; m++)
        finished += member_is_finished(job->model_path, m);
    comm_sum_u64(job->comm, &finished, 1);
    return finished > 0;
}

/* Puts the members together, all of them or, after a stop or a failure, those that are finished; a failure
 * without any leaves no model. Collective: all ranks agree. */
static StatusCode finish(EnsembleTraining *ensemble, Status *status) {
    Status saved = {0};
    ensemble->trained = status->code == STATUS_OK;
    if (ensemble->trained || status->code == STATUS_STOPPED || any_finished(ensemble))
        save_ensemble(ensemble, &saved);
    if (saved.code && (ensemble->trained || status->code == STATUS_STOPPED)) *status = saved;
    if (!status->code && comm_rank(ensemble->job->comm) == 0)
        member_files_remove(ensemble->job->config, ensemble->job->model_path);
    return status->code;
}

/* Refuses a model to begin with that a member's layers don't suit, before the run's files are touched. */
static StatusCode check_init(const TrainJob *job, Status *status) {
    const int64_t members = ensemble_options(job->config).members;
    for (int m = 0; job->init && m < members && !status->code; m++) {
        char renewed[LAYER_TEXT];
        Config *config = members_config(job->config, m, status);
        Network *net = members_network(job->config, job->spec, m, status);
        const CnnOptions options = cnn_options(config);
        TrainState state = train_state_new(net, 0, &options);
        if (train_state_read_init(&state, job->init, renewed, status)) name_member(status, m);
        train_state_free(&state);
        mem_free(net);
        config_destroy(&config);
    }
    return comm_agree(job->comm, status);
}

/* Begins the run. What there is of members' files: with --resume the training goes on with them if they are
 * this run's, also where no model says so; otherwise they are removed. Collective: all ranks agree. */
static StatusCode begin_run(TrainJob *job, Status *status) {
    const bool go_on = job->resumed || job->go_on;
    if (comm_rank(job->comm) == 0 && go_on) member_files_check(job, status);
    if (comm_agree(job->comm, status) || check_init(job, status) || train_job_begin(job, status))
        return status->code;
    if (comm_rank(job->comm) == 0 && !go_on) member_files_remove(job->config, job->model_path);
    return STATUS_OK;
}

/* This start is to count also if it is killed; a first one leaves members alone. */
static void note_start(const TrainJob *job) {
    if (comm_rank(job->comm) == 0 && (job->resumed || member_files_exist(job->model_path)))
        train_job_flush_metrics(job);
}

static StatusCode train_ensemble(TrainJob *job, Status *status) {
    EnsembleTraining ensemble = {0};
    if (begin_run(job, status)) return status->code;
    ensemble_begin(&ensemble, job);
    note_start(job);
    const double start_s = timer_now_s();
    train_all(&ensemble, status);
    metrics_set(job->metrics, "train_s", timer_now_s() - start_s);
    finish(&ensemble, status);
    image_set_free(&ensemble.shard);
    mem_free(ensemble.diverged);
    assignment_free(&ensemble.assignment);
    comm_destroy(&ensemble.group);
    return status->code;
}

StatusCode members_train(TrainJob *job, Status *status) {
    return ensemble_options(job->config).members == 1 ? cnn_train(job, status) : train_ensemble(job, status);
}

/* This rank's group rehearses the first of its members. */
static StatusCode rehearse_member(const EnsembleTraining *ensemble, Output *output, int64_t *bytes,
                                  Status *status) {
    TrainJob job = *ensemble->job;
    int member = 0;
    while (member < ensemble->members - 1 && ensemble->assignment.owner[member] != ensemble->group_index)
        member++;
    char preprocess[MEMBER_PREPROCESS];
    Config *config = members_config(job.config, member, status);
    members_preprocess(job.config, member, preprocess);
    job.comm = ensemble->group;
    job.config = config;
    job.shard = preprocessed(&ensemble->shard, preprocess, job.threads);
    if (!comm_agree(job.comm, status)) cnn_rehearse(&job, output, bytes, status);
    config_destroy(&config);
    mem_free(job.shard.images);
    return status->code;
}

StatusCode members_rehearse(TrainJob *job, Output *output, int64_t *bytes, Status *status) {
    if (ensemble_options(job->config).members == 1) return cnn_rehearse(job, output, bytes, status);
    EnsembleTraining ensemble = {0};
    if (check_init(job, status)) return status->code;
    ensemble_begin(&ensemble, job);
    output_integer(output, "members", "members (what follows is of the first)", ensemble.members);
    output_integer(output, "groups", "groups of ranks, each with members of its own",
                   ensemble.assignment.groups);
    rehearse_member(&ensemble, output, bytes, status);
    stop_watch_destroy(&ensemble.watch);
    image_set_free(&ensemble.shard);
    mem_free(ensemble.diverged);
    assignment_free(&ensemble.assignment);
    comm_destroy(&ensemble.group);
    return comm_agree(job->comm, status);
}
