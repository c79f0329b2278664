#include "cli/check_output.h"
#include "cli/cli.h"
#include "cli/dataset_survey.h"
#include "cli/evaluate_summary.h"
#include "cli/options.h"
#include "cli/settings.h"
#include "cli/split.h"

#include "core/mem.h"
#include "core/timer.h"
#include "ensemble/families.h"
#include "model/confusion.h"
#include "model/open_model.h"
#include "report/predictions_file.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    const char *data, *split;   /* data NULL: the one that the model was trained on */
    const char *predictions;    /* a file for the prediction of each image; NULL: none */
    bool summary, some_members; /* --members is given */
    OutputFormat format;
    Settings settings;
} EvaluateArguments;

typedef struct {
    RunKind kind; /* for --summary */
    char about[128], *path;
    char *data;    /* the path of the dataset */
    int64_t first; /* the row of the first image in its part of the dataset */
    Confusion confusion;
    double seconds, confidence; /* of prediction; the mean of all images */
    int members;                /* of an ensemble; otherwise 1 */
    int64_t *correct;           /* [members] by the first 1, 2, ... of them */
} Evaluation;

#define FEW_RECOGNISED 0.5 /* of the images: then they may be unlike those that the model knows */

static void evaluation_free(Evaluation *result) {
    confusion_free(&result->confusion);
    run_kind_free(&result->kind);
    mem_free(result->correct);
    mem_free(result->path);
    mem_free(result->data);
}

/* Counts what predictions [members][n] get right. */
static void count_predictions(const Prediction *predictions, int members, const ImageSet *set,
                              Evaluation *result) {
    const Prediction *all = predictions + (members - 1) * set->n;
    result->members = members;
    result->correct = mem_new((size_t)members, sizeof *result->correct);
    for (int m = 0; m < members; m++)
        result->correct[m] = count_correct(predictions + m * set->n, set->labels, set->n);
    result->confusion = confusion_count(all, set->labels, set->n, set->spec.classes);
    for (int64_t i = 0; i < set->n; i++)
        result->confidence += (double)all[i].confidence;
    result->confidence /= (double)set->n; /* at the end: a mean of ones is 1 */
}

/* What a model says about n images. */
typedef struct {
    int members;
    Prediction *by_members; /* [members][n]: what the first 1, 2, ... of them say together */
    float *probabilities;   /* [n][classes], where they are wanted and there are any; or NULL */
    double *decisions;      /* [n][decision_count], likewise */
} Predictions;

static Predictions predictions_new(const Model *model, int64_t n, bool whole) {
    const ModelFamily *family = model->family;
    const bool has_probabilities = !family->has_probabilities || family->has_probabilities(model);
    Predictions all = {.members = family->members ? family->members(model) : 1};
    all.by_members = mem_new((size_t)(all.members * n), sizeof *all.by_members);
    if (whole && has_probabilities)
        all.probabilities = mem_new((size_t)(n * model->spec.classes), sizeof *all.probabilities);
    else if (whole && family->decide)
        all.decisions = mem_new((size_t)(n * family->decision_count(model)), sizeof *all.decisions);
    return all;
}

static void predictions_free(Predictions *all) {
    mem_free(all->by_members);
    mem_free(all->probabilities);
    mem_free(all->decisions);
}

/* Collective. */
static void predict(const Model *model, const Context *context, const ModelImages *images, Predictions *all) {
    const ModelFamily *family = model->family;
    if (all->decisions)
        family->decide(model, context, images, all->by_members, all->decisions);
    else
        (all->members > 1 ? family->predict_by_members
                          : family->predict)(model, context, images, all->by_members, all->probabilities);
}

/* Rank 0 writes the file of --predictions. */
static StatusCode write_predictions(const EvaluateArguments *arguments, const Model *model,
                                    const Evaluation *result, const ImageSet *set, const Predictions *all,
                                    Status *status) {
    return predictions_file_write(arguments->predictions,
                                  &(PredictionRows){.model = model,
                                                    .data = result->data,
                                                    .split = arguments->split,
                                                    .first = result->first,
                                                    .n = set->n,
                                                    .labels = set->labels,
                                                    .best = all->by_members + (all->members - 1) * set->n,
                                                    .probabilities = all->probabilities,
                                                    .decisions = all->decisions},
                                  status);
}

/* What the model says of images. Collective. */
static StatusCode predict_all(const EvaluateArguments *arguments, const Context *context, const Model *model,
                              ImageSet *set, Evaluation *result, Status *status) {
    ModelImages images = {0};
    if (!model_images_create(model, set, &images, status)) {
        Predictions all = predictions_new(model, images.set.n, arguments->predictions != NULL);
        progress_enter(comm_progress(context->comm), PROGRESS_PREDICTION, 0);
        comm_barrier(context->comm);
        double started_s = timer_now_s();
        predict(model, context, &images, &all);
        result->seconds = comm_max(context->comm, timer_now_s() - started_s, NULL);
        count_predictions(all.by_members, all.members, &images.set, result);
        if (arguments->predictions && comm_rank(context->comm) == 0)
            write_predictions(arguments, model, result, &images.set, &all, status);
        predictions_free(&all);
    }
    model_images_free(&images);
    return status->code;
}

/* Collective. */
static StatusCode evaluate(const EvaluateArguments *arguments, const Context *context, const Model *model,
                           Evaluation *result, Status *status) {
    SplitImages images;
    if (!split_read(&(Split){arguments->data, arguments->split, model}, context, &images, status)) {
        result->first = images.first;
        result->data = mem_text(images.data);
        if (arguments->summary) run_kind_find(&result->kind, model, &images.set, status);
        if (!comm_agree(context->comm, status)) {
            const Strangeness strange = strangeness_of(&images.set);
            predict_all(arguments, context, model, &images.set, result, status);
            if (!status->code && confusion_accuracy(&result->confusion) < FEW_RECOGNISED)
                hint_at_strange_images(context->log, arguments->split, &strange);
        }
    }
    split_images_free(&images);
    return comm_agree(context->comm, status);
}

/* The true classes and what they were taken for. */
static void add_confusion(Output *output, const Model *model, const Confusion *confusion) {
    char number[12];
    output_begin(output, "confusion_by_class", "true \\ predicted", OUTPUT_TABLE);
    for (int label = 0; label < confusion->classes; label++) {
        output_record(output);
        output_text(output, "class", "", class_name(&model->class_names, label, number));
        for (int predicted = 0; predicted < confusion->classes; predicted++) {
            const char *name = class_name(&model->class_names, predicted, number);
            output_integer(output, name, name, confusion->counts[label * confusion->classes + predicted]);
        }
    }
    output_end(output);
}

static void add_members(Output *output, const Evaluation *result) {
    output_begin(output, "members", "", OUTPUT_TABLE);
    for (int m = 0; m < result->members; m++) {
        output_record(output);
        output_integer(output, "members", "members", m + 1);
        output_integer(output, "correct", "correct", result->correct[m]);
        output_real(output, "accuracy_percent", "accuracy %",
                    100 * (double)result->correct[m] / (double)result->confusion.n, "%.2f");
    }
    output_end(output);
}

static void add_class_names(Output *output, const Model *model) {
    if (!model->class_names.names) return;
    output_begin(output, "classes", NULL, OUTPUT_TABLE);
    for (int c = 0; c < model->class_names.count; c++) {
        output_record(output);
        output_text(output, "name", NULL, model->class_names.names[c]);
    }
    output_end(output);
}

/* One model. What only programs want isn't shown to people; matrices come in the text for a model alone. */
static void add_evaluation(Output *output, const EvaluateArguments *arguments, const Context *context,
                           const Model *model, const Evaluation *result, bool alone) {
    const Confusion *confusion = &result->confusion;
    const bool json = arguments->format == OUTPUT_JSON, text = arguments->format == OUTPUT_TEXT;
    output_record(output);
    output_text(output, "family", "model", model->family->name);
    output_integer(output, "n", "images", confusion->n);
    output_integer(output, "correct", "correct", confusion->correct);
    output_real(output, "accuracy", NULL, confusion_accuracy(confusion), "%.4f");
    if (text) output_real(output, "percent", "accuracy %", 100 * confusion_accuracy(confusion), "%.2f");
    output_real(output, "mean_confidence", NULL, result->confidence, "%.4f");
    output_real(output, "seconds", "seconds", result->seconds, "%.2f");
    output_text(output, "model", "file", result->path);
    output_text(output, "data", NULL, result->data);
    output_text(output, "split", NULL, arguments->split);
    for (const char *const *key = model->family->use_keys; json && key && *key; key++)
        output_integer(output, strchr(*key, '.') + 1, NULL, config_int(model->config, *key));
    output_integer(output, "ranks", NULL, comm_size(context->comm));
    output_integer(output, "threads", NULL, context->threads);
    output_text(output, "about", "about", result->about);
    if (json) output_matrix(output, "confusion", confusion->counts, confusion->classes, confusion->classes);
    if (json && result->members > 1)
        output_integers(output, "correct_by_members", result->correct, result->members);
    if (json) add_class_names(output, model);
    if (text && alone && result->members > 1) add_members(output, result);
    if (text && alone) {
        add_confusion(output, model, confusion);
        output_note(output, "\nmean confidence %.2f %%\ndataset: %s, %s", 100 * result->confidence,
                    result->data, arguments->split);
    }
}

static StatusCode check_members(const EvaluateArguments *arguments, const Model *model, Status *status) {
    if (arguments->some_members && !(model->family->is_ensemble && model->family->is_ensemble(model)))
        status_set(status, STATUS_USAGE, "%s is not an ensemble; omit --members.", h5_path(model->file));
    return status->code;
}

static StatusCode evaluate_file(const EvaluateArguments *arguments, const Context *context, Output *output,
                                bool alone, Evaluation *result, Status *status) {
    Model model = {0};
    if (!model_open(context, &model_families, result->path, &arguments->settings, &model, status) &&
        !check_members(arguments, &model, status) && !evaluate(arguments, context, &model, result, status)) {
        if (alone) settings_hint_at_unused(&arguments->settings, model.config, context->log);
        model.family->describe(&model, result->about, sizeof result->about);
        if (!arguments->summary) add_evaluation(output, arguments, context, &model, result, alone);
    }
    model_close(&model);
    return comm_agree(context->comm, status);
}

/* The models that differ from the one at `first` by their seeds alone, itself among them, as a row. They are
 * counted once: done[]. */
static void add_summary(Output *output, const Evaluation *results, int first, int count, bool *done) {
    double *percents = mem_new((size_t)count, sizeof *percents);
    int n = 0;
    for (int i = first; i < count; i++) {
        if (done[i] || !run_kind_same(&results[first].kind, &results[i].kind)) continue;
        done[i] = true;
        percents[n++] = 100 * confusion_accuracy(&results[i].confusion);
    }
    output_summary(output, percents, n);
    output_text(output, "first", "first of them", results[first].path);
    output_text(output, "data", "dataset", results[first].data);
    output_text(output, "about", "about", results[first].about);
    mem_free(percents);
}

/* The key that --members sets: that of the family that has ensembles. */
static const char *find_members_key(void) {
    for (int f = 0; f < model_families.count; f++)
        if (model_families.items[f]->members_key) return model_families.items[f]->members_key;
    fatal("no family has ensembles");
}

/* --members as a setting; refused before any model is opened. */
static StatusCode take_members(const char *members, char setting[64], EvaluateArguments *arguments,
                               Status *status) {
    const char *key = find_members_key();
    for (int i = 0; i < arguments->settings.count; i++)
        if (setting_is_of(arguments->settings.items[i], key))
            return status_set(status, STATUS_USAGE,
                              "--members %s and --set %s say the same: give one of them.", members,
                              arguments->settings.items[i]);
    Config *config = config_create(&model_families.keys);
    if (!config_set_value(config, key, members, "--members", status) && !config_int(config, key))
        status_set(status, STATUS_USAGE, "--members %s: expected 1 or more; omit it for all members.",
                   members);
    if (!status->code) {
        snprintf(setting, 64, "%s=%.30s", key, config_value(config, key));
        settings_take(&arguments->settings, setting, status);
        arguments->some_members = true;
    }
    config_destroy(&config);
    return status->code;
}

/* Whether the file of --predictions can be written, before anything is computed. Collective. */
static StatusCode check_predictions(const EvaluateArguments *arguments, const Context *context, int models,
                                    char **paths, Status *status) {
    if (!arguments->predictions) return status->code;
    if (models > 1)
        return status_set(status, STATUS_USAGE,
                          "--predictions takes the predictions of one model, not of %d.", models);
    if (comm_rank(context->comm) == 0) predictions_file_check(arguments->predictions, status);
    if (comm_agree(context->comm, status)) return status->code;
    char *path = model_path_of(paths[0]);
    check_output(context, arguments->predictions,
                 predictions_file_is_hdf5(arguments->predictions) ? PREDICTIONS_FORMAT : NULL, 1, &path,
                 status);
    mem_free(path);
    return status->code;
}

/* A model that is named twice would count as two runs that don't differ. Collective. */
static StatusCode check_different(const EvaluateArguments *arguments, const Context *context, int models,
                                  char **paths, Status *status) {
    if (arguments->summary && comm_rank(context->comm) == 0)
        check_models_differ("--summary: ", models, paths, status);
    return comm_agree(context->comm, status);
}

/* Evaluates all models and prints. Collective. */
static StatusCode evaluate_all(const EvaluateArguments *arguments, const Context *context, int models,
                               char **paths, Status *status) {
    Output *output = output_create(arguments->format, OUTPUT_TABLE);
    Evaluation *results = mem_new((size_t)models, sizeof *results);
    bool *done = mem_new((size_t)models, sizeof *done);
    int evaluated = 0;
    for (; evaluated < models && !status->code; evaluated++) {
        results[evaluated].path = model_path_of(paths[evaluated]);
        evaluate_file(arguments, context, output, models == 1, &results[evaluated], status);
    }
    for (int i = 0; arguments->summary && !status->code && i < models; i++)
        if (!done[i]) add_summary(output, results, i, models, done);
    if (comm_rank(context->comm) == 0) output_print(output);
    for (int i = 0; i < evaluated; i++)
        evaluation_free(&results[i]);
    mem_free(done);
    mem_free(results);
    output_destroy(&output);
    return status->code;
}

static StatusCode cmd_evaluate(const Context *context, int argc, char **argv, Status *status) {
    EvaluateArguments arguments = {.split = "test", .settings = settings_new(argc)};
    const char *members = NULL;
    char use_members[64];
    const Option options[] = {{.name = "data", .value = &arguments.data},
                              {.name = "split", .value = &arguments.split},
                              {.name = "predictions", .value = &arguments.predictions},
                              {.name = "members", .value = &members},
                              {.name = "summary", .flag = &arguments.summary},
                              {.name = "set", .take = settings_take, .context = &arguments.settings},
                              OPTIONS_OF_FORMAT(&arguments.format),
                              {0}};
    static const char *const names[] = {"MODEL.h5 or the folder of a run"};
    const Operands wanted = {1, argc, names};
    int models = 0;
    if (!options_parse(argc, argv, options, &wanted, &models, status)) split_check(arguments.split, status);
    if (members) take_members(members, use_members, &arguments, status);
    if (!status->code) check_different(&arguments, context, models, argv + 1, status);
    if (!status->code) check_predictions(&arguments, context, models, argv + 1, status);
    if (!status->code) evaluate_all(&arguments, context, models, argv + 1, status);
    mem_free(arguments.settings.items);
    return status->code;
}

const Command command_evaluate = {
    .name = "evaluate",
    .run = cmd_evaluate,
    .usage = "evaluate MODEL.h5... [--data FILE.h5] [--split train|valid|test] [--members K] [--set "
             "section.key=value]... [--predictions FILE] [--summary] [--json | --csv]",
    .help = "Predicts all images of a part of the dataset and counts the correct ones. `seconds` is "
            "prediction alone.\n"
            "For a single ensemble, a table shows how many its first 1, 2, ... members get right together;\n"
            "--json has this as correct_by_members for each ensemble. RUN stands for RUN/model.h5.\n"
            "  --data        the dataset; default: the one that the model was trained on\n"
            "  --split       the part of the dataset; default: test\n"
            "  --predictions writes what the model says about each image: FILE.csv, .npz, .h5 or .hdf5, by "
            "the ending\n"
            "  --summary     mean and deviation of the accuracy over models that differ only in their seed\n"
            "  --members     uses only the first K members of an ensemble\n"
            "  --set         changes a key that says how the model is used, such as cnn.test_shifts",
};
