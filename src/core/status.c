#include "core/status.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void (*leave_program)(int) = exit;
static int fatal_output = STDERR_FILENO;

#undef status_set
StatusCode status_set(Status *status, StatusCode code, const char *format, ...) {
    if (status->code != STATUS_OK) return status->code;
    status->code = code;
    va_list args;
    va_start(args, format);
    vsnprintf(status->text, sizeof status->text, format, args);
    va_end(args);
    for (char *at = status->text; *at; at++) /* of a file's name: a sentence is one line */
        if (iscntrl((unsigned char)*at)) *at = '?';
    return code;
}

void fatal(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fflush(stderr);
    dprintf(fatal_output, "pardigits: ");
    vdprintf(fatal_output, format, args);
    dprintf(fatal_output, "\n");
    va_end(args);
    leave_program(STATUS_FAILED);
    abort();
}

void fatal_set_output(int descriptor) {
    fatal_output = descriptor;
}

void fatal_set_exit(void (*leave)(int exit_code)) {
    leave_program = leave;
}
