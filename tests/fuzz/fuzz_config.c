/* A configuration file. What is accepted is written, and must be read back as the same values. */
#include "fuzz/fuzz.h"

#include "core/config.h"
#include "core/mem.h"
#include "ensemble/families.h"

#include <string.h>

static void check_written(const Config *config) {
    Status status = {0};
    char *path = fuzz_path("written.ini");
    FILE *file = fopen(path, "w");
    fuzz_require(file != NULL, "a file can be written");
    config_write(config, file);
    fclose(file);
    Config *again = config_create(&model_families.keys);
    config_read_file(again, path, &status);
    if (status.code) fprintf(stderr, "%s\n", status.text);
    fuzz_require(!status.code, "what config_write writes can be read");
    for (int i = 0; i < config_count(config); i++) {
        const char *name = config_key(config, i)->name;
        fuzz_require(!strcmp(config_value(config, name), config_value(again, name)),
                     "what config_write writes is read as the same values");
    }
    config_destroy(&again);
    mem_free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Status status = {0};
    Config *config = config_create(&model_families.keys);
    char *path = fuzz_write("config.ini", data, size);
    config_read_file(config, path, &status);
    fuzz_check_status(&status);
    if (!status.code) check_written(config);
    config_destroy(&config);
    mem_free(path);
    return 0;
}
