#include "ref/ref_model.h"

#include "core/mem.h"
#include "ensemble/families.h"
#include "model/open_model.h"
#include "store/checkpoint.h"

#include <math.h>
#include <string.h>

Model ref_model_load(const Comm *comm, const char *path, const Config *config, Status *status) {
    Log log = {.speaks = false};
    const Context context = {comm, &log, 1};
    Model model;
    if (model_open_file(&context, &model_families, path, &model, status)) return model;
    config_destroy(&model.config);
    model.config = config_copy(config);
    model.family->load(&model, &context, status);
    return model;
}

/* Probabilities [n][classes] add up to 1, and the label's is its confidence, on every rank. */
static void check_probabilities(const float *probabilities, const Prediction *out, int64_t n, int classes) {
    for (int64_t i = 0; i < n; i++) {
        const float *of_image = probabilities + i * classes;
        double sum = 0;
        for (int c = 0; c < classes; c++)
            sum += (double)of_image[c];
        if (fabs(sum - 1) > 1e-4 || of_image[out[i].label] != out[i].confidence)
            fatal("image %lld: the probabilities add up to %g; that of label %d is %g, its confidence %g",
                  (long long)i, sum, out[i].label, (double)of_image[out[i].label], (double)out[i].confidence);
    }
}

void ref_model_predict(const Model *model, const Comm *comm, int threads, const ImageSet *images,
                       Prediction *out) {
    Log log = {.speaks = false};
    const Context context = {comm, &log, threads};
    ImageSet copy = image_set_new(images->n, images->spec);
    ModelImages seen;
    Status status = {0};
    if (images->n) memcpy(copy.images, images->images, (size_t)(images->n * image_spec_pixels(images->spec)));
    if (model_images_create(model, &copy, &seen, &status)) fatal("%s", status.text);
    const ModelFamily *family = model->family;
    const size_t values = (size_t)(images->n * images->spec.classes);
    const bool has_probabilities = !family->has_probabilities || family->has_probabilities(model);
    float *probabilities = has_probabilities ? mem_new(values, sizeof *probabilities) : NULL;
    family->predict(model, &context, &seen, out, probabilities);
    if (probabilities) check_probabilities(probabilities, out, images->n, images->spec.classes);
    mem_free(probabilities);
    model_images_free(&seen);
}
