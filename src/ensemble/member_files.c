#include "ensemble/member_files.h"

#include "cnn/state.h"
#include "cnn/train_report.h"
#include "ensemble/ensemble_options.h"
#include "ensemble/families.h"
#include "ensemble/members_config.h"

#include "core/mem.h"
#include "core/path.h"
#include "core/timer.h"
#include "model/run_options.h"
#include "store/atomic_file.h"
#include "store/checkpoint.h"
#include "store/kept_file.h"
#include "store/run_lock.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char member_model[] = ".h5", member_metrics[] = ".metrics.h5";

/* MODEL.member-; freed by the caller. */
static char *member_prefix(const char *model_path) {
    size_t stem = strlen(model_path), size = stem + sizeof ".member-";
    if (stem > 3 && !strcmp(model_path + stem - 3, ".h5")) stem -= 3;
    char *prefix = mem_new(size, 1);
    snprintf(prefix, size, "%.*s.member-", (int)stem, model_path);
    return prefix;
}

char *member_path(const char *model_path, int member, const char *suffix) {
    char *prefix = member_prefix(model_path);
    const size_t size = strlen(prefix) + strlen(suffix) + 16;
    char *path = mem_new(size, 1);
    snprintf(path, size, "%s%02d%s", prefix, member, suffix);
    mem_free(prefix);
    return path;
}

static int count_members(const Config *config) {
    return (int)ensemble_options(config).members;
}

/* A member's file if it is there, whole and complete, or else NULL. */
static H5File *open_complete(const char *path) {
    H5File *file = NULL;
    bool complete = false;
    Status ignored = {0};
    if (access(path, F_OK) || checkpoint_open_alone(&file, path, &ignored)) return NULL;
    checkpoint_is_complete(file, &complete, &ignored);
    if (!complete) h5_close(&file, &ignored);
    return file;
}

bool member_is_finished(const char *model_path, int member) {
    char *path = member_path(model_path, member, member_model);
    H5File *file = open_complete(path);
    const bool finished = file != NULL;
    Status ignored = {0};
    h5_close(&file, &ignored);
    mem_free(path);
    return finished;
}

/* Copies the network of member m from a file of its own. */
static StatusCode copy_member(const H5File *file, const Config *config, ImageSpec spec, int m, H5File *out,
                              Status *status) {
    char root[MEMBER_ROOT];
    Network *net = members_network(config, spec, m, status);
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

StatusCode member_files_copy(H5File *out, const Config *config, ImageSpec spec, const char *model_path,
                             const uint64_t *left_out, Status *status) {
    int64_t count = 0;
    run_lock_check(model_path, status); /* or they may be another run's */
    for (int m = 0; m < count_members(config) && !status->code; m++) {
        char *path = member_path(model_path, m, member_model);
        H5File *file = open_complete(path);
        if (file) {
            copy_member(file, config, spec, m, out, status);
            h5_close(&file, status);
            count++;
        } else if (left_out && !left_out[m]) {
            status_set(status, STATUS_FAILED,
                       "%s was lost or damaged after it was trained; run again with --resume to train that "
                       "member again.",
                       path);
        }
        mem_free(path);
    }
    return h5_set_i64(out, "/state", "members", count, status);
}

void member_tables_declare(Metrics *metrics) {
    for (int t = 0; t < TRAIN_TABLES; t++) {
        MetricsColumn columns[METRICS_MAX_COLUMNS] = {{"member", METRICS_COUNT, ""}};
        memcpy(columns + 1, train_tables[t].columns, (size_t)train_tables[t].count * sizeof *columns);
        metrics_table(metrics, train_tables[t].name, columns, train_tables[t].count + 1);
    }
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
        metrics_take_row(metrics, &own, i, row + 1);
        metrics_append(metrics, table->name, row);
    }
    metrics_free_table(&own);
}

void member_tables_merge(Metrics *metrics, const Config *config, const char *model_path) {
    for (int t = 0; t < TRAIN_TABLES; t++)
        metrics_cut(metrics, train_tables[t].name, 0);
    for (int m = 0; m < count_members(config); m++) {
        char *path = member_path(model_path, m, member_metrics);
        H5File *file = NULL;
        Status ignored = {0};
        if (access(path, F_OK) == 0 && h5_open(&file, path, &ignored) == STATUS_OK)
            for (int t = 0; t < TRAIN_TABLES; t++)
                merge_table(metrics, &train_tables[t], m, file);
        h5_close(&file, &ignored);
        mem_free(path);
    }
}

void member_files_remove(const Config *config, const char *model_path) {
    const char *const suffixes[] = {member_model, member_metrics};
    for (int m = 0; m < count_members(config); m++)
        for (int i = 0; i < 2; i++) {
            char *path = member_path(model_path, m, suffixes[i]);
            checkpoint_remove(path);
            mem_free(path);
        }
}

/* A file in the folder of a model: MODEL.member-REST, or what a writer left of one that wasn't whole. */
typedef struct {
    int folder;
    const char *name, *rest;
    bool temporary;
} MemberFile;

static bool ends_with(const char *name, const char *ending) {
    const size_t length = strlen(name), of_ending = strlen(ending);
    return length >= of_ending && !strcmp(name + length - of_ending, ending);
}

/* Whether it was set aside, and a sentence said that it is kept. */
static bool is_kept(const MemberFile *file) {
    return !file->temporary && (kept_file_is(file->rest, "damaged") || kept_file_is(file->rest, "other"));
}

/* Those of members of any ensemble that was trained to this model, but not what is kept. */
static void visit_files(const char *model_path, void (*visit)(const MemberFile *file, void *context),
                        void *context) {
    char *folder = path_folder(model_path), *prefix = member_prefix(model_path);
    const char *name = path_name(prefix);
    const size_t length = strlen(name);
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        const bool temporary = entry->d_name[0] == '.' && name[0] != '.';
        const char *rest = entry->d_name + temporary;
        if (strncmp(rest, name, length)) continue;
        const MemberFile file = {dirfd(entries), entry->d_name, rest + length, temporary};
        if (!is_kept(&file)) visit(&file, context);
    }
    if (entries) closedir(entries);
    mem_free(prefix);
    mem_free(folder);
}

static void remove_file(const MemberFile *file, void *context) {
    (void)context;
    unlinkat(file->folder, file->name, 0);
}

void member_files_remove_all(const char *model_path) {
    visit_files(model_path, remove_file, NULL);
}

static void note_model(const MemberFile *file, void *context) {
    bool *any = context;
    *any = *any || (!file->temporary && ends_with(file->rest, member_model) &&
                    !ends_with(file->rest, member_metrics));
}

typedef struct {
    int member; /* -1: none yet */
    struct timespec written;
} Newest;

static void note_metrics(const MemberFile *file, void *context) {
    Newest *newest = context;
    struct stat facts;
    int length = 0, member;
    if (file->temporary || sscanf(file->rest, "%d%n", &member, &length) != 1 ||
        strcmp(file->rest + length, member_metrics) || fstatat(file->folder, file->name, &facts, 0))
        return;
    if (newest->member >= 0 && timespec_before(facts.st_mtim, newest->written)) return;
    *newest = (Newest){member, facts.st_mtim};
}

char *member_files_newest_metrics(const char *model_path, int *member) {
    Newest newest = {.member = -1};
    visit_files(model_path, note_metrics, &newest);
    *member = newest.member;
    return newest.member < 0 ? NULL : member_path(model_path, newest.member, member_metrics);
}

bool member_files_exist(const char *model_path) {
    bool any = false;
    visit_files(model_path, note_model, &any);
    return any;
}

typedef struct {
    char *prefix;
    bool failed;
} Move;

static void move_file(const MemberFile *file, void *context) {
    Move *move = context;
    const size_t size = strlen(move->prefix) + strlen(file->rest) + 1;
    char *path = mem_new(size, 1);
    snprintf(path, size, "%s%s", move->prefix, file->rest);
    if (file->temporary)
        unlinkat(file->folder, file->name, 0);
    else if (renameat(file->folder, file->name, AT_FDCWD, path))
        move->failed = true;
    mem_free(path);
}

bool member_files_move(const char *model_path, const char *to) {
    Move move = {member_prefix(to), false};
    visit_files(model_path, move_file, &move);
    mem_free(move.prefix);
    return !move.failed;
}

/* The newest of a member's checkpoint and its previous copy that is whole, which it goes on from, or NULL. */
static H5File *open_newest(const char *path) {
    char *previous = atomic_file_previous(path);
    const char *const candidates[] = {path, previous};
    H5File *file = NULL;
    for (int i = 0; i < 2 && !file; i++) {
        Status ignored = {0};
        if (access(candidates[i], F_OK) == 0) checkpoint_open_alone(&file, candidates[i], &ignored);
    }
    mem_free(previous);
    return file;
}

char *member_files_builds(const char *model_path, const Config *config) {
    char *longest = mem_text("");
    for (int m = 0; m < count_members(config); m++) {
        char *path = member_path(model_path, m, member_model), *builds = NULL;
        H5File *file = open_newest(path);
        Status ignored = {0};
        if (file) checkpoint_builds(file, &builds, &ignored);
        h5_close(&file, &ignored);
        const bool longer = builds && strlen(builds) > strlen(longest);
        mem_free(longer ? longest : builds);
        if (longer) longest = builds;
        mem_free(path);
    }
    return longest;
}

/* Whether a member's file, which is whole, is of this training. */
static StatusCode check_file(const H5File *file, const TrainJob *job, int member, Status *status) {
    Config *own = members_config(job->config, member, status), *stored = NULL;
    char *builds = NULL, *init = NULL;
    ImageSource source = {0};
    const ConfigKey *key = NULL;
    if (!checkpoint_config(file, &model_families.keys, &stored, status)) key = run_difference(own, stored);
    checkpoint_source(file, &source, status);
    checkpoint_builds(file, &builds, status);
    checkpoint_init(file, &init, status);
    const bool other_images = *source.images_sha256 && *job->source.images_sha256 &&
                              (strcmp(source.images_sha256, job->source.images_sha256) ||
                               strcmp(source.labels_sha256, job->source.labels_sha256)),
               other_init = init && strcmp(init, job->init_digest ? job->init_digest : ""),
               other_build =
                   builds && job->builds && !strstr(job->builds, builds); /* of all that trained the run */
    if (!status->code && (key || other_images || other_init || other_build))
        status_set(status, STATUS_USAGE,
                   "%s was begun with another %s than this run: change that back, or move the file away.",
                   h5_path(file),
                   key            ? key->name
                   : other_images ? "set of training images"
                   : other_init   ? "model of --init"
                                  : "build");
    mem_free(init);
    mem_free(builds);
    config_destroy(&stored);
    config_destroy(&own);
    return status->code;
}

/* Whether what begins should begin with the weights of a model that isn't named. */
static bool lacks_init(const TrainJob *job) {
    return job->init_digest && *job->init_digest && !job->init;
}

StatusCode member_files_check(const TrainJob *job, Status *status) {
    for (int m = 0; m < count_members(job->config) && !status->code; m++) {
        char *path = member_path(job->model_path, m, member_model);
        H5File *file = checkpoint_check_readable(path, status) ? NULL : open_newest(path);
        Status ignored = {0};
        if (file)
            check_file(file, job, m, status);
        else if (!status->code && lacks_init(job))
            status_set(status, STATUS_USAGE,
                       "The run was begun with the weights of another model, and its member %d isn't begun "
                       "yet: name that model again by --init.",
                       m + 1);
        h5_close(&file, &ignored);
        mem_free(path);
    }
    return status->code;
}
