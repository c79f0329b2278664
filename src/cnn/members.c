#include "members.h"

#include "network.h"
#include "state.h"
#include "train.h"

#include "pardigits/checkpoint.h"
#include "pardigits/images.h"
#include "pardigits/mem.h"
#include "pardigits/rng.h"
#include "pardigits/shard.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MEMBER_SETTING = 128 };

/* The keys that go round the members. */
static const char ways_key[] = "cnn.member_preprocess", layers_key[] = "cnn.member_layers",
                  settings_key[] = "cnn.member_settings";

uint32_t members_seed(uint32_t run_seed, int member) {
    uint32_t bits[4];
    rng_u32x4((RngKey){run_seed, RNG_MEMBER}, 0, (uint64_t)member, 0, bits);
    return member == 0 ? run_seed : bits[0];
}

/* Copies word `index` of a text, cut at size - 1 characters; false if it has fewer words. */
static bool copy_word(const char *text, int index, char *word, size_t size) {
    for (text += strspn(text, " "); *text && index > 0; index--) {
        text += strcspn(text, " ");
        text += strspn(text, " ");
    }
    snprintf(word, size, "%.*s", (int)strcspn(text, " "), text);
    return *text != 0;
}

static int count_words(const char *text) {
    char word[MEMBER_WAY];
    int count = 0;
    while (copy_word(text, count, word, sizeof word))
        count++;
    return count;
}

const char *members_preprocess(const Config *config, int member, char way[MEMBER_WAY]) {
    const char *ways = config_text(config, ways_key);
    const int count = count_words(ways);
    if (count == 0 || !copy_word(ways, member % count, way, MEMBER_WAY)) snprintf(way, MEMBER_WAY, "none");
    return way;
}

/* The text between the bars before and behind the item of that index; NULL if there are fewer. */
static char *copy_item(const char *text, int index) {
    for (; index > 0; index--) {
        text = strchr(text, '|');
        if (!text) return NULL;
        text++;
    }
    const size_t length = strcspn(text, "|");
    char *item = mem_new(length + 1, 1);
    memcpy(item, text, length);
    return item;
}

static int count_items(const char *text) {
    int count = *text != 0;
    for (; (text = strchr(text, '|')); text++)
        count++;
    return count;
}

/* What a key with bars between its items says of a member; NULL if it is empty. Freed by the caller. */
static char *member_item(const Config *config, const char *key, int member) {
    const char *text = config_text(config, key);
    return *text ? copy_item(text, member % count_items(text)) : NULL;
}

Network *members_network(const Config *config, int member, Status *status) {
    char *layers = member_item(config, layers_key, member);
    Network *net = mem_new(1, sizeof *net);
    if (network_parse(net, layers ? layers : config_text(config, "cnn.layers"), status)) mem_free(net);
    mem_free(layers);
    return status->code ? NULL : net;
}

/* Whether a member can have a key of its own. */
static bool is_own_key(const char *name) {
    size_t count;
    const ConfigKey *keys = config_keys(&count);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(keys[i].name, name))
            return keys[i].type != CONFIG_TEXT && keys[i].shapes_model && strcmp(name, "cnn.members") != 0;
    return false;
}

/* Whether one of the first `count` words of the settings sets this key, "cnn.epochs". */
static bool is_set_before(const char *settings, int count, const char *name) {
    char word[MEMBER_SETTING];
    const size_t length = strlen(name + 4);
    for (int i = 0; i < count && copy_word(settings, i, word, sizeof word); i++)
        if (!strncmp(word, name + 4, length) && word[length] == '=') return true;
    return false;
}

/* Sets a member's own keys of [cnn], written as epochs=12 elastic=0.8. */
static StatusCode set_own(Config *own, const char *settings, Status *status) {
    char word[MEMBER_SETTING], name[MEMBER_SETTING + 4];
    for (int i = 0; !status->code && copy_word(settings, i, word, sizeof word); i++) {
        const char *equals = strchr(word, '=');
        snprintf(name, sizeof name, "cnn.%.*s", (int)strcspn(word, "="), word);
        if (!equals || !is_own_key(name) || strlen(word) == sizeof word - 1)
            return status_set(
                status, STATUS_USAGE,
                "%s: %s isn't a key of [cnn] that a member can have of its own, with its value, "
                "such as epochs=12.",
                settings_key, word);
        if (is_set_before(settings, i, name))
            return status_set(status, STATUS_USAGE,
                              "%s: %s is set twice for a member; is a | missing between two members?",
                              settings_key, name);
        config_set_value(own, name, equals + 1, settings_key, status);
    }
    return status->code;
}

/* The configuration of the plain network that a member is. Destroyed by the caller. */
static Config *member_config(const Config *config, int member, Status *status) {
    Config *own = config_copy(config);
    char seed[32], way[MEMBER_WAY];
    snprintf(seed, sizeof seed, "%u", members_seed((uint32_t)config_int(config, "run.seed"), member));
    config_set_value(own, "run.seed", seed, "cnn.members", status);
    config_set_value(own, "cnn.members", "1", "cnn.members", status);
    if (*config_text(config, ways_key))
        config_set_value(own, "run.preprocess", members_preprocess(config, member, way), ways_key, status);
    char *layers = member_item(config, layers_key, member),
         *settings = member_item(config, settings_key, member);
    if (layers) config_set_value(own, "cnn.layers", layers, layers_key, status);
    if (settings) set_own(own, settings, status);
    config_set_value(own, ways_key, "", "cnn.members", status);
    config_set_value(own, layers_key, "", "cnn.members", status);
    config_set_value(own, settings_key, "", "cnn.members", status);
    mem_free(layers);
    mem_free(settings);
    return own;
}

static StatusCode check_count(const Config *config, const char *key, int count, Status *status) {
    const long long members = (long long)config_int(config, "cnn.members");
    if (status->code || count == 0) return status->code;
    if (members == 1)
        return status_set(status, STATUS_USAGE, "%s is for ensembles: set cnn.members to more than 1.", key);
    if (count > members)
        return status_set(status, STATUS_USAGE,
                          "%s has %d entries for %lld members: make it shorter, or set cnn.members to more.",
                          key, count, members);
    return status->code;
}

static StatusCode check_counts(const Config *config, Status *status) {
    check_count(config, layers_key, count_items(config_text(config, layers_key)), status);
    check_count(config, settings_key, count_items(config_text(config, settings_key)), status);
    check_count(config, ways_key, count_words(config_text(config, ways_key)), status);
    if (!status->code && *config_text(config, ways_key) &&
        strcmp(config_text(config, "run.preprocess"), "none") != 0)
        status_set(status, STATUS_USAGE,
                   "cnn.member_preprocess replaces run.preprocess: leave that at none.");
    return status->code;
}

StatusCode members_check(const Config *config, Status *status) {
    if (cnn_train_check(config, status) || check_counts(config, status)) return status->code;
    const int64_t members = config_int(config, "cnn.members");
    for (int m = 0; members > 1 && m < members && !status->code; m++) {
        Config *own = member_config(config, m, status);
        if (!status->code) cnn_train_check(own, status);
        config_destroy(&own);
    }
    return status->code;
}

void members_root(const Config *config, int member, char root[MEMBER_ROOT]) {
    if (config_int(config, "cnn.members") == 1)
        snprintf(root, MEMBER_ROOT, MODEL_ROOT);
    else
        snprintf(root, MEMBER_ROOT, MODEL_ROOT "/members/%d", member);
}

StatusCode members_count(const H5File *file, const Config *config, int64_t *count, Status *status) {
    int64_t all = config_int(config, "cnn.members"), held = 1, wanted = config_int(config, "cnn.use_members");
    if (all > 1 && h5_get_i64(file, "/state", "members", &held, status)) return status->code;
    *count = wanted ? wanted : held;
    if (held == 0)
        return status_set(
            status, STATUS_FAILED,
            "%s: none of its %lld members is trained yet; go on with `pardigits train --resume`.",
            h5_path(file), (long long)all);
    if (wanted > held)
        return status_set(status, STATUS_USAGE,
                          "cnn.use_members = %lld, but %s holds %lld trained members: use that many at most.",
                          (long long)wanted, h5_path(file), (long long)held);
    return STATUS_OK;
}

/* MODEL.member-<m>SUFFIX for the model MODEL.h5; freed by the caller. */
static char *member_path(const char *model_path, int member, const char *suffix) {
    size_t stem = strlen(model_path), size = stem + strlen(suffix) + 32;
    if (stem > 3 && !strcmp(model_path + stem - 3, ".h5")) stem -= 3;
    char *path = mem_new(size, 1);
    snprintf(path, size, "%.*s.member-%02d%s", (int)stem, model_path, member, suffix);
    return path;
}

/* The ensemble under way, as every rank sees it. */
typedef struct {
    TrainJob *job;
    int members;
    Comm *group;    /* the ranks that train with this one */
    Range mine;     /* the members that they train */
    ImageSet shard; /* this rank's rows among its group */
    StopWatch *watch;
} Ensemble;

/* The run's tables are those of a network, with a column `member` in front. */
static void open_metrics(const TrainJob *job) {
    for (int t = 0; t < TRAIN_TABLES; t++) {
        MetricsColumn columns[METRICS_MAX_COLUMNS] = {{"member", true, ""}};
        memcpy(columns + 1, train_tables[t].columns, (size_t)train_tables[t].count * sizeof *columns);
        metrics_table(job->metrics, train_tables[t].name, columns, train_tables[t].count + 1);
    }
}

static void ensemble_begin(Ensemble *ensemble, TrainJob *job) {
    int ranks = comm_size(job->comm), rank = comm_rank(job->comm);
    ensemble->job = job;
    ensemble->members = (int)config_int(job->config, "cnn.members");
    int groups = ranks < ensemble->members ? ranks : ensemble->members;
    int group = (int)partition_owner(ranks, groups, rank);
    ensemble->mine = partition_range(ensemble->members, groups, group);
    ensemble->group = comm_split(job->comm, group);
    ensemble->shard = shard_fetch(
        job->comm, job->train_count, &job->shard,
        partition_range(job->train_count, comm_size(ensemble->group), comm_rank(ensemble->group)));
    ensemble->watch = stop_watch_create(job->comm);
    open_metrics(job);
    log_line(job->log, "%d members, trained by %d group%s of ranks; this is what rank 0 trains",
             ensemble->members, groups, groups > 1 ? "s" : "");
}

/* The images as a member sees them, with the same labels. */
static ImageSet preprocessed(const ImageSet *set, const char *way) {
    ImageSet copy = *set;
    copy.images = mem_copy(set->images, (size_t)set->n * IMAGE_PIXELS);
    preprocess_images(way, copy.images, copy.n);
    return copy;
}

/* The group trains a member, or goes on with it. Collective in the group: the same status on all its ranks.
 */
static StatusCode train_member(const Ensemble *ensemble, int member, Status *status) {
    TrainJob job = *ensemble->job;
    char *model = member_path(job.model_path, member, ".h5"),
         *metrics = member_path(job.model_path, member, ".metrics.h5"), way[MEMBER_WAY];
    H5File *resume = NULL;
    bool complete = false;
    Config *config = member_config(job.config, member, status);
    job.comm = ensemble->group;
    job.config = config;
    job.model_path = model;
    members_preprocess(ensemble->job->config, member, way);
    job.shard = preprocessed(&ensemble->shard, way);
    job.valid = preprocessed(&ensemble->job->valid, way);
    job.watch = ensemble->watch;
    job.metrics = NULL;
    if (!checkpoint_open_newest(model, job.comm, &resume, status) && resume)
        checkpoint_is_complete(resume, &complete, status);
    if (!comm_agree(job.comm, status) && !complete) {
        job.resume = resume;
        log_line(job.log, "member %d of %d%s", member + 1, ensemble->members, resume ? ", resumed" : "");
        if (comm_rank(job.comm) == 0) metrics_open(&job.metrics, metrics, config, resume != NULL, status);
        if (!comm_agree(job.comm, status)) cnn_train(&job, status);
        metrics_destroy(&job.metrics);
    }
    Status ignored = {0};
    h5_close(&resume, &ignored);
    config_destroy(&config);
    mem_free(job.shard.images);
    mem_free(job.valid.images);
    mem_free(model);
    mem_free(metrics);
    return status->code;
}

/* Opens a member's file if it is there and complete; on the calling rank alone. */
static StatusCode open_complete(const char *path, H5File **file, Status *status) {
    bool complete = false;
    *file = NULL;
    if (access(path, F_OK) || h5_open(file, path, NULL, status)) return status->code;
    checkpoint_is_complete(*file, &complete, status);
    Status ignored = {0};
    if (!complete) h5_close(file, &ignored);
    return status->code;
}

/* Copies the network of member m from a file of its own. */
static StatusCode copy_member(const H5File *file, const Config *config, int m, H5File *out, Status *status) {
    char root[MEMBER_ROOT];
    Network *net = members_network(config, m, status);
    if (!net) return status->code;
    float *params = mem_new((size_t)net->param_floats, sizeof *params);
    float *statistics = mem_new((size_t)net->statistic_floats, sizeof *statistics);
    members_root(config, m, root);
    if (!train_state_read_model(file, MODEL_ROOT, net, params, statistics, status))
        train_state_write_model(out, root, net, params, statistics, status);
    mem_free(statistics);
    mem_free(params);
    mem_free(net);
    return status->code;
}

/* The CheckpointWriter of an ensemble (context: the Ensemble): copies the members that are complete. */
static StatusCode write_members(H5File *out, const void *context, Status *status) {
    const Ensemble *ensemble = context;
    int64_t count = 0;
    for (int m = 0; m < ensemble->members && !status->code; m++) {
        char *path = member_path(ensemble->job->model_path, m, ".h5");
        H5File *file;
        if (!open_complete(path, &file, status) && file) {
            copy_member(file, ensemble->job->config, m, out, status);
            h5_close(&file, status);
            count++;
        }
        mem_free(path);
    }
    return h5_set_i64(out, "/state", "members", count, status);
}

/* Appends a table of a member's metrics to the run's, with the member in front. */
static void merge_table(Metrics *metrics, const TrainTable *table, int member, const H5File *file) {
    char path[64];
    MetricsTable own;
    Status ignored = {0};
    snprintf(path, sizeof path, "/%s", table->name);
    if (metrics_read_table(file, path, &own, &ignored)) return;
    for (int64_t i = 0; i < own.rows && own.columns == table->count; i++) {
        double row[METRICS_MAX_COLUMNS] = {member};
        memcpy(row + 1, own.values + i * own.columns, (size_t)own.columns * sizeof *row);
        metrics_append(metrics, table->name, row);
    }
    metrics_free_table(&own);
}

/* Puts the metrics of all members together. On rank 0. */
static void merge_metrics(const Ensemble *ensemble) {
    Metrics *metrics = ensemble->job->metrics;
    for (int t = 0; t < TRAIN_TABLES; t++)
        metrics_cut(metrics, train_tables[t].name, 0);
    for (int m = 0; m < ensemble->members; m++) {
        char *path = member_path(ensemble->job->model_path, m, ".metrics.h5");
        H5File *file = NULL;
        Status ignored = {0};
        if (access(path, F_OK) == 0 && h5_open(&file, path, NULL, &ignored) == STATUS_OK)
            for (int t = 0; t < TRAIN_TABLES; t++)
                merge_table(metrics, &train_tables[t], m, file);
        h5_close(&file, &ignored);
        mem_free(path);
    }
}

static void remove_member_files(const Ensemble *ensemble) {
    for (int m = 0; m < ensemble->members; m++) {
        char *model = member_path(ensemble->job->model_path, m, ".h5"),
             *metrics = member_path(ensemble->job->model_path, m, ".metrics.h5");
        checkpoint_remove(model);
        checkpoint_remove(metrics);
        mem_free(model);
        mem_free(metrics);
    }
}

/* Writes the model of the members that are complete, and the metrics. Collective: all ranks agree. */
static StatusCode save_ensemble(const Ensemble *ensemble, bool complete, Status *status) {
    const TrainJob *job = ensemble->job;
    if (comm_rank(job->comm) == 0 && job->metrics) {
        merge_metrics(ensemble);
        metrics_flush(job->metrics, status);
    }
    if (comm_agree(job->comm, status)) return status->code;
    return checkpoint_save(job->model_path, job->comm, job->config, complete, write_members, ensemble,
                           status);
}

/* The members of all groups. Collective: all ranks agree. */
static StatusCode train_all(Ensemble *ensemble, Status *status) {
    for (int64_t m = ensemble->mine.begin; m < ensemble->mine.end && !status->code; m++)
        train_member(ensemble, (int)m, status);
    stop_watch_destroy(&ensemble->watch);
    return comm_agree(ensemble->job->comm, status);
}

static StatusCode train_ensemble(TrainJob *job, Status *status) {
    Ensemble ensemble = {0};
    ensemble_begin(&ensemble, job);
    /* a model without members marks the folder as this run's: what is left of another is removed first */
    if (!job->resume) {
        if (comm_rank(job->comm) == 0) remove_member_files(&ensemble);
        save_ensemble(&ensemble, false, status);
    }
    if (status->code) {
        stop_watch_destroy(&ensemble.watch);
    } else if (train_all(&ensemble, status) == STATUS_OK) {
        if (!save_ensemble(&ensemble, true, status) && comm_rank(job->comm) == 0)
            remove_member_files(&ensemble);
    } else if (status->code == STATUS_STOPPED) {
        Status saved = {0};
        if (save_ensemble(&ensemble, false, &saved)) *status = saved;
    }
    image_set_free(&ensemble.shard);
    comm_destroy(&ensemble.group);
    return status->code;
}

StatusCode members_train(TrainJob *job, Status *status) {
    return config_int(job->config, "cnn.members") == 1 ? cnn_train(job, status) : train_ensemble(job, status);
}
