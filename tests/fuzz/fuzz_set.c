/* Assignments of --set, one a line, which must survive a file; then what the families say of the
 * configuration. */
#include "fuzz/fuzz.h"

#include "core/config.h"
#include "core/mem.h"
#include "ensemble/families.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Status status = {0};
    Config *config = config_create(&model_families.keys);
    char *text = mem_new(size + 1, 1), *rest = text;
    if (size) memcpy(text, data, size);
    for (char *line; (line = strsep(&rest, "\n")) && !status.code;)
        config_set(config, line, "--set", &status);
    fuzz_check_status(&status);
    if (!status.code) fuzz_check_config(config);
    const ModelFamily *family = model_family_find(&model_families, config_text(config, "run.model"));
    if (!status.code && family && family->check) family->check(config, image_spec_mnist(), &status);
    fuzz_check_status(&status);
    mem_free(text);
    config_destroy(&config);
    return 0;
}
