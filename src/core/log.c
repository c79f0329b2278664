#include "core/log.h"

#include "core/timer.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

Log log_create(int rank) {
    return (Log){.speaks = rank == 0, .terminal = isatty(STDERR_FILENO), .shown_s = timer_now_s()};
}

void log_line(Log *log, const char *format, ...) {
    if (!log->speaks) return;
    if (log->line_is_open) fputs("\r\033[K", stderr);
    log->line_is_open = false;
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void log_progress(Log *log, const char *format, ...) {
    double now = timer_now_s(), pause_s = log->terminal ? 0.2 : 30;
    if (!log->speaks || now - log->shown_s < pause_s) return;
    log->shown_s = now;
    if (log->terminal) fputs("\r\033[K", stderr);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    if (!log->terminal) fputc('\n', stderr);
    log->line_is_open = log->terminal;
    fflush(stderr);
}
