/* A model file of any family: it is shown, its digest made, it is loaded, predicts two images, is exported to
 * each format, and a training begins with its weights. The digest
 * that the file holds is set right, so that what lies behind it is reached. */
#include "fuzz/fuzz.h"
#include "fuzz/h5_mutator.h"

#include "cli/cli.h"
#include "cnn/state.h"
#include "core/mem.h"
#include "ensemble/families.h"
#include "model/open_model.h"
#include "store/checkpoint.h"

#include <hdf5.h>
#include <string.h>

/* Stores the digest of what the file holds now, as checkpoint_save would. */
static void set_digest(const char *path) {
    Status status = {0};
    H5File *file = NULL;
    char digest[65] = "";
    if (!h5_open_verified(&file, path, NULL, &status)) h5_digest(file, digest, &status);
    h5_close(&file, &status);
    const hid_t id = status.code ? -1 : H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    if (id < 0) return;
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, strlen(digest));
    H5Adelete(id, "digest");
    const hid_t attribute = H5Acreate2(id, "digest", type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute >= 0) H5Awrite(attribute, type, digest);
    if (attribute >= 0) H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
    H5Fclose(id);
}

static void use(Model *model, const Context *context) {
    Status status = {0};
    ImageSet set = image_set_new(2, model->spec);
    ModelImages images;
    Prediction out[2];
    memset(set.images, 77, (size_t)image_spec_pixels(set.spec));
    if (!model_images_create(model, &set, &images, &status)) {
        model->family->predict(model, context, &images, out, NULL);
        for (int i = 0; i < 2; i++)
            fuzz_require(out[i].label < model->spec.classes, "a prediction is a class");
    }
    fuzz_check_status(&status);
    model_images_free(&images);
    image_set_free(&set);
}

static void export(const Model *model, const Context *context) {
    char *path = fuzz_path("exported");
    for (int e = 0; e < model->family->exporter_count; e++) {
        Status status = {0};
        model->family->exporters[e].write(model, context, path, &status);
        fuzz_check_status(&status);
    }
    mem_free(path);
}

/* As `train --init` does, with the model's own layers but one class more. */
static void begin_with(const Model *model) {
    if (strcmp(model->family->name, "cnn")) return;
    Status status = {0};
    char renewed[LAYER_TEXT];
    const int classes = model->spec.classes;
    const ImageSpec spec = {model->spec.height, model->spec.width,
                            classes < CLASSES_MAX ? classes + 1 : classes, 0, false};
    Network *net = mem_new(1, sizeof *net);
    CnnOptions options = cnn_options(model->config);
    if (!network_parse(net, config_text(model->config, "cnn.layers"), spec, &status)) {
        TrainState state = train_state_new(net, 1, &options);
        train_state_read_init(&state, model->file, renewed, &status);
        train_state_free(&state);
    }
    fuzz_check_status(&status);
    mem_free(net);
}

static void load(const char *path) {
    Status status = {0};
    Model model;
    const Settings none = {0};
    const Context *context = fuzz_context();
    if (!model_open(context, &model_families, path, &none, &model, &status)) {
        use(&model, context);
        export(&model, context);
        begin_with(&model);
    }
    fuzz_check_status(&status);
    model_close(&model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Status status = {0};
    char *plain = fuzz_write("plain.h5", data, size);
    set_digest(plain);
    uint8_t *bytes;
    size_t count = fuzz_read(plain, &bytes);
    char *path = fuzz_write_summed("model.h5", bytes, count);
    char *arguments[] = {(char[]){"show"}, path, (char[]){"--json"}, NULL};
    command_show.run(fuzz_context(), 3, arguments, &status);
    fuzz_check_status(&status);
    load(path);
    mem_free(bytes);
    mem_free(plain);
    mem_free(path);
    return 0;
}
