#include "cli/cli.h"

#include "core/mem.h"
#include "data/idx.h"
#include "store/dataset.h"

#include <stdio.h>
#include <string.h>

static void report(const char *name, const ImageSet *set, const ImageSource *source) {
    int64_t counts[CLASSES] = {0};
    for (int64_t i = 0; i < set->n; i++)
        counts[set->labels[i]]++;
    printf("%-5s %6lld images, of digits 0 to 9:", name, (long long)set->n);
    for (int digit = 0; digit < CLASSES; digit++)
        printf(" %lld", (long long)counts[digit]);
    printf("\n      images sha256 %s\n      labels sha256 %s\n", source->images_sha256,
           source->labels_sha256);
}

/* STATUS_USAGE if out is one of the files that are read. Collective. */
static StatusCode check_inputs(const Context *context, const char *idx, const char *out, Status *status) {
    static const char *const names[] = {"train-images-idx3", "train-labels-idx1", "t10k-images-idx3",
                                        "t10k-labels-idx1"};
    const size_t size = strlen(idx) + 32;
    char *input[8];
    for (int i = 0; i < 8; i++) {
        input[i] = mem_new(size, 1);
        snprintf(input[i], size, "%s/%s-ubyte%s", idx, names[i / 2], i % 2 ? ".gz" : "");
    }
    check_output(context, out, 8, input, status);
    for (int i = 0; i < 8; i++)
        mem_free(input[i]);
    return status->code;
}

StatusCode cmd_prepare(const Context *context, int argc, char **argv, Status *status) {
    const char *idx = NULL, *out = NULL;
    int operands;
    const Option options[] = {{.name = "idx", .value = &idx}, {.name = "out", .value = &out}, {0}};
    if (options_parse(argc, argv, options, &(Operands){0, 0, NULL}, &operands, status)) return status->code;
    if (!idx || !out)
        return status_set(status, STATUS_USAGE,
                          "--idx and --out are needed; see `pardigits prepare --help`.");
    if (check_inputs(context, idx, out, status)) return status->code;
    if (comm_rank(context->comm) == 0) {
        ImageSet train = {0}, test = {0};
        ImageSource train_source, test_source;
        if (!idx_read(idx, "train", &train, &train_source, status) &&
            !idx_read(idx, "t10k", &test, &test_source, status) &&
            !dataset_write(out, &train, &train_source, &test, &test_source, status)) {
            report("train", &train, &train_source);
            report("test", &test, &test_source);
        }
        image_set_free(&train);
        image_set_free(&test);
        finish_output(status);
    }
    return comm_agree(context->comm, status);
}
