#include "cnn/train.h"

#include "cnn/contribution.h"
#include "cnn/hints.h"
#include "cnn/train_load.h"
#include "cnn/trainer.h"
#include "cnn/validate.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/rng.h"
#include "core/timer.h"
#include "model/class_weights.h"
#include "model/run_options.h"
#include "parallel/exact_sum.h"
#include "parallel/node_memory.h"

static TraceThread *main_trace(const Trainer *trainer) {
    return trace_thread(trainer->job->trace, 0);
}

static StatusCode trainer_begin(Trainer *trainer, TrainJob *job, Status *status) {
    trainer->job = job;
    const CnnOptions options = trainer->options = cnn_options(job->config);
    if (network_parse(&trainer->net, options.layers, job->spec, status)) return status->code;
    trainer->partition =
        (BatchPartition){job->train_count, options.batch, options.micro_batch, comm_size(job->comm), NULL};
    trainer->balance =
        balance_new(&trainer->partition, job->comm, run_options(job->config).balance == RUN_BALANCE_SPEED);
    trainer->epochs = options.epochs;
    trainer->steps = epoch_steps(&trainer->partition);
    trainer->seed = (uint32_t)run_options(job->config).seed;
    trainer->schedule = schedule_create(&options, trainer->epochs * trainer->steps);
    trainer->state = train_state_new(&trainer->net, trainer->seed, &options);
    if (train_load(trainer, status) || train_job_begin(job, status)) return status->code;
    trainer->node = node_ranks(job->comm);
    train_state_share(&trainer->state, trainer->node);
    network_log(&trainer->net, job->log);
    cnn_log_hints(&options, &trainer->net, job->train_count, trainer->epochs * trainer->steps, job->log);
    cnn_log_hint_of_nodes(&options, trainer->node, job->comm, job->log);
    trainer->train_step = train_step_new(&trainer->state, &options, job);
    trainer->order = node_memory_new(trainer->node, (size_t)job->train_count, sizeof *trainer->order);
    trainer->report = train_report_begin(job, &trainer->partition, trainer->epochs, &trainer->state);
    trainer_save_begin(trainer);
    return STATUS_OK;
}

static void trainer_end(Trainer *trainer) {
    progress_enter(comm_progress(trainer->job->comm), PROGRESS_STARTING, 0);
    trainer_save_end(trainer);
    if (trainer->train_step.net) train_step_free(&trainer->train_step);
    train_state_free(&trainer->state);
    node_memory_free(trainer->node, trainer->order);
    if (trainer->node) comm_destroy(&trainer->node);
    balance_free(&trainer->balance);
}

/* What was out of range (gradient_reducer_cause), on the first node where anything was. Collective. */
static void name_cause(const Trainer *trainer, int64_t own, char *text, int size) {
    const Comm *comm = trainer->job->comm;
    int64_t *all = mem_new((size_t)comm_size(comm), sizeof *all), cause = -1;
    comm_gather(comm, &own, sizeof own, all);
    for (int r = 0; cause < 0 && r < comm_size(comm); r++)
        cause = all[r];
    mem_free(all);
    contribution_describe(&trainer->net, cause, text, size);
}

/* Collective. */
static StatusCode refuse_divergence(const Trainer *trainer, int64_t cause, Status *status) {
    const TrainState *state = &trainer->state;
    char what[96];
    name_cause(trainer, cause, what, sizeof what);
    trainer->job->diverged = true;
    return status_set(
        status, STATUS_FAILED,
        "Training diverged in step %lld/%lld of epoch %lld/%lld: %s is not finite or too large; "
        "%s (cnn.lr = %g). The last checkpoint, if there is one, is from before it.",
        (long long)state->step + 1, (long long)trainer->steps, (long long)state->epoch + 1,
        (long long)trainer->epochs, what, cnn_divergence_advice(&trainer->options), trainer->options.lr);
}

/* One step; mine are this rank's samples of it, at these positions of the epoch's order. The same status on
 * every rank. */
static StatusCode train_step(Trainer *trainer, Range positions, const Samples *mine, Status *status) {
    const double began_s = timer_now_s();
    TrainState *state = &trainer->state;
    const Range whole = epoch_step_positions(&trainer->partition, state->step);
    const int64_t samples = range_size(whole);
    const int64_t done = trainer_steps_done(trainer);
    const StepPlace place = {schedule_lr(&trainer->schedule, done), ema_share(trainer->options.ema, done + 1),
                             (positions.begin - whole.begin) / trainer->options.micro_batch, done + 1};
    const StepResult result = train_step_run(&trainer->train_step, state, place, samples, mine);
    trace_end(main_trace(trainer), TRACE_STEP, began_s, done + 1, 0);
    if (result.diverged) return refuse_divergence(trainer, result.cause, status);
    state->step++;
    state->loss_sum += result.loss_sum;
    state->correct += result.correct;
    balance_add_step(&trainer->balance, divide_up(mine->n, trainer->options.micro_batch), &result);
    train_report_step(&trainer->report, state, place.lr, samples, timer_now_s() - began_s, &result);
    if (result.stop_wanted) return trainer_save_and_stop(trainer, status);
    if (state->step < trainer->steps) trainer_save_if_due(trainer); /* otherwise at the epoch's end */
    return STATUS_OK;
}

/* Collective. */
static void begin_epoch(Trainer *trainer) {
    const double began_s = timer_now_s();
    train_report_epoch_begin(&trainer->report);
    balance_begin_epoch(&trainer->balance);
    comm_barrier(trainer->node); /* nobody looks at the last epoch's order any more */
    if (comm_rank(trainer->node) == 0)
        rng_permutation(trainer->seed, (uint32_t)trainer->state.epoch, trainer->order,
                        (uint32_t)trainer->partition.samples);
    comm_barrier(trainer->node);
    train_report_input(&trainer->report, timer_now_s() - began_s);
}

/* The samples of this rank's micro-batches from a step of the epoch on, on their way; none from its end on.
 * Collective; freed by epoch_shard_free. */
static EpochShard fetch_samples(Trainer *trainer, int64_t step) {
    const TrainJob *job = trainer->job;
    const double began_s = timer_now_s();
    const Range steps = balance_next_window(&trainer->balance, &trainer->partition, step);
    EpochShard shard = epoch_shard_start(&trainer->partition, job->comm, &job->shard, trainer->order, steps);
    train_report_input(&trainer->report, timer_now_s() - began_s);
    trace_end(main_trace(trainer), TRACE_FETCH, began_s, 0, 0);
    return shard;
}

static void wait_for_samples(Trainer *trainer, EpochShard *shard) {
    const double began_s = timer_now_s();
    progress_enter(comm_progress(trainer->job->comm), PROGRESS_INPUT, 0);
    epoch_shard_wait(shard);
    train_report_input(&trainer->report, timer_now_s() - began_s);
    trace_end(main_trace(trainer), TRACE_FETCH, began_s, 0, 0);
}

/* The steps of a window, for which the ranks' shares are the same, while the samples of the next one arrive.
 * The same status on every rank. */
static StatusCode train_window(Trainer *trainer, const EpochShard *shard, EpochShard *next, Status *status) {
    const int rank = comm_rank(trainer->job->comm);
    int64_t first = 0;
    for (int64_t step = shard->steps.begin; step < shard->steps.end && !status->code; step++) {
        const Range positions = epoch_rank_positions(&shard->partition, step, rank);
        const Samples mine = samples_slice(&shard->samples, first, range_size(positions));
        train_step(trainer, positions, &mine, status);
        epoch_shard_progress(next);
        first += mine.n;
    }
    if (!status->code) balance_end_window(&trainer->balance, &trainer->partition, trainer->job->log);
    return status->code;
}

/* The steps of an epoch that aren't done yet. The same status on every rank. */
static StatusCode train_steps(Trainer *trainer, Status *status) {
    begin_epoch(trainer);
    EpochShard next = fetch_samples(trainer, trainer->state.step);
    while (range_size(next.steps) > 0 && !status->code) {
        EpochShard shard = next;
        wait_for_samples(trainer, &shard);
        next = fetch_samples(trainer, shard.steps.end);
        train_window(trainer, &shard, &next, status);
        epoch_shard_free(&shard);
    }
    epoch_shard_free(&next);
    return status->code;
}

/* Says which epoch the model is of, and why the training ends early. */
static void log_best(const Trainer *trainer) {
    const TrainState *state = &trainer->state;
    Log *log = trainer->job->log;
    if (state->epoch < trainer->epochs)
        log_line(log, "stopped early: no epoch was better than epoch %lld (cnn.patience = %lld)",
                 (long long)state->best_epoch, (long long)trainer->options.patience);
    if (state->best)
        log_line(log, "the model is that of epoch %lld (cnn.keep)", (long long)state->best_epoch);
}

/* A validated epoch has ended. */
static void follow_best(Trainer *trainer, Validation valid) {
    const bool by_loss = trainer->options.best_by == CNN_BEST_BY_LOSS;
    if (trainer->state.follows_best)
        train_state_note_value(&trainer->state, trainer->state.epoch, by_loss ? -valid.loss : valid.accuracy);
}

/* Collective: the same status on every rank. */
static StatusCode end_epoch(Trainer *trainer, Status *status) {
    TrainState *state = &trainer->state;
    const double began_s = timer_now_s();
    const Validation valid = validate(trainer->job, state);
    const double validate_s = timer_now_s() - began_s;
    train_report_epoch_end(&trainer->report, state, valid);
    const double loss = state->loss_sum / (double)trainer->partition.samples,
                 accuracy = (double)state->correct / (double)trainer->partition.samples;
    progress_enter(comm_progress(trainer->job->comm), PROGRESS_CHECKPOINT, 0);
    state->epoch++;
    state->step = 0;
    state->loss_sum = 0;
    state->correct = 0;
    follow_best(trainer, valid);
    if (trainer_compare_ranks(trainer, status)) return status->code;
    const double waited_s = saver_take_waited_s(trainer->saver);
    metrics_add(trainer->job->metrics, "save_wait_s", waited_s);
    train_report_phases(&trainer->report, state, validate_s, waited_s);
    if (trainer_is_finished(trainer)) {
        if (state->follows_best) log_best(trainer);
        cnn_log_hint_of_result(&trainer->options, trainer->job, loss, accuracy, trainer_steps_done(trainer));
        return trainer_save(trainer, status);
    }
    trainer_save_if_due(trainer);
    return STATUS_OK;
}

/* Collective: the same status on every rank. */
static StatusCode run_epoch(Trainer *trainer, Status *status) {
    const int64_t epoch = trainer->state.epoch + 1;
    const double traced_s = trace_begin(main_trace(trainer));
    if (!train_steps(trainer, status)) end_epoch(trainer, status);
    trace_end(main_trace(trainer), TRACE_EPOCH, traced_s, epoch, 0);
    return status->code;
}

StatusCode cnn_train_check(const Config *config, ImageSpec spec, Status *status) {
    const CnnOptions options = cnn_options(config);
    int64_t batch = options.batch, micro_batch = options.micro_batch;
    if (micro_batch & (micro_batch - 1))
        return status_set(status, STATUS_USAGE, "cnn.micro_batch = %lld must be a power of two.",
                          (long long)micro_batch);
    if (divide_up(batch, micro_batch) > EXACT_SUM_MAX_TERMS)
        return status_set(status, STATUS_USAGE,
                          "cnn.batch = %lld makes more than %d micro-batches of cnn.micro_batch = %lld "
                          "images; use a larger micro-batch.",
                          (long long)batch, EXACT_SUM_MAX_TERMS, (long long)micro_batch);
    double weights[CLASSES_MAX];
    if (cnn_follows_best(&options) && run_options(config).valid == 0)
        return status_set(status, STATUS_USAGE,
                          "cnn.keep = best and cnn.patience need held-out images: set run.valid, such as "
                          "run.valid=5000.");
    if (class_weights_read("cnn.class_weights", options.class_weights, spec.classes, NULL, weights, status))
        return status->code;
    Network *net = mem_new(1, sizeof *net);
    network_parse(net, options.layers, spec, status);
    mem_free(net);
    return status->code;
}

StatusCode cnn_check_length(const Config *begun, const Config *config, Status *status) {
    if (cnn_options(begun).schedule == SCHEDULE_CONSTANT) return status->code;
    return status_set(
        status, STATUS_USAGE,
        "The run was begun with cnn.epochs = %s and can't end at %s: with cnn.schedule = %s the learning "
        "rate of every step depends on it. Begin a new run with the weights of this one (--init), or "
        "use --overwrite.",
        config_value(begun, "cnn.epochs"), config_value(config, "cnn.epochs"),
        config_value(begun, "cnn.schedule"));
}

/* A run that was stopped early (cnn.patience) stays so if it is made longer: its model only says how long it
 * might have been. Collective: the same status on every rank. */
static StatusCode run_epochs(Trainer *trainer, Status *status) {
    if (trainer_is_finished(trainer)) {
        log_best(trainer);
        return trainer_save(trainer, status);
    }
    while (!trainer_is_finished(trainer) && !run_epoch(trainer, status))
        continue;
    return status->code;
}

StatusCode cnn_train(TrainJob *job, Status *status) {
    Trainer *trainer = mem_new(1, sizeof *trainer);
    if (trainer_begin(trainer, job, status) == STATUS_OK) run_epochs(trainer, status);
    trainer_end(trainer);
    mem_free(trainer);
    return status->code;
}

/* The first steps of an epoch, without the very first: seconds of one. The same status on every rank. */
static StatusCode time_steps(Trainer *trainer, double *step_s, Status *status) {
    enum { WARM_UP = 1, TIMED = 4 };
    const int rank = comm_rank(trainer->job->comm);
    int64_t first = 0, timed = 0;
    double began_s = timer_now_s();
    begin_epoch(trainer);
    EpochShard shard = fetch_samples(trainer, 0);
    wait_for_samples(trainer, &shard);
    for (int64_t step = 0; step < smaller(shard.steps.end, WARM_UP + TIMED) && !status->code;
         step++, timed++) {
        const Range positions = epoch_rank_positions(&shard.partition, step, rank);
        const Samples mine = samples_slice(&shard.samples, first, range_size(positions));
        train_step(trainer, positions, &mine, status);
        first += mine.n;
        if (step + 1 == WARM_UP && shard.steps.end > WARM_UP) {
            comm_barrier(trainer->job->comm);
            began_s = timer_now_s();
            timed = -1;
        }
    }
    *step_s = comm_max(trainer->job->comm, timer_now_s() - began_s, NULL) / (double)timed;
    epoch_shard_free(&shard);
    return status->code;
}

static void add_times(const Trainer *trainer, double step_s, Output *output) {
    const double steps = (double)trainer->steps, epochs = (double)trainer->epochs;
    output_integer(output, "epochs", "epochs", trainer->epochs);
    output_integer(output, "steps_per_epoch", "steps an epoch", trainer->steps);
    output_integer(
        output, "micro_batches_per_step", "micro-batches a step",
        divide_up(smaller(trainer->options.batch, trainer->partition.samples), trainer->options.micro_batch));
    output_real(output, "step_s", "seconds a step", step_s, "%.4f");
    output_real(output, "epoch_s", "seconds an epoch", step_s * steps, "%.1f");
    output_real(output, "training_s", "seconds in all, without validation and saving",
                step_s * steps * epochs, "%.0f");
}

/* What saving takes on rank 0: a copy of what is saved, the file, which is built in memory, and its check. */
static int64_t saving_bytes(const TrainState *state) {
    const int64_t arrays = 2 + (state->average != NULL) + (state->best != NULL);
    return 3 * arrays * state->net->parameters * (int64_t)sizeof *state->params;
}

StatusCode cnn_rehearse(TrainJob *job, Output *output, int64_t *bytes, Status *status) {
    Trainer *trainer = mem_new(1, sizeof *trainer);
    double step_s = 0;
    *bytes = 0;
    if (trainer_begin(trainer, job, status) == STATUS_OK &&
        time_steps(trainer, &step_s, status) == STATUS_OK) {
        *bytes = saving_bytes(&trainer->state);
        add_times(trainer, step_s, output);
        if (output_format(output) != OUTPUT_TEXT)
            network_list(&trainer->net, output); /* people see the log */
    }
    trainer_end(trainer);
    mem_free(trainer);
    return status->code;
}
