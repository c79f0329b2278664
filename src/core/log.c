#include "core/log.h"

#include "core/timer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* What Slurm, PBS, LSF and Grid Engine set in their jobs. */
static bool is_batch_job(void) {
    static const char *const names[] = {"SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i])) return true;
    return false;
}

Log log_create(int rank) {
    const bool terminal = isatty(STDERR_FILENO);
    return (Log){.speaks = rank == 0,
                 .terminal = terminal,
                 .in_job = !terminal && is_batch_job(),
                 .shown_s = timer_now_s()};
}

static void print(const Log *log, const char *format, va_list args) {
    if (log->in_job) {
        char text[32];
        const time_t now = time(NULL);
        struct tm parts;
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", localtime_r(&now, &parts));
        fprintf(stderr, "%s ", text);
    }
    vfprintf(stderr, format, args);
}

static void print_line(Log *log, const char *format, va_list args) {
    if (log->line_is_open) fputs("\r\033[K", stderr);
    log->line_is_open = false;
    print(log, format, args);
    fputc('\n', stderr);
}

void log_line(Log *log, const char *format, ...) {
    if (!log->speaks) return;
    va_list args;
    va_start(args, format);
    print_line(log, format, args);
    va_end(args);
}

void log_line_in_job(Log *log, const char *format, ...) {
    if (!log->speaks || !log->in_job) return;
    va_list args;
    va_start(args, format);
    print_line(log, format, args);
    va_end(args);
}

void log_progress(Log *log, const char *format, ...) {
    double now = timer_now_s(), pause_s = log->terminal ? 0.2 : 30;
    if (!log->speaks || now - log->shown_s < pause_s) return;
    log->shown_s = now;
    if (log->terminal) fputs("\r\033[K", stderr);
    va_list args;
    va_start(args, format);
    print(log, format, args);
    va_end(args);
    if (!log->terminal) fputc('\n', stderr);
    log->line_is_open = log->terminal;
    fflush(stderr);
}
