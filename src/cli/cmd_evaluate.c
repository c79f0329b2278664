#include "cli/cli.h"

#include "core/mem.h"
#include "core/timer.h"
#include "model/confusion.h"
#include "store/dataset.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const char *data, *split;
    bool json, some_members; /* --members is given */
    Settings settings;
} EvaluateArguments;

typedef struct {
    Confusion confusion;
    double seconds, confidence; /* of prediction; the mean of all images */
    int members;                /* of an ensemble; otherwise 1 */
    int64_t *correct;           /* [members] by the first 1, 2, ... of them */
} Evaluation;

static int count_members(const Model *model) {
    return model->family->members ? model->family->members(model) : 1;
}

/* Counts what predictions [members][n] get right. */
static void count_predictions(const Prediction *predictions, int members, const ImageSet *set,
                              Evaluation *result) {
    const Prediction *all = predictions + (members - 1) * set->n;
    result->members = members;
    result->correct = mem_new((size_t)members, sizeof *result->correct);
    for (int m = 0; m < members; m++)
        result->correct[m] = confusion_count(predictions + m * set->n, set->labels, set->n).correct;
    result->confusion = confusion_count(all, set->labels, set->n);
    for (int64_t i = 0; i < set->n; i++)
        result->confidence += (double)all[i].confidence / (double)set->n;
}

/* result->correct is freed by the caller. Collective. */
static StatusCode evaluate(const EvaluateArguments *arguments, const Context *context, const Model *model,
                           Evaluation *result, Status *status) {
    const char *part = NULL;
    Range rows = {0};
    ImageSet set = {0};
    ModelImages images = {0};
    if (split_rows(arguments->data, arguments->split, context->comm, model->config, &part, &rows, status))
        return status->code;
    if (dataset_read(arguments->data, part, rows, context->comm, &set, status)) return status->code;
    if (model_images_create(model, &set, &images, status)) {
        model_images_free(&images);
        return status->code;
    }
    const int members = count_members(model);
    Prediction *predictions = mem_new((size_t)(members * images.set.n), sizeof *predictions);
    comm_barrier(context->comm);
    double started_s = timer_now_s();
    (members > 1 ? model->family->predict_by_members : model->family->predict)(model, context, &images,
                                                                               predictions);
    result->seconds = comm_max(context->comm, timer_now_s() - started_s, NULL);
    count_predictions(predictions, members, &images.set, result);
    mem_free(predictions);
    model_images_free(&images);
    return status->code;
}

static void print_json(const EvaluateArguments *arguments, const Context *context, const char *path,
                       const Model *model, const Evaluation *result) {
    const Confusion *confusion = &result->confusion;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "model", path);
    cJSON_AddStringToObject(object, "family", model->family->name);
    cJSON_AddStringToObject(object, "split", arguments->split);
    cJSON_AddNumberToObject(object, "n", (double)confusion->n);
    cJSON_AddNumberToObject(object, "correct", (double)confusion->correct);
    cJSON_AddNumberToObject(object, "accuracy", confusion_accuracy(confusion));
    cJSON_AddNumberToObject(object, "mean_confidence", result->confidence);
    cJSON_AddNumberToObject(object, "seconds", result->seconds);
    cJSON_AddNumberToObject(object, "ranks", comm_size(context->comm));
    cJSON_AddNumberToObject(object, "threads", context->threads);
    cJSON *matrix = cJSON_AddArrayToObject(object, "confusion");
    for (int label = 0; label < CLASSES; label++) {
        cJSON *row = cJSON_CreateArray();
        for (int predicted = 0; predicted < CLASSES; predicted++)
            cJSON_AddItemToArray(row, cJSON_CreateNumber((double)confusion->counts[label][predicted]));
        cJSON_AddItemToArray(matrix, row);
    }
    cJSON *by_members = result->members > 1 ? cJSON_AddArrayToObject(object, "correct_by_members") : NULL;
    for (int m = 0; by_members && m < result->members; m++)
        cJSON_AddItemToArray(by_members, cJSON_CreateNumber((double)result->correct[m]));
    char *text = cJSON_PrintUnformatted(object);
    puts(text);
    cJSON_free(text);
    cJSON_Delete(object);
}

static void print_head(void) {
    printf("%-6s %8s %8s %11s %8s  %-32s %s\n", "model", "images", "correct", "accuracy", "seconds", "file",
           "about");
}

static void print_row(const char *path, const Model *model, const Evaluation *result) {
    const Confusion *confusion = &result->confusion;
    char about[128] = "";
    model->family->describe(model, about, sizeof about);
    printf("%-6s %8lld %8lld %9.2f %% %8.2f  %-32s %s\n", model->family->name, (long long)confusion->n,
           (long long)confusion->correct, 100 * confusion_accuracy(confusion), result->seconds, path, about);
}

static void print_members(const Evaluation *result) {
    printf("\n%-8s %8s %11s\n", "members", "correct", "accuracy");
    for (int m = 0; m < result->members; m++)
        printf("%7d  %8lld %9.2f %%\n", m + 1, (long long)result->correct[m],
               100 * (double)result->correct[m] / (double)result->confusion.n);
}

static void print_confusion(const Confusion *confusion, double confidence) {
    printf("\ntrue \\ predicted\n     ");
    for (int predicted = 0; predicted < CLASSES; predicted++)
        printf("%7d", predicted);
    for (int label = 0; label < CLASSES; label++) {
        printf("\n%4d ", label);
        for (int predicted = 0; predicted < CLASSES; predicted++)
            printf("%7lld", (long long)confusion->counts[label][predicted]);
    }
    printf("\n\nmean confidence %.2f %%\n", 100 * confidence);
}

static StatusCode evaluate_file(const EvaluateArguments *arguments, const Context *context, const char *path,
                                bool first, bool alone, Status *status) {
    Model model = {0};
    Evaluation result = {0};
    if (!model_open(context, &model_families, path, &arguments->settings, &model, status) &&
        arguments->some_members && config_int(model.config, "cnn.members") == 1)
        status_set(status, STATUS_USAGE, "%s is no ensemble: leave --members away.", path);
    if (!status->code && !evaluate(arguments, context, &model, &result, status) &&
        comm_rank(context->comm) == 0) {
        if (arguments->json) {
            print_json(arguments, context, path, &model, &result);
        } else {
            if (first) print_head();
            print_row(path, &model, &result);
            if (alone && result.members > 1) print_members(&result);
            if (alone) print_confusion(&result.confusion, result.confidence);
        }
        finish_output(status);
    }
    mem_free(result.correct);
    model_close(&model);
    return comm_agree(context->comm, status);
}

/* --members as a setting; refused before any model is opened. */
static StatusCode take_members(const char *members, char setting[64], EvaluateArguments *arguments,
                               Status *status) {
    Config *config = config_create(&model_families.keys);
    if (!config_set_value(config, "cnn.use_members", members, "--members", status)) {
        snprintf(setting, 64, "cnn.use_members=%lld", (long long)config_int(config, "cnn.use_members"));
        settings_take(&arguments->settings, setting, status);
        arguments->some_members = true;
    }
    config_destroy(&config);
    return status->code;
}

StatusCode cmd_evaluate(const Context *context, int argc, char **argv, Status *status) {
    EvaluateArguments arguments = {.data = DEFAULT_DATA, .split = "test", .settings = settings_new(argc)};
    const char *members = NULL;
    char use_members[64];
    const Option options[] = {{.name = "data", .value = &arguments.data},
                              {.name = "split", .value = &arguments.split},
                              {.name = "json", .flag = &arguments.json},
                              {.name = "members", .value = &members},
                              {.name = "set", .take = settings_take, .context = &arguments.settings},
                              {0}};
    int models = 0;
    if (!options_parse(argc, argv, options, 1, argc, &models, status) && strcmp(arguments.split, "train") &&
        strcmp(arguments.split, "valid") && strcmp(arguments.split, "test"))
        status_set(status, STATUS_USAGE, "--split %s isn't one of train, valid, test.", arguments.split);
    if (members) take_members(members, use_members, &arguments, status);
    for (int i = 0; i < models && !status->code; i++)
        evaluate_file(&arguments, context, argv[1 + i], i == 0, models == 1, status);
    mem_free(arguments.settings.items);
    return status->code;
}
