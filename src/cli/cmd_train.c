#include "cli/check_output.h"
#include "cli/cli.h"
#include "cli/dry_run.h"
#include "cli/fallback_folder.h"
#include "cli/options.h"
#include "cli/run_folder.h"
#include "cli/same_start.h"
#include "cli/settings.h"
#include "cli/train_origin.h"

#include "api/build_info.h"
#include "core/config_file.h"
#include "core/mem.h"
#include "core/path.h"
#include "core/timer.h"
#include "parallel/placement.h"
#include "parallel/stop.h"
#include "store/checkpoint.h"
#include "store/dataset.h"
#include "store/h5io.h"
#include "store/trace_file.h"

#include "ensemble/families.h"
#include "model/open_model.h"
#include "model/run_metrics.h"
#include "model/run_options.h"
#include "model/train_job_hints.h"
#include "model/train_job_save.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

typedef struct {
    const char *config_path, *run, *data, *trace, *init;
    Settings settings;
    bool resume, overwrite, allow_other_build, dry_run;
    OutputFormat format; /* of a dry run */
} TrainArguments;

/* Who writes nothing mustn't seem to obey options about files. */
static StatusCode check_dry_run(const TrainArguments *arguments, Status *status) {
    const char *option = arguments->run                 ? "--run"
                         : arguments->resume            ? "--resume"
                         : arguments->overwrite         ? "--overwrite"
                         : arguments->trace             ? "--trace"
                         : arguments->allow_other_build ? "--allow-other-build"
                                                        : NULL;
    if (option)
        status_set(status, STATUS_USAGE, "--dry-run writes nothing and needs no run: omit %s.", option);
    return status->code;
}

static StatusCode parse(int argc, char **argv, TrainArguments *arguments, Status *status) {
    *arguments = (TrainArguments){.settings = settings_new(argc)};
    const Option options[] = {{.name = "run", .value = &arguments->run},
                              {.name = "data", .value = &arguments->data},
                              {.name = "trace", .value = &arguments->trace},
                              {.name = "init", .value = &arguments->init},
                              {.name = "set", .take = settings_take, .context = &arguments->settings},
                              {.name = "dry-run", .flag = &arguments->dry_run},
                              OPTIONS_OF_FORMAT(&arguments->format),
                              {.name = "resume", .flag = &arguments->resume},
                              {.name = "overwrite", .flag = &arguments->overwrite},
                              {.name = "allow-other-build", .flag = &arguments->allow_other_build},
                              {0}};
    static const char *const names[] = {"CONFIG.ini"};
    const Operands wanted = {1, 1, names};
    int operands;
    if (options_parse(argc, argv, options, &wanted, &operands, status)) return status->code;
    arguments->config_path = argv[1];
    if (arguments->format != OUTPUT_TEXT && !arguments->dry_run)
        return status_set(status, STATUS_USAGE,
                          "--json and --csv are for --dry-run; metrics.h5 has the rest.");
    if (arguments->dry_run) return check_dry_run(arguments, status);
    if (!arguments->run || !*arguments->run)
        return status_set(status, STATUS_USAGE,
                          "--run DIR is needed: the folder that the model is written to.");
    if (arguments->trace && !*arguments->trace)
        return status_set(status, STATUS_USAGE, "--trace needs a file to be written, such as trace.json.");
    if (arguments->resume && arguments->overwrite)
        return status_set(status, STATUS_USAGE, "--resume and --overwrite exclude each other.");
    if (arguments->allow_other_build && !arguments->resume)
        return status_set(status, STATUS_USAGE, "--allow-other-build is for --resume: add that, or omit it.");
    return STATUS_OK;
}

/* run.data becomes the path of the dataset from anywhere: --data, or what the configuration says. */
static void name_dataset(const TrainArguments *arguments, Config *config, Status *status) {
    const char *said = run_options(config).data, *data = arguments->data ? arguments->data
                                                         : *said         ? said
                                                                         : DEFAULT_DATA;
    config_note_data(config, data, status);
}

static StatusCode read_config(const TrainArguments *arguments, const Comm *comm, Config *config,
                              Status *status) {
    config_read_file(config, arguments->config_path, status);
    for (int i = 0; i < arguments->settings.count && !status->code; i++)
        config_set(config, arguments->settings.items[i], "--set", status);
    if (!status->code) name_dataset(arguments, config, status);
    if (!status->code) run_options_apply(config, comm);
    return comm_agree(comm, status) ? status->code
                                    : require_same_config(comm, arguments->config_path, config, status);
}

/* The dataset that the configuration names; whether the configuration suits its images. */
static StatusCode open_dataset(const Config *config, const Comm *comm, Dataset *dataset, Status *status) {
    const ModelFamily *family = model_family_of(config);
    if (dataset_open(run_options(config).data, comm, dataset, status)) return status->code;
    if (comm_rank(comm) == 0) dataset_print_notes(dataset);
    if (family->check) family->check(config, dataset->spec, status);
    return comm_agree(comm, status);
}

/* What a comparison of runs needs to know: where, with what and on how much this one works. Collective. */
static void record_circumstances(const TrainJob *job) {
    char *hosts, build[BUILD_INFO_LINE] = "";
    run_metrics_note_place(job, &hosts);
    log_line_in_job(job->log, "hosts: %s", hosts);
    if (job->metrics) build_info_line(build);
    metrics_set_text(job->metrics, "build", build);
    mem_free(hosts);
}

/* What begin_files works with. */
typedef struct {
    RunFolder *run;
    double started_s;
} Start;

/* On rank 0. The metrics come first: a run whose metrics can't be read isn't changed. Nothing of another run
 * is that has the folder's name now. */
static StatusCode begin_folder(TrainJob *job, RunFolder *run, Status *status) {
    const bool goes_on = job->resumed || (job->go_on && run_folder_has_leftovers(run));
    if (run_lock_check(run->model, status)) return status->code;
    run_metrics_open(job, model_family_of(job->config), run->metrics, goes_on, status);
    run->begun = !status->code;
    if (!status->code) run_folder_keep_config(run, job->log, status);
    if (job->resume && !status->code) checkpoint_make_newest(job->resume, run->model);
    if (!goes_on && !status->code) run_folder_set_aside(run, status);
    if (!status->code) run_folder_write_config(run, job->config, status);
    return status->code;
}

/* TrainJob.begin: the run's files at the start. */
static StatusCode begin_files(TrainJob *job, const void *context, Status *status) {
    const Start *start = context;
    if (comm_rank(job->comm) == 0) begin_folder(job, start->run, status);
    metrics_run(job->metrics, comm_size(job->comm), job->threads, start->started_s);
    record_circumstances(job);
    return comm_agree(job->comm, status);
}

/* For who watches the run: to go on from what it saved would lead there again. Where it has saved nothing an
 * old run comes back (run_folder_settle). */
static void note_divergence(const RunFolder *run, const TrainJob *job) {
    Status ignored = {0};
    if (!job->metrics || !job->diverged || (access(run->model, F_OK) && access(run->metrics, F_OK))) return;
    metrics_set_count(job->metrics, "diverged", 1);
    metrics_flush(job->metrics, &ignored);
}

static void train_family(const RunFolder *run, TrainJob *job, Status *status) {
    const ModelFamily *family = model_family_of(job->config);
    log_line(job->log, "training %s on %lld image%s%s", family->name, (long long)job->train_count,
             job->train_count == 1 ? "" : "s", job->resumed ? ", resumed" : "");
    train_job_log_hints(job);
    StatusCode code = family->train(job, status);
    Status flush = {0};
    metrics_set_count(job->metrics, "complete", code == STATUS_OK);
    note_divergence(run, job);
    if (code == STATUS_OK || code == STATUS_STOPPED) metrics_flush(job->metrics, &flush);
    if (flush.code && code == STATUS_OK)
        status_set(status, flush.code, "%s is complete; only the last of its metrics are missing: %.700s",
                   job->model_path, flush.text);
}

/* A signal while the images were read. Collective. */
static StatusCode stop_before_training(const RunFolder *run, const TrainJob *job, Status *status) {
    const bool replaces = run->start == RUN_START_REPLACE;
    if (stop_signalled())
        status_set(status, STATUS_STOPPED,
                   "Stopped by %s before the training began; nothing is to be saved: %s%s.",
                   stop_signal_name(), replaces ? "run it again with --overwrite" : train_job_resume_advice,
                   job->init ? " and the same --init" : "");
    return comm_agree(job->comm, status);
}

/* On rank 0: where config.ini was removed while the training went on, writes it again: without it no one can
 * tell what the model was trained with. */
static void restore_config(const RunFolder *run, const TrainJob *job, Status *status) {
    if (access(run->config, F_OK) == 0 || errno != ENOENT || run_lock_is_lost(run->model)) return;
    Status later = {0};
    run_folder_write_config(run, job->config, &later);
    log_line(job->log, "%s was removed while the training went on: %s", run->config,
             later.code ? later.text : "it is written again");
    if (!status->code) *status = later;
}

static StatusCode train(RunFolder *run, TrainJob *job, const Dataset *dataset, double started_s,
                        Status *status) {
    const double traced_s = trace_begin(trace_thread(job->trace, 0));
    progress_enter(comm_progress(job->comm), PROGRESS_INPUT, 0);
    if (train_job_read(job, dataset, status) || stop_before_training(run, job, status)) return status->code;
    trace_end(trace_thread(job->trace, 0), TRACE_READ, traced_s, 0, 0);
    const Start start = {run, started_s};
    job->begin = begin_files;
    job->begin_context = &start;
    train_family(run, job, status);
    if (comm_rank(job->comm) == 0 && run->begun && run_folder_settle(run))
        fallback_folder_explain(run, job->fallback_path, status);
    if (comm_rank(job->comm) == 0 && run->begun && (!status->code || status->code == STATUS_STOPPED))
        restore_config(run, job, status);
    if (comm_rank(job->comm) == 0 && !status->code) run_folder_tidy(run);
    if (comm_agree(job->comm, status) == STATUS_OK)
        log_line(job->log, "%s is written after %.1f s", run->model, timer_now_s() - started_s);
    return status->code;
}

/* The same with a trace of it, which is written also when it stops or fails. */
static StatusCode train_traced(RunFolder *run, TrainJob *job, const Dataset *dataset, const char *path,
                               double started_s, Status *status) {
    TraceFile *file = NULL;
    if (trace_file_begin(&file, job->comm, job->threads, path, status)) return status->code;
    job->trace = trace_file_trace(file);
    const double traced_s = trace_begin(trace_thread(job->trace, 0));
    train(run, job, dataset, started_s, status);
    trace_end(trace_thread(job->trace, 0), TRACE_RUN, traced_s, 0, 0);
    job->trace = NULL;
    Status written = {0};
    if (trace_file_end(&file, job->log, &written)) log_line(job->log, "%s", written.text);
    if (!status->code) *status = written;
    return status->code;
}

/* On rank 0: what --resume does in the folder of a complete run. */
static void finish_files(const RunFolder *run, const Config *config, const H5File *model) {
    checkpoint_make_newest(model, run->model);
    run_folder_settle(run); /* a run that this one replaced may be there still, if it was killed */
    run_metrics_check(config, model_family_of(config), run->metrics);
    run_folder_tidy(run);
}

static RunStart start_of(const TrainArguments *arguments) {
    return arguments->resume ? RUN_START_RESUME : arguments->overwrite ? RUN_START_REPLACE : RUN_START_NEW;
}

/* What the command opens; freed by close_all. */
typedef struct {
    TrainArguments arguments;
    Config *config;
    Dataset dataset;
    RunFolder run;
    H5File *init;
    char *builds, *init_digest, *init_path, *fallback_path;
    bool complete; /* the run to be resumed */
} Opened;

/* Arguments, configuration and dataset. */
static StatusCode configure(Opened *opened, int argc, char **argv, TrainJob *job, Status *status) {
    TrainArguments *arguments = &opened->arguments;
    if (parse(argc, argv, arguments, status)) return status->code;
    signal(SIGPIPE, SIG_IGN); /* a reader of the log that ends doesn't end the training */
    if (read_config(arguments, job->comm, opened->config, status)) return status->code;
    if (open_dataset(opened->config, job->comm, &opened->dataset, status)) return status->code;
    if (config_notice(opened->config)) log_line(job->log, "%s", config_notice(opened->config));
    hint_at_unused_keys(&arguments->settings, opened->config, job->log);
    run_forget_unused(opened->config);
    job->config = opened->config;
    opened->init_path = arguments->init ? model_path_of(arguments->init) : NULL;
    return STATUS_OK;
}

/* The model whose weights the training begins with. run NULL: a rehearsal. */
static StatusCode begin_with(Opened *opened, const RunFolder *run, TrainJob *job, Status *status) {
    if (train_open_init(opened->init_path, run, job, &opened->init, &opened->init_digest, status))
        return status->code;
    job->init = opened->init;
    job->init_digest = opened->init_digest;
    return config_set_value(opened->config, "run.init_digest", job->init_digest ? job->init_digest : "", "",
                            status);
}

/* --overwrite takes the place of a run; that isn't to be the one that this one begins with. */
static StatusCode check_init_stays(const Opened *opened, const Comm *comm, Status *status) {
    const RunFolder *run = &opened->run;
    const char *init = opened->init_path;
    if (comm_rank(comm) == 0 && init && run->start == RUN_START_REPLACE &&
        (path_is_same(init, run->model) || path_is_same(init, run->previous)))
        status_set(
            status, STATUS_USAGE,
            "--init %s is the model of the run to be overwritten, and would be lost: give the new run a "
            "folder of its own by --run.",
            init);
    return comm_agree(comm, status);
}

/* What an earlier start saved there is named also where the run can't be gone on with: that may be why. */
static void open_fallback(Opened *opened, const Context *context, Status *status) {
    fallback_folder_open(&opened->run, opened->config, context->comm, &opened->fallback_path, status);
    fallback_folder_check(&opened->run, opened->config, opened->fallback_path, context->comm, context->log,
                          status);
}

/* The run's folder and what it goes on from. */
static StatusCode open_run(Opened *opened, const Context *context, TrainJob *job, Status *status) {
    const TrainArguments *arguments = &opened->arguments;
    if (arguments->trace &&
        check_kept(context, arguments->trace, NULL, 1, (char *const *)&arguments->config_path, status))
        return status->code;
    opened->run = run_folder_new(arguments->run);
    if (run_folder_prepare(&opened->run, start_of(arguments), opened->config, context, status))
        return status->code;
    if (arguments->trace &&
        run_folder_check_other(&opened->run, "--trace", arguments->trace, context->comm, status))
        return status->code;
    if (check_init_stays(opened, context->comm, status)) return status->code;
    if (arguments->resume)
        train_open_resumed(&opened->run, opened->config, context->comm, &job->resume, &opened->complete,
                           status);
    job->resumed = job->resume != NULL;
    if (status->code || !opened->complete) open_fallback(opened, context, status);
    if (status->code) return status->code;
    return begin_with(opened, &opened->run, job, status);
}

static void look_ahead(Opened *opened, TrainJob *job, Status *status) {
    if (begin_with(opened, NULL, job, status) == STATUS_OK)
        dry_run(job, &opened->dataset, opened->arguments.format, status);
}

static void train_in(Opened *opened, const Context *context, double started_s, TrainJob *job,
                     Status *status) {
    const TrainArguments *arguments = &opened->arguments;
    if (open_run(opened, context, job, status)) return;
    if (opened->complete) {
        ImageSource source;
        if (train_job_check_data(job, &opened->dataset, &source, status)) return;
        log_line(context->log, "%s is complete already: nothing to do", opened->run.model);
        if (comm_rank(context->comm) == 0) finish_files(&opened->run, opened->config, job->resume);
        return;
    }
    placement_report(context->comm, context->threads, context->log);
    if (train_check_build(&opened->run, job, arguments->allow_other_build, &opened->builds, status)) return;
    job->builds = opened->builds;
    job->model_path = opened->run.model;
    job->fallback_path = opened->fallback_path;
    job->go_on = arguments->resume;
    const bool noted = train_note_init(&opened->run, job);
    if (arguments->trace)
        train_traced(&opened->run, job, &opened->dataset, arguments->trace, started_s, status);
    else
        train(&opened->run, job, &opened->dataset, started_s, status);
    if (noted && !opened->run.begun && status->code != STATUS_STOPPED)
        unlink(opened->run.config); /* what fails before it has begun leaves the folder free */
}

static void close_all(Opened *opened) {
    Status ignored = {0};
    run_folder_free(&opened->run);
    config_destroy(&opened->config);
    dataset_close(&opened->dataset);
    mem_free(opened->arguments.settings.items);
    mem_free(opened->builds);
    mem_free(opened->init_digest);
    mem_free(opened->init_path);
    mem_free(opened->fallback_path);
    h5_close(&opened->init, &ignored);
}

static StatusCode cmd_train(const Context *context, int argc, char **argv, Status *status) {
    const double started_s = timer_now_s();
    TrainJob job = {.comm = context->comm, .log = context->log, .threads = context->threads};
    Opened opened = {.config = config_create(&model_families.keys)};
    if (configure(&opened, argc, argv, &job, status) == STATUS_OK) {
        if (opened.arguments.dry_run)
            look_ahead(&opened, &job, status);
        else
            train_in(&opened, context, started_s, &job, status);
    }
    metrics_destroy(&job.metrics);
    h5_close(&job.resume, &(Status){0});
    train_job_free_images(&job);
    close_all(&opened);
    return status->code;
}

const Command command_train = {
    .name = "train",
    .run = cmd_train,
    .usage = "train CONFIG.ini --run DIR [--data FILE.h5] [--set section.key=value]... [--resume "
             "[--allow-other-build] | --overwrite] [--init MODEL.h5] [--trace FILE.json]\n"
             "  pardigits train CONFIG.ini --dry-run [--data FILE.h5] [--set section.key=value]... [--init "
             "MODEL.h5] [--json | --csv]",
    .help = "Trains the model that CONFIG.ini describes and writes DIR/model.h5, metrics.h5 and config.ini.\n"
            "  --set         changes a key of the configuration\n"
            "  --resume      continues the run in DIR; starts a new one if there is none\n"
            "  --allow-other-build  continues it under another build or kind of processor, too: the model "
            "gets other bits\n"
            "  --overwrite   replaces the run in DIR\n"
            "  --init        a fresh run begins with the weights of this CNN; its last layer may be another "
            "one, for other\n"
            "                classes, and is then new\n"
            "  --trace       writes what each thread did when, in Chrome's trace event format, for Perfetto "
            "and the like\n"
            "  --dry-run     writes nothing: prints the configuration, the shapes, the placement of the "
            "ranks, what memory\n"
            "                they take and, of a CNN, how long a step takes; without --run, --resume, "
            "--overwrite, --trace\n"
            "SIGUSR1, SIGUSR2, SIGTERM, SIGINT and SIGHUP save and end with exit code 75: run again with "
            "--resume.",
    .needs_mpi = true,
};
