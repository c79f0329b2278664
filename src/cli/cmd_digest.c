#include "cli/cli.h"

#include "store/checkpoint.h"

#include <stdio.h>

StatusCode cmd_digest(const Context *context, int argc, char **argv, Status *status) {
    int operands;
    if (options_parse(argc, argv, (Option[]){{0}}, 1, 1, &operands, status)) return status->code;
    H5File *file;
    if (checkpoint_open(argv[1], context->comm, &file, status)) return status->code;
    char hex[65] = "";
    h5_digest(file, hex, status);
    h5_close(&file, status);
    if (!status->code && comm_rank(context->comm) == 0) puts(hex);
    return finish_output(status);
}
