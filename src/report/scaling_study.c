#include "report/scaling_study.h"

#include "core/integers.h"
#include "core/mem.h"
#include "model/run_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the runs of a study have in common: images and batch are equal, or equal for each worker. */
typedef struct {
    const char *name;
    bool images_grow, batch_grows;
    bool stands_in; /* looked for if there is no other study of this name: or it would mix its runs */
} StudyKind;

static const StudyKind kinds[] = {
    {"strong", false, false, false}, {"weak", true, true, false}, {"weak", true, false, true}};

enum { KINDS = sizeof kinds / sizeof *kinds };

const char *scaling_measure_name(ScalingMeasure measure) {
    static const char *const names[SCALING_MEASURES] = {"training", "evaluation"};
    return names[measure];
}

/* Whether two runs say that they are of different datasets. */
static bool differ(const ImageSource *a, const ImageSource *b) {
    return (*a->images_sha256 && *b->images_sha256 && strcmp(a->images_sha256, b->images_sha256)) ||
           (*a->labels_sha256 && *b->labels_sha256 && strcmp(a->labels_sha256, b->labels_sha256));
}

/* The first key that differs, sizes apart; NULL: none. Of those that don't change the model some change its
 * time. */
static const ConfigKey *find_difference(const Config *a, const Config *b) {
    static const char *const sizes[] = {"run.train", "cnn.batch"};
    static const char *const timed[] = {"knn.search",  "svm.cache_mb",    "svm.shard",
                                        "run.balance", "cnn.use_members", NULL};
    Config *same_size = config_copy(b);
    Status status = {0};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        config_set_value(same_size, sizes[i], config_value(a, sizes[i]), "", &status);
    const ConfigKey *key = run_difference(a, same_size);
    if (!key) key = config_difference_in(a, b, timed);
    config_destroy(&same_size);
    return key;
}

bool scaling_runs_comparable(const ScalingRun *a, const ScalingRun *b) {
    return !find_difference(a->config, b->config) && !differ(&a->source, &b->source);
}

static StatusCode check_configurations(const ScalingRun *runs, int count, Status *status) {
    for (int r = 1; r < count && !status->code; r++) {
        const ConfigKey *key = find_difference(runs[0].config, runs[r].config);
        if (key)
            status_set(status, STATUS_USAGE,
                       "The runs are of different configurations: %s has %s = %s, %s has %s; only run.train "
                       "and cnn.batch may differ.",
                       runs[0].path, key->name, config_value(runs[0].config, key->name), runs[r].path,
                       config_value(runs[r].config, key->name));
    }
    return status->code;
}

static StatusCode check_datasets(const ScalingRun *runs, int count, Status *status) {
    for (int r = 1; r < count; r++)
        for (int before = 0; before < r; before++)
            if (differ(&runs[before].source, &runs[r].source))
                return status_set(
                    status, STATUS_USAGE,
                    "The runs are of different datasets: the training images of %s aren't those "
                    "of %s; compare runs of the same dataset (run.train may differ).",
                    runs[r].path, runs[before].path);
    return status->code;
}

/* Whether a / a_workers = b / b_workers, up to a rounding of 1 %. */
static bool same_share(int64_t a, int64_t a_workers, int64_t b, int64_t b_workers) {
    const double left = (double)a * (double)b_workers, right = (double)b * (double)a_workers;
    return fabs(left - right) <= 0.01 * right;
}

static bool match(const StudyKind *kind, const ScalingRun *a, const ScalingRun *b) {
    const int64_t workers_a = scaling_run_workers(a), workers_b = scaling_run_workers(b);
    return (kind->images_grow ? same_share(a->images, workers_a, b->images, workers_b)
                              : a->images == b->images) &&
           (kind->batch_grows ? same_share(a->batch, workers_a, b->batch, workers_b) : a->batch == b->batch);
}

/* Whether the measure says something about such a study. Held-out images are always the same, so evaluation
 * scales with the workers only where each is compared with all training images. */
static bool suits(const StudyKind *kind, ScalingMeasure measure, const ScalingRun *run) {
    return run->seconds[measure] > 0 &&
           (measure == SCALING_TRAINING || !kind->images_grow || run->compared > 0);
}

/* Sorts values[n]. */
static Spread spread_of(double *values, int n) {
    for (int i = 0; i < n; i++)
        if (isnan(values[i])) return (Spread){NAN, NAN, NAN};
    sort_doubles(values, (size_t)n);
    return (Spread){(values[(n - 1) / 2] + values[n / 2]) / 2, values[0], values[n - 1]};
}

/* factor / seconds, and factor * spread. */
static Spread rate_of(Spread seconds, double factor) {
    return (Spread){factor / seconds.median, factor / seconds.most, factor / seconds.least};
}

static Spread scaled(Spread spread, double factor) {
    return (Spread){spread.median * factor, spread.least * factor, spread.most * factor};
}

static int compare_sizes(const void *a, const void *b) {
    const ScalingRun *left = *(const ScalingRun *const *)a, *right = *(const ScalingRun *const *)b;
    const int64_t sizes[][2] = {{scaling_run_workers(left), scaling_run_workers(right)},
                                {left->hosts, right->hosts},
                                {left->ranks, right->ranks}};
    for (int i = 0; i < 3; i++)
        if (sizes[i][0] != sizes[i][1]) return sizes[i][0] < sizes[i][1] ? -1 : 1;
    return 0;
}

/* The point of runs[n], which have the same size. */
static ScalingPoint make_point(const ScalingRun *const *runs, int n, ScalingMeasure measure) {
    ScalingPoint point = {.run = runs[0], .repeats = n, .accuracy = runs[0]->accuracy};
    double *values[4];
    for (int v = 0; v < 4; v++)
        values[v] = mem_new((size_t)n, sizeof **values);
    for (int r = 0; r < n; r++) {
        values[0][r] = runs[r]->seconds[measure];
        values[1][r] = measure == SCALING_TRAINING ? runs[r]->wait_share : NAN;
        values[2][r] = measure == SCALING_TRAINING ? runs[r]->exposed_share : NAN;
        values[3][r] = measure == SCALING_TRAINING ? runs[r]->accuracy_s : NAN;
    }
    Spread *const spreads[] = {&point.seconds, &point.wait_share, &point.exposed_share, &point.accuracy_s};
    for (int v = 0; v < 4; v++) {
        *spreads[v] = spread_of(values[v], n);
        mem_free(values[v]);
    }
    const int64_t images = measure == SCALING_TRAINING ? runs[0]->images * runs[0]->passes : runs[0]->valid;
    point.images_per_s = rate_of(point.seconds, (double)images);
    return point;
}

/* The study of runs[n], which are sorted by size. */
static ScalingStudy make_study(const StudyKind *kind, ScalingMeasure measure, const ScalingRun *const *runs,
                               int n) {
    ScalingStudy study = {.kind = kind->name, .measure = measure};
    study.points = mem_new((size_t)n, sizeof *study.points);
    for (int begin = 0, end; begin < n; begin = end) {
        for (end = begin + 1; end < n && !compare_sizes(&runs[begin], &runs[end]);)
            end++;
        study.points[study.count++] = make_point(runs + begin, end - begin, measure);
    }
    const ScalingRun *base = study.points[0].run;
    for (int p = 0; p < study.count; p++) {
        ScalingPoint *point = &study.points[p];
        const double work = (double)point->run->images / (double)base->images,
                     workers = (double)scaling_run_workers(point->run) / (double)scaling_run_workers(base);
        point->speedup = rate_of(point->seconds, study.points[0].seconds.median * work);
        point->efficiency = scaled(point->speedup, 1 / workers);
    }
    return study;
}

/* The sorted runs and what is known about them. */
typedef struct {
    int count;
    const ScalingRun **runs; /* [count] by size */
    bool *grouped, *used;    /* [count] in a group of the kind that is looked at; in a study */
    const ScalingRun **group;
    ScalingStudies *studies;
} Search;

/* Puts the runs that match the one at `first` in the group, and returns how many these are. */
static int gather_group(Search *search, const StudyKind *kind, int first) {
    int n = 0;
    for (int r = first; r < search->count; r++) {
        if (search->grouped[r] || !match(kind, search->runs[first], search->runs[r])) continue;
        search->grouped[r] = true;
        search->group[n++] = search->runs[r];
    }
    return n;
}

/* Makes the studies of the group[n], if it has several sizes. */
static void add_studies(Search *search, const StudyKind *kind, int n) {
    const ScalingRun **group = search->group;
    if (scaling_run_workers(group[0]) == scaling_run_workers(group[n - 1])) return;
    for (int r = 0; r < search->count; r++)
        for (int g = 0; g < n; g++)
            search->used[r] = search->used[r] || search->runs[r] == group[g];
    for (ScalingMeasure m = 0; m < SCALING_MEASURES; m++) {
        bool all = true;
        for (int g = 0; g < n; g++)
            all = all && suits(kind, m, group[g]);
        if (all) search->studies->items[search->studies->count++] = make_study(kind, m, group, n);
    }
}

static bool has_kind(const ScalingStudies *studies, const char *name) {
    for (int s = 0; s < studies->count; s++)
        if (!strcmp(studies->items[s].kind, name)) return true;
    return false;
}

static void find_studies(Search *search) {
    for (int k = 0; k < KINDS; k++) {
        memset(search->grouped, 0, (size_t)search->count * sizeof *search->grouped);
        if (kinds[k].stands_in && has_kind(search->studies, kinds[k].name)) continue;
        for (int r = 0; r < search->count; r++)
            if (!search->grouped[r]) add_studies(search, &kinds[k], gather_group(search, &kinds[k], r));
    }
    for (int r = 0; r < search->count; r++)
        search->studies->unused += !search->used[r];
}

static StatusCode refuse(const Search *search, Status *status) {
    const ScalingRun *least = search->runs[0], *most = search->runs[search->count - 1];
    const bool same_ranks = least->ranks == most->ranks;
    if (scaling_run_workers(least) == scaling_run_workers(most))
        return status_set(status, STATUS_USAGE,
                          "Scaling needs runs of at least two sizes, but %s on %lld rank%s x %lld thread%s.",
                          search->count == 1 ? "there is one run,"
                          : same_ranks       ? "all of these are"
                                             : "these have the same number of threads in all, such as those",
                          (long long)least->ranks, least->ranks == 1 ? "" : "s", (long long)least->threads,
                          least->threads == 1 ? "" : "s");
    return status_set(
        status, STATUS_USAGE,
        "These runs make no study: none on different numbers of ranks and threads have the same images and "
        "batch (strong scaling) or the same images for each (weak scaling); %s has %lld images, %s %lld.",
        least->path, (long long)least->images, most->path, (long long)most->images);
}

StatusCode scaling_studies_find(const ScalingRun *runs, int count, ScalingStudies *studies, Status *status) {
    *studies = (ScalingStudies){0};
    if (check_configurations(runs, count, status) || check_datasets(runs, count, status)) return status->code;
    Search search = {.count = count, .studies = studies};
    search.runs = mem_new((size_t)count, sizeof *search.runs);
    search.group = mem_new((size_t)count, sizeof *search.group);
    search.grouped = mem_new((size_t)count, sizeof *search.grouped);
    search.used = mem_new((size_t)count, sizeof *search.used);
    studies->items = mem_new((size_t)count * KINDS * SCALING_MEASURES, sizeof *studies->items);
    for (int r = 0; r < count; r++)
        search.runs[r] = &runs[r];
    qsort(search.runs, (size_t)count, sizeof *search.runs, compare_sizes);
    find_studies(&search);
    if (!studies->count) refuse(&search, status);
    mem_free(search.used);
    mem_free(search.grouped);
    mem_free(search.group);
    mem_free(search.runs);
    return status->code;
}

void scaling_studies_free(ScalingStudies *studies) {
    for (int s = 0; s < studies->count; s++)
        mem_free(studies->items[s].points);
    mem_free(studies->items);
    *studies = (ScalingStudies){0};
}
