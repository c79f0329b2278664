#include "fuzz/fuzz.h"

#include "core/config_file.h"
#include "core/mem.h"
#include "ensemble/families.h"

#include <dirent.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* libFuzzer calls without a context of ours, so what the calls share stands here. */
static char folder[64];
static Context context;
static Log quiet;

static void crash(int code) {
    (void)code;
    abort();
}

static void remove_folder(void) {
    DIR *files = opendir(folder);
    for (struct dirent *file; files && (file = readdir(files));) {
        char *path = fuzz_path(file->d_name);
        unlink(path);
        mem_free(path);
    }
    if (files) closedir(files);
    rmdir(folder);
}

/* In memory, where Linux has such a folder: a million files are written. */
static void make_folder(void) {
    const char *base = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
    snprintf(folder, sizeof folder, "%s/pardigits-fuzz.XXXXXX", base);
    if (!mkdtemp(folder)) {
        fprintf(stderr, "%s can't be made\n", folder);
        exit(1);
    }
    atexit(remove_folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    make_folder();
    if (!freopen("/dev/null", "w", stdout)) abort(); /* what commands print */
    fatal_set_exit(crash);
    omp_set_num_threads(1);
    context = (Context){.comm = comm_alone(), .log = &quiet, .threads = 1};
    return 0;
}

char *fuzz_path(const char *name) {
    const size_t size = sizeof folder + strlen(name) + 2;
    char *path = mem_new(size, 1);
    snprintf(path, size, "%s/%s", folder, name);
    return path;
}

char *fuzz_write(const char *name, const uint8_t *data, size_t size) {
    char *path = fuzz_path(name);
    FILE *file = fopen(path, "wb");
    if (!file || (size && fwrite(data, 1, size, file) != size) || fclose(file)) {
        fprintf(stderr, "%s can't be written\n", path);
        exit(1);
    }
    return path;
}

size_t fuzz_read(const char *path, uint8_t **data) {
    FILE *file = fopen(path, "rb");
    fuzz_require(file && fseek(file, 0, SEEK_END) == 0, "a file that was written can be read");
    const size_t size = (size_t)ftell(file);
    *data = mem_new(size, 1);
    rewind(file);
    fuzz_require(fread(*data, 1, size, file) == size, "a file is as long as it says");
    fclose(file);
    return size;
}

const Context *fuzz_context(void) {
    return &context;
}

void fuzz_check_config(const Config *config) {
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

void fuzz_require(int holds, const char *property) {
    if (holds) return;
    fprintf(stderr, "it doesn't hold that %s\n", property);
    abort();
}

void fuzz_check_status(const Status *status) {
    const size_t length = strlen(status->text);
    fuzz_require(!status->code == !length, "a failure, and only a failure, has a sentence");
    const bool cut = length + 1 == sizeof status->text;
    const bool ends = cut || !length || strchr(".?!:", status->text[length - 1]);
    if (!ends) fprintf(stderr, "%s\n", status->text);
    fuzz_require(ends, "a sentence ends");
}
