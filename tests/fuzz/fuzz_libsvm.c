/* LIBSVM's model file, for images whose shape the first two bytes give (below 8: not said by the user). */
#include "fuzz/fuzz.h"

#include "core/mem.h"
#include "ensemble/families.h"
#include "model/open_model.h"
#include "svm/svm_libsvm.h"

#include <string.h>

/* Saves a model that was read and opens it as any other. */
static void check_saved(void *content, ImageSpec spec, const Config *config) {
    Status status = {0};
    Model model;
    const Context *context = fuzz_context();
    const CheckpointInfo facts = {.config = config, .spec = spec, .complete = true};
    const Settings none = {0};
    char *path = fuzz_path("imported.h5");
    checkpoint_save(path, context->comm, &facts, svm_libsvm_save, content, &status);
    if (!status.code) model_open(context, &model_families, path, &none, &model, &status);
    if (status.code) fprintf(stderr, "%s\n", status.text);
    fuzz_require(!status.code, "a model that was imported can be opened");
    model_close(&model);
    checkpoint_remove(path);
    mem_free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    Status status = {0};
    ImageSpec spec = {0};
    void *content = NULL;
    Config *config = config_create(&model_families.keys);
    if (data[0] >= SIDE_MIN && data[1] >= SIDE_MIN)
        spec = (ImageSpec){.height = data[0] % (SIDE_MAX + 1), .width = data[1] % (SIDE_MAX + 1)};
    if (spec.height < SIDE_MIN || spec.width < SIDE_MIN) spec = (ImageSpec){0};
    char *path = fuzz_write("libsvm.model", data + 2, size - 2);
    const int first_feature = data[0] % 4 < 2 ? -1 : data[0] % 2; /* not said, 0 or 1 */
    if (!svm_libsvm_read_model(&content, &spec, config, path, first_feature, &status))
        check_saved(content, spec, config);
    fuzz_check_status(&status);
    svm_libsvm_free(&content);
    config_destroy(&config);
    mem_free(path);
    return 0;
}
