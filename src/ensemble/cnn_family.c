#include "ensemble/cnn_family.h"

#include "cnn/cnn_bench.h"
#include "cnn/cnn_options.h"
#include "cnn/network.h"
#include "cnn/predict.h"
#include "cnn/state.h"
#include "cnn/train.h"
#include "ensemble/cnn_onnx.h"
#include "ensemble/ensemble_options.h"
#include "ensemble/member_files.h"
#include "ensemble/members.h"
#include "ensemble/members_config.h"

#include "core/mem.h"
#include "model/draw.h"
#include "model/model_npz.h"
#include "model/run_options.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    int members, shifts;    /* shifts: cnn.test_shifts */
    Network **nets;         /* [members] */
    Predictor **predictors; /* [members] */
    char **preprocess;      /* [members] in which their images are preprocessed */
} CnnModel;

static void destroy_model(Model *opened) {
    CnnModel *model = opened->state;
    if (!model) return;
    for (int m = 0; m < model->members; m++) {
        predictor_free(&model->predictors[m]);
        mem_free(model->nets[m]);
        mem_free(model->preprocess[m]);
    }
    mem_free(model->nets);
    mem_free(model->predictors);
    mem_free(model->preprocess);
    mem_free(model);
    opened->state = NULL;
}

static Predictor *load_predictor(const H5File *file, const char *root, const Network *net, Status *status) {
    Predictor *predictor = NULL;
    float *params = mem_new((size_t)net->param_floats, sizeof *params);
    float *statistics = mem_new((size_t)net->statistic_floats, sizeof *statistics);
    if (!train_state_read_model(file, root, net, params, statistics, status))
        predictor = predictor_new(net, params, statistics);
    mem_free(statistics);
    mem_free(params);
    return predictor;
}

/* Member m of the configuration becomes the model's next one. */
static StatusCode load_member(CnnModel *model, const Model *opened, const char *root, int m, Status *status) {
    const Config *config = opened->config;
    char preprocess[MEMBER_PREPROCESS];
    Network *net = members_network(config, opened->spec, m, status);
    Predictor *predictor = net ? load_predictor(opened->file, root, net, status) : NULL;
    if (!predictor) {
        mem_free(net);
        return status->code;
    }
    model->nets[model->members] = net;
    model->preprocess[model->members] = mem_text(members_preprocess(config, m, preprocess));
    model->predictors[model->members++] = predictor;
    return status->code;
}

static StatusCode load_members(CnnModel *model, const Model *opened, Status *status) {
    const H5File *file = opened->file;
    const Config *config = opened->config;
    int64_t count;
    if (members_count(file, config, &count, status)) return status->code;
    model->nets = mem_new((size_t)count, sizeof *model->nets);
    model->predictors = mem_new((size_t)count, sizeof *model->predictors);
    model->preprocess = mem_new((size_t)count, sizeof *model->preprocess);
    for (int m = 0; m < ensemble_options(config).members && model->members < count && !status->code; m++) {
        char root[MEMBER_ROOT];
        members_root(config, m, root);
        if (h5_exists(file, root)) /* else its training isn't finished */
            load_member(model, opened, root, m, status);
    }
    if (model->members < count)
        status_set(status, STATUS_FAILED, "%s lacks members that it says it holds: the file is damaged.",
                   h5_path(file));
    return status->code;
}

static StatusCode load_model(Model *opened, const Context *context, Status *status) {
    CnnModel *model = opened->state = mem_new(1, sizeof *model);
    model->shifts = (int)cnn_options(opened->config).test_shifts;
    if (members_check(opened->config, opened->spec, status) == STATUS_OK) load_members(model, opened, status);
    return comm_agree(context->comm, status);
}

static bool is_ensemble(const Model *model) {
    return ensemble_options(model->config).members > 1;
}

static int count_members(const Model *opened) {
    const CnnModel *model = opened->state;
    return model->members;
}

static void predict_by_members(const Model *opened, const Context *context, const ModelImages *images,
                               Prediction *out, float *probabilities) {
    const CnnModel *model = opened->state;
    const Comm *comm = context->comm;
    const int64_t n = images->set.n, chunks = predict_chunks(n), members = model->members;
    const int64_t values = PREDICT_CHUNK * (int64_t)opened->spec.classes; /* probabilities of a chunk */
    Prediction *whole = mem_new((size_t)(chunks * members) * PREDICT_CHUNK, sizeof *whole);
    float *all = probabilities ? mem_new((size_t)(chunks * values), sizeof *all) : NULL;
    const Ensemble ensemble = {model->members, model->shifts, model->predictors, model->preprocess};
    ensemble_predict(&ensemble, context->threads, images->set.images, n,
                     partition_range(chunks, comm_size(comm), comm_rank(comm)),
                     (ChunkPredictions){whole, all});
    comm_share_rows(comm, whole, chunks, members * PREDICT_CHUNK * (int64_t)sizeof *whole);
    for (int64_t m = 0; m < members; m++)
        for (int64_t i = 0; i < n; i++)
            out[m * n + i] = whole[(i / PREDICT_CHUNK * members + m) * PREDICT_CHUNK + i % PREDICT_CHUNK];
    if (all) {
        comm_share_rows(comm, all, chunks, values * (int64_t)sizeof *all);
        memcpy(probabilities, all, (size_t)(n * opened->spec.classes) * sizeof *all);
    }
    mem_free(all);
    mem_free(whole);
}

static void predict_images(const Model *opened, const Context *context, const ModelImages *images,
                           Prediction *out, float *probabilities) {
    const int64_t members = count_members(opened), n = images->set.n;
    Prediction *all = mem_new((size_t)(members * n), sizeof *all);
    predict_by_members(opened, context, images, all, probabilities);
    memcpy(out, all + (members - 1) * n, (size_t)n * sizeof *out);
    mem_free(all);
}

static void describe_model(const Model *model, char *text, int size) {
    const H5File *file = model->file;
    const Config *config = model->config;
    Status ignored = {0};
    Network *net = members_network(config, model->spec, 0, &ignored);
    int64_t members = ensemble_options(config).members, done = 0, all = members;
    const char *what = "members";
    if (members > 1) {
        h5_get_i64(file, "/state", "members", &done, &ignored);
    } else {
        h5_get_i64(file, "/state", "epoch", &done, &ignored);
        all = cnn_options(config).epochs;
        what = "epochs";
    }
    if (!net) return;
    snprintf(text, (size_t)size,
             "%d layers, %lld parameters, %lld multiply-adds an image%s, %lld of %lld %s trained",
             net->layer_count, (long long)net->parameters, (long long)net->multiply_adds,
             *ensemble_options(config).member_layers ? " (the first member)" : "", (long long)done,
             (long long)all, what);
    mem_free(net);
}

/* With which seed each member can be trained alone, and which are there: one that diverged isn't, nor one
 * that isn't trained yet. */
static void list_members(const Model *model, Output *output) {
    const int64_t members = ensemble_options(model->config).members;
    const uint32_t seed = (uint32_t)run_options(model->config).seed;
    char root[MEMBER_ROOT];
    if (members == 1) return;
    output_begin(output, "members", "members", OUTPUT_TABLE);
    for (int m = 0; m < members; m++) {
        output_record(output);
        output_integer(output, "member", "member", m + 1);
        output_integer(output, "seed", "run.seed", members_seed(seed, m));
        members_root(model->config, m, root);
        output_bool(output, "in_model", "in the model", h5_exists(model->file, root));
    }
    output_end(output);
}

/* Of an ensemble whose members differ, the first one's. */
static void list_layers(const Model *model, Output *output) {
    list_members(model, output);
    Status ignored = {0};
    Network *net = members_network(model->config, model->spec, 0, &ignored);
    if (net) network_list(net, output);
    mem_free(net);
}

static StatusCode draw(const Model *model, const char *path, Log *log, Status *status) {
    (void)log;
    static const char *const filters[] = {"/model/conv1/weight", "/model/members/0/conv1/weight"};
    for (int i = 0; i < 2; i++)
        if (h5_exists(model->file, filters[i]))
            return draw_filters(model->file, filters[i], model->spec, path, status);
    return status_set(status, STATUS_USAGE, "%s has no convolution that can be drawn: omit --out.",
                      h5_path(model->file));
}

static StatusCode check_length(const Config *begun, const Config *config, Status *status) {
    if (ensemble_options(begun).members > 1)
        return status_set(
            status, STATUS_USAGE,
            "An ensemble can't be trained for other cnn.epochs: its model holds no optimiser state; "
            "use --overwrite.");
    return cnn_check_length(begun, config, status);
}

/* Of a training: a model can't hold more members than it trains. */
static StatusCode check_training(const Config *config, ImageSpec spec, Status *status) {
    const int64_t members = ensemble_options(config).members, used = ensemble_options(config).use_members;
    if (used > members)
        return status_set(status, STATUS_USAGE,
                          "cnn.use_members = %lld, but cnn.members = %lld: use that many at most.",
                          (long long)used, (long long)members);
    return members_check(config, spec, status);
}

static const ModelExporter exporters[] = {{"onnx", cnn_onnx_write, NULL}, {"npz", model_npz_write, NULL}};

static const char *const use_keys[] = {"cnn.test_shifts", "cnn.use_members", NULL};

const ModelFamily cnn_family = {.name = "cnn",
                                .check = check_training,
                                .train = members_train,
                                .rehearse = members_rehearse,
                                .takes_init = true,
                                .length_key = "cnn.epochs",
                                .check_length = check_length,
                                .load = load_model,
                                .predict = predict_images,
                                .describe = describe_model,
                                .list_layers = list_layers,
                                .destroy = destroy_model,
                                .is_ensemble = is_ensemble,
                                .use_keys = use_keys,
                                .members_key = "cnn.use_members",
                                .members = count_members,
                                .predict_by_members = predict_by_members,
                                .draw = draw,
                                .remove_leftovers = member_files_remove_all,
                                .move_leftovers = member_files_move,
                                .has_leftovers = member_files_exist,
                                .leftover_builds = member_files_builds,
                                .exporter_count = 2,
                                .exporters = exporters,
                                .bench_count = CNN_BENCHES,
                                .benches = cnn_benches};
