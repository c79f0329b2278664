/* A metrics file: it is shown, a study of scaling reads it, and a run goes on from it. */
#include "fuzz/fuzz.h"
#include "fuzz/h5_mutator.h"

#include "cli/cli.h"
#include "core/mem.h"
#include "ensemble/families.h"
#include "store/metrics.h"

static void go_on(const char *path) {
    static const MetricsColumn columns[] = {{"epoch", METRICS_COUNT, ""}, {"train_loss", METRICS_REAL, ""}};
    Status status = {0};
    Metrics *metrics = NULL;
    Config *config = config_create(&model_families.keys);
    if (!metrics_open(&metrics, path, config, true, &status)) {
        metrics_table(metrics, "epochs", columns, 2);
        metrics_cut(metrics, "epochs", 2);
        metrics_append(metrics, "epochs", (double[]){2, 0.5});
        metrics_add(metrics, "seconds", 1);
        metrics_flush(metrics, &status);
    }
    fuzz_check_status(&status);
    metrics_destroy(&metrics);
    config_destroy(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *path = fuzz_write_summed("metrics.h5", data, size);
    char *folder = fuzz_path("");
    Status shown = {0}, studied = {0};
    char *show[] = {(char[]){"show"}, path, (char[]){"--json"}, NULL};
    char *scaling[] = {(char[]){"scaling"}, folder, folder, (char[]){"--json"}, NULL};
    command_show.run(fuzz_context(), 3, show, &shown);
    fuzz_check_status(&shown);
    command_scaling.run(fuzz_context(), 4, scaling, &studied);
    fuzz_check_status(&studied);
    go_on(path);
    mem_free(folder);
    mem_free(path);
    return 0;
}
