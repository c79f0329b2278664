#include "ref/ref_model.h"

#include "core/mem.h"
#include "ensemble/families.h"
#include "store/checkpoint.h"

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

void ref_model_predict(const Model *model, const Comm *comm, int threads, const ImageSet *images,
                       Prediction *out) {
    Log log = {.speaks = false};
    const Context context = {comm, &log, threads};
    ImageSet copy = image_set_new(images->n, images->spec);
    ModelImages seen;
    Status status = {0};
    memcpy(copy.images, images->images, (size_t)(images->n * image_spec_pixels(images->spec)));
    if (model_images_create(model, &copy, &seen, &status)) fatal("%s", status.text);
    model->family->predict(model, &context, &seen, out, NULL);
    model_images_free(&seen);
}
