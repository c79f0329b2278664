#include "model/model.h"

#include "core/mem.h"
#include "model/prepare_images.h"

#include <string.h>

StatusCode model_images_create(const Model *model, ImageSet *set, ModelImages *images, Status *status) {
    *images = (ModelImages){*set};
    *set = (ImageSet){0};
    const ImageSpec wanted = model->spec, given = images->set.spec;
    if (given.height != wanted.height || given.width != wanted.width)
        return status_set(status, STATUS_USAGE,
                          "The images are of %dx%d pixels, but %s was trained on images of %dx%d.",
                          given.height, given.width, h5_path(model->file), wanted.height, wanted.width);
    prepare_images(model->config, &images->set);
    return status->code;
}

void model_images_free(ModelImages *images) {
    image_set_free(&images->set);
}

const ModelFamily *model_family_find(const ModelFamilies *families, const char *name) {
    for (int i = 0; i < families->count; i++)
        if (!strcmp(families->items[i]->name, name)) return families->items[i];
    return NULL;
}

void model_close(Model *model) {
    Status ignored = {0};
    if (model->state) model->family->destroy(model);
    config_destroy(&model->config);
    class_names_free(&model->class_names);
    h5_close(&model->file, &ignored);
    *model = (Model){0};
}

void nearest_images_free(NearestImages *nearest) {
    image_set_free(&nearest->set);
    mem_free(nearest->indices);
    mem_free(nearest->distances);
    *nearest = (NearestImages){0};
}
