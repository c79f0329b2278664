/* A dataset file: it is shown, and both parts are read. */
#include "fuzz/fuzz.h"
#include "fuzz/h5_mutator.h"

#include "cli/cli.h"
#include "core/mem.h"
#include "store/dataset.h"

static void read_part(const Dataset *dataset, const char *part, int64_t rows) {
    Status status = {0};
    ImageSet set = {0};
    if (!dataset_read(dataset, part, (Range){0, rows}, fuzz_context()->comm, &set, &status))
        for (int64_t i = 0; i < set.n; i++)
            fuzz_require(set.labels[i] < dataset->spec.classes, "a label is a class");
    fuzz_check_status(&status);
    image_set_free(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Status status = {0}, shown = {0};
    Dataset dataset;
    char *path = fuzz_write_summed("data.h5", data, size);
    if (!dataset_open(path, fuzz_context()->comm, &dataset, &status)) {
        read_part(&dataset, "train", dataset.train);
        if (dataset.test) read_part(&dataset, "test", dataset.test);
    }
    fuzz_check_status(&status);
    dataset_close(&dataset);
    char *arguments[] = {(char[]){"show"}, path, (char[]){"--json"}, NULL};
    command_show.run(fuzz_context(), 3, arguments, &shown);
    fuzz_check_status(&shown);
    mem_free(path);
    return 0;
}
