/* A configuration file. What is accepted is written, and must be read back as the same values. */
#include "fuzz/fuzz.h"

#include "core/config_file.h"
#include "core/mem.h"
#include "ensemble/families.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Status status = {0};
    Config *config = config_create(&model_families.keys);
    char *path = fuzz_write("config.ini", data, size);
    config_read_file(config, path, &status);
    fuzz_check_status(&status);
    if (!status.code) fuzz_check_config(config);
    config_destroy(&config);
    mem_free(path);
    return 0;
}
