/* The public interface: the model of a caller that has no ranks, no status and no log. */
#include "pardigits/pardigits.h"

#include "core/limits.h"
#include "core/mem.h"
#include "core/path.h"
#include "data/digitize.h"
#include "ensemble/families.h"
#include "model/open_model.h"
#include "parallel/placement.h"

#include <omp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

struct pardigits_model {
    Comm *comm;
    Model model;
    atomic_int threads;  /* 0: as many as OpenMP would take */
    char (*numbers)[12]; /* [classes] what classes without names are called */
};

/* The two exceptions to the rule of no state: a caller has no place for them, and threads must not share the
 * first nor do without the second. HDF5 and leptonica aren't safe to call from several threads at a time. */
static _Thread_local Status last_failure;
static pthread_mutex_t libraries = PTHREAD_MUTEX_INITIALIZER;

static pardigits_code finish(const Status *status) {
    if (status->code) last_failure = *status;
    return (pardigits_code)status->code;
}

const char *pardigits_version(void) {
    return PARDIGITS_VERSION;
}

const char *pardigits_last_error(void) {
    return last_failure.text;
}

/* The caller's own settings of OpenMP. */
typedef struct {
    int dynamic, threads;
} OpenMpSettings;

/* Starts as many threads as the model wants, fewer where a control group allows no more CPUs. */
static StatusCode begin_threads(const pardigits_model *model, OpenMpSettings *callers, int *started,
                                Status *status) {
    *callers = (OpenMpSettings){omp_get_dynamic(), omp_get_max_threads()};
    int wanted = atomic_load(&model->threads);
    if (wanted == 0) {
        const double quota = limits_cpu_quota("");
        wanted = quota < callers->threads ? (int)quota : callers->threads;
    }
    if (omp_in_parallel() || wanted < 1) wanted = 1;
    return placement_start_threads(wanted, started, status);
}

static void end_threads(const OpenMpSettings *callers) {
    omp_set_dynamic(callers->dynamic);
    omp_set_num_threads(callers->threads);
}

static H5Reporting begin_hdf5(void) {
    pthread_mutex_lock(&libraries);
    return h5_replace_reporting();
}

static void end_hdf5(const H5Reporting *callers) {
    h5_restore_reporting(callers);
    pthread_mutex_unlock(&libraries);
}

static Log no_log(void) {
    return (Log){.speaks = false};
}

static void name_numbers(pardigits_model *model) {
    const int classes = model->model.spec.classes;
    model->numbers = mem_new((size_t)classes, sizeof *model->numbers);
    for (int label = 0; label < classes; label++)
        class_name(&(ClassNames){0}, label, model->numbers[label]);
}

static StatusCode load(pardigits_model *model, const char *path, Status *status) {
    OpenMpSettings callers;
    Log log = no_log();
    Context context = {.comm = model->comm, .log = &log};
    char *file = model_path_of(path);
    if (!begin_threads(model, &callers, &context.threads, status)) {
        const H5Reporting callers_reporting = begin_hdf5();
        model_open(&context, &model_families, file, &(Settings){0}, &model->model, status);
        end_hdf5(&callers_reporting);
    }
    end_threads(&callers);
    mem_free(file);
    if (!status->code) name_numbers(model);
    return status->code;
}

pardigits_model *pardigits_open(const char *path) {
    Status status = {0};
    pardigits_model *model = mem_new(1, sizeof *model);
    model->comm = comm_alone();
    if (!path)
        status_set(&status, STATUS_USAGE, "No path of a model file was given.");
    else
        load(model, path, &status);
    if (finish(&status)) pardigits_close(&model);
    return model;
}

static const char no_model[] = "No model was given: pardigits_open may have failed.";

void pardigits_close(pardigits_model **model_pointer) {
    pardigits_model *model = model_pointer ? *model_pointer : NULL;
    if (!model) return;
    const H5Reporting callers_reporting = begin_hdf5();
    model_close(&model->model);
    end_hdf5(&callers_reporting);
    comm_destroy(&model->comm);
    mem_free(model->numbers);
    mem_free(model);
    *model_pointer = NULL;
}

pardigits_code pardigits_set_threads(pardigits_model *model, int threads) {
    Status status = {0};
    if (!model)
        status_set(&status, STATUS_USAGE, "%s", no_model);
    else if (threads < 0 || threads > PLACEMENT_MOST_THREADS)
        status_set(&status, STATUS_USAGE,
                   "%d threads aren't possible; expected 1 to %d, or 0 for OpenMP's default.", threads,
                   PLACEMENT_MOST_THREADS);
    else
        atomic_store(&model->threads, threads);
    return finish(&status);
}

const char *pardigits_family(const pardigits_model *model) {
    return model ? model->model.family->name : NULL;
}

int pardigits_height(const pardigits_model *model) {
    return model ? model->model.spec.height : 0;
}

int pardigits_width(const pardigits_model *model) {
    return model ? model->model.spec.width : 0;
}

int pardigits_class_count(const pardigits_model *model) {
    return model ? model->model.spec.classes : 0;
}

const char *pardigits_class_name(const pardigits_model *model, int label) {
    if (!model) return NULL;
    const ClassNames *names = &model->model.class_names;
    if (label < 0 || label >= model->model.spec.classes) return NULL;
    return names->names ? names->names[label] : model->numbers[label];
}

int pardigits_has_probabilities(const pardigits_model *model) {
    if (!model) return 0;
    const ModelFamily *family = model->model.family;
    return !family->has_probabilities || family->has_probabilities(&model->model);
}

/* Where the predictions of some images go. */
typedef struct {
    uint8_t *labels;
    float *confidences, *probabilities; /* or NULL */
} Results;

static StatusCode predict_block(const pardigits_model *model, const Context *context, int64_t n,
                                const uint8_t *pixels, Results results, Status *status) {
    ImageSet set = image_set_new(n, model->model.spec);
    memcpy(set.images, pixels, (size_t)(n * image_spec_pixels(set.spec)));
    ModelImages images;
    Prediction *out = mem_new((size_t)n, sizeof *out);
    if (!model_images_create(&model->model, &set, &images, status))
        model->model.family->predict(&model->model, context, &images, out, results.probabilities);
    for (int64_t i = 0; !status->code && i < n; i++) {
        results.labels[i] = out[i].label;
        if (results.confidences) results.confidences[i] = out[i].confidence;
    }
    model_images_free(&images);
    mem_free(out);
    return status->code;
}

/* In blocks, so that a large n needs no second copy of all images. */
static StatusCode predict_blocks(const pardigits_model *model, const Context *context, int64_t n,
                                 const uint8_t *images, Results results, Status *status) {
    enum { BLOCK = 1 << 14 };
    const ImageSpec spec = model->model.spec;
    for (int64_t first = 0; first < n && !status->code; first += BLOCK) {
        const Results here = {results.labels + first,
                              results.confidences ? results.confidences + first : NULL,
                              results.probabilities ? results.probabilities + first * spec.classes : NULL};
        predict_block(model, context, n - first < BLOCK ? n - first : BLOCK,
                      images + first * image_spec_pixels(spec), here, status);
    }
    return status->code;
}

pardigits_code pardigits_predict(const pardigits_model *model, size_t n, const uint8_t *images,
                                 uint8_t *labels, float *confidences, float *probabilities) {
    Status status = {0};
    OpenMpSettings callers;
    Log log = no_log();
    Context context = {.comm = model ? model->comm : NULL, .log = &log};
    if (!model)
        status_set(&status, STATUS_USAGE, "%s", no_model);
    else if (n == 0)
        return PARDIGITS_OK;
    else if (n > (size_t)INT64_MAX / PIXELS_MAX || !images || !labels)
        status_set(&status, STATUS_USAGE, "%s given to pardigits_predict.",
                   !images   ? "No images were"
                   : !labels ? "No room for labels was"
                             : "Too many images were");
    else if (probabilities && !pardigits_has_probabilities(model))
        status_set(&status, STATUS_USAGE,
                   "%s gives no probabilities: pass NULL, or train it with svm.probability = yes.",
                   h5_path(model->model.file));
    if (status.code) return finish(&status);
    if (!begin_threads(model, &callers, &context.threads, &status))
        predict_blocks(model, &context, (int64_t)n, images, (Results){labels, confidences, probabilities},
                       &status);
    end_threads(&callers);
    return finish(&status);
}

pardigits_code pardigits_digitize(const pardigits_model *model, const char *picture, uint8_t *image) {
    Status status = {0};
    if (!model) {
        status_set(&status, STATUS_USAGE, "%s", no_model);
    } else if (!picture || !image) {
        status_set(&status, STATUS_USAGE, "No %s was given to pardigits_digitize.",
                   picture ? "room for an image" : "picture");
    } else if (path_is_folder(picture)) {
        status_set(&status, STATUS_FAILED, "%s is a folder: name a picture in it.", picture);
    } else {
        pthread_mutex_lock(&libraries);
        /* "-" is a file's name here, as the caller's standard input isn't ours */
        digitize_picture(strcmp(picture, "-") ? picture : "./-", model->model.spec, image, &status);
        pthread_mutex_unlock(&libraries);
    }
    return finish(&status);
}
