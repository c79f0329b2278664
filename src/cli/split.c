#include "cli/cli.h"

#include "store/dataset.h"

#include <string.h>

StatusCode split_rows(const char *data, const char *split, const Comm *comm, const Config *config,
                      const char **part, Range *rows, Status *status) {
    if (strcmp(split, "train") && strcmp(split, "valid") && strcmp(split, "test"))
        return status_set(status, STATUS_USAGE, "--split %s isn't one of train, valid, test.", split);
    int64_t train, test, valid = config_int(config, "run.valid"), limit = config_int(config, "run.train");
    if (dataset_counts(data, comm, &train, &test, status)) return status->code;
    int64_t held_out_from = train - valid < 0 ? 0 : train - valid;
    *part = "train";
    if (!strcmp(split, "test")) {
        *part = "test";
        *rows = (Range){0, test};
    } else if (!strcmp(split, "valid")) {
        *rows = (Range){held_out_from, train};
    } else {
        *rows = (Range){0, limit && limit < held_out_from ? limit : held_out_from};
    }
    if (range_size(*rows) == 0)
        status_set(status, STATUS_USAGE, "The split %s of this model holds no images (run.valid = %lld).",
                   split, (long long)valid);
    return status->code;
}
