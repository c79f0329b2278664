#include "cli/cli.h"
#include "cli/options.h"

#include "core/mem.h"
#include "model/open_model.h"
#include "store/checkpoint.h"

static StatusCode cmd_digest(const Context *context, int argc, char **argv, Status *status) {
    OutputFormat format = OUTPUT_TEXT;
    const Option options[] = {OPTIONS_OF_FORMAT(&format), {0}};
    static const char *const names[] = {"MODEL.h5"};
    const Operands wanted = {1, 1, names};
    int operands;
    if (options_parse(argc, argv, options, &wanted, &operands, status)) return status->code;
    char *path = model_path_of(argv[1]), hex[65] = "";
    H5File *file;
    if (comm_rank(context->comm) == 0) model_check_there(path, status);
    if (!comm_agree(context->comm, status) && !checkpoint_open(path, context->comm, &file, status)) {
        if (context->log->speaks && h5_lacks_sum(file)) h5_note_missing_sum(path);
        h5_digest(file, hex, status);
        h5_close(&file, status);
    }
    if (!status->code && comm_rank(context->comm) == 0) {
        Output *output = output_create(format, OUTPUT_LINES);
        output_record(output);
        output_text(output, "digest", "", hex);
        if (format != OUTPUT_TEXT) output_text(output, "model", NULL, path);
        output_print(output);
        output_destroy(&output);
    }
    mem_free(path);
    return status->code;
}

const Command command_digest = {
    .name = "digest",
    .run = cmd_digest,
    .usage = "digest MODEL.h5 [--json | --csv]",
    .help = "Prints a SHA-256 of the model's content: the same for any number of ranks and threads.",
};
