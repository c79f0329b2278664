#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void (*leave_program)(int) = exit;

StatusCode status_set(Status *status, StatusCode code, const char *format, ...) {
    if (status->code != STATUS_OK) return status->code;
    status->code = code;
    va_list args;
    va_start(args, format);
    vsnprintf(status->text, sizeof status->text, format, args);
    va_end(args);
    return code;
}

void fatal(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("pardigits: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    leave_program(STATUS_FAILED);
    abort();
}

void fatal_set_exit(void (*leave)(int exit_code)) {
    leave_program = leave;
}
