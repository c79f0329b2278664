#include "cli/evaluate_summary.h"

#include "core/mem.h"
#include "core/sha256.h"
#include "model/run_options.h"
#include "store/checkpoint.h"

#include <math.h>
#include <string.h>

static void add_text(Sha256 *hash, const char *text) {
    sha256_add(hash, text, strlen(text) + 1);
}

/* How far a training is that isn't finished: its model says so in words. */
static void add_progress(Sha256 *hash, const Model *model, Status *status) {
    bool complete = false;
    char about[128] = "";
    if (checkpoint_is_complete(model->file, &complete, status)) return;
    if (!complete) model->family->describe(model, about, sizeof about);
    add_text(hash, about);
}

static void add_origin(Sha256 *hash, const Model *model, Status *status) {
    ImageSource source = {0};
    char *init = NULL;
    checkpoint_source(model->file, &source, status);
    checkpoint_init(model->file, &init, status);
    add_text(hash, source.images_sha256);
    add_text(hash, source.labels_sha256);
    add_text(hash, init ? init : "");
    mem_free(init);
}

static void add_images(Sha256 *hash, const ImageSet *set) {
    const int64_t facts[] = {set->n, set->spec.height, set->spec.width, set->spec.classes};
    sha256_add(hash, facts, sizeof facts);
    sha256_add(hash, set->images, (size_t)(set->n * image_spec_pixels(set->spec)));
    sha256_add(hash, set->labels, (size_t)set->n);
}

StatusCode run_kind_find(RunKind *kind, const Model *model, const ImageSet *set, Status *status) {
    Sha256 hash;
    kind->config = config_copy(model->config);
    kind->use_keys = model->family->use_keys;
    config_set_value(kind->config, "run.seed", "0", "--summary", status);
    sha256_begin(&hash);
    add_progress(&hash, model, status);
    add_origin(&hash, model, status);
    add_images(&hash, set);
    sha256_end(&hash, kind->rest);
    return status->code;
}

bool run_kind_same(const RunKind *a, const RunKind *b) {
    return !strcmp(a->rest, b->rest) && !run_difference(a->config, b->config) &&
           !config_difference_in(a->config, b->config, a->use_keys);
}

void run_kind_free(RunKind *kind) {
    config_destroy(&kind->config);
}

void output_summary(Output *output, const double *percents, int n) {
    double sum = 0, squares = 0, least = INFINITY, most = -INFINITY;
    for (int i = 0; i < n; i++) {
        sum += percents[i];
        least = fmin(least, percents[i]);
        most = fmax(most, percents[i]);
    }
    const double mean = fmax(least, fmin(most, sum / n));
    for (int i = 0; i < n; i++)
        squares += (percents[i] - mean) * (percents[i] - mean);
    const double variance = n > 1 ? squares / (n - 1) : NAN;
    output_record(output);
    output_integer(output, "runs", "runs", n);
    output_real(output, "accuracy_mean_percent", "accuracy %", mean, "%.3f");
    output_real(output, "accuracy_deviation_percent", "+-", sqrt(variance), "%.3f");
    output_real(output, "accuracy_least_percent", "least", least, "%.2f");
    output_real(output, "accuracy_most_percent", "most", most, "%.2f");
}
