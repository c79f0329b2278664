#define _GNU_SOURCE
#include "parallel/watch_text.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The state of a process or thread in /proc: R, S, D, T, Z, ...; 0: there is none. */
static char state_in(const char *path) {
    char text[512];
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    const size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = 0;
    const char *name_end = strrchr(text, ')'); /* PID (NAME) STATE */
    return name_end && name_end[1] ? name_end[2] : 0;
}

static char process_state(int pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    return state_in(path);
}

bool watch_is_ready(void) {
    DIR *threads = opendir("/proc/self/task");
    bool ready = false;
    if (!threads) return false;
    for (const struct dirent *entry; !ready && (entry = readdir(threads));) {
        char path[64];
        const int thread = atoi(entry->d_name);
        snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
        ready = thread > 0 && thread != (int)gettid() && state_in(path) == 'R';
    }
    closedir(threads);
    return ready;
}

bool watch_has_ended(const Watch *watch, int rank) {
    if (!watch_is_here(watch, rank)) return false;
    const char state = process_state(watch->members[rank].pid);
    return state == 0 || state == 'Z' || state == 'X';
}

void watch_say(const Watch *watch, const char *format, ...) {
    char line[WATCH_TEXT + 256];
    va_list args;
    int length = snprintf(line, sizeof line, "pardigits: rank %d: ", watch->rank);
    va_start(args, format);
    length += vsnprintf(line + length, sizeof line - (size_t)length - 1, format, args);
    va_end(args);
    if (length > (int)sizeof line - 2) length = (int)sizeof line - 2;
    line[length++] = '\n';
    (void)!write(STDERR_FILENO, line, (size_t)length); /* whole, beside those of other ranks */
}

static void add(char text[WATCH_TEXT], const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(char text[WATCH_TEXT], const char *format, ...) {
    const size_t length = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + length, WATCH_TEXT - length, format, args);
    va_end(args);
}

static void add_name(const Watch *watch, int rank, char text[WATCH_TEXT]) {
    const Member *member = &watch->members[rank];
    add(text, "rank %d (host %s, PID %d)", rank, member->host, (int)member->pid);
}

static void add_phase(const Watch *watch, int rank, char text[WATCH_TEXT]) {
    const ProgressRecord *record = &watch->states[rank].progress;
    const ProgressPhaseText *phase = &progress_phases[atomic_load(&record->phase)];
    add(text, "phase %s", phase->name);
    if (phase->number) add(text, ", %s %lld", phase->number, (long long)atomic_load(&record->number));
}

/* How a rank is behind: what its own node can tell, or what is known from afar. */
static void add_reason(const Watch *watch, int rank, double now_s, char text[WATCH_TEXT]) {
    const double silent_s = watch_silent_s(watch, rank, now_s);
    const char state = watch_is_here(watch, rank) ? process_state(watch->members[rank].pid) : 'S';
    if (watch_has_ended(watch, rank))
        add(text, "it ended %.1f s ago", silent_s);
    else if (state == 'T' || state == 't')
        add(text, "it has been stopped for %.1f s", silent_s);
    else if (!watch_is_alive(watch, rank, now_s))
        add(text, "silent for %.1f s", silent_s);
    else
        add(text, "no progress for %.1f s", 1e-3 * atomic_load(&watch->states[rank].stuck_ms) + silent_s);
}

void watch_describe(const Watch *watch, int rank, double now_s, char text[WATCH_TEXT]) {
    if (*text) add(text, "; ");
    add_name(watch, rank, text);
    add(text, " is behind: ");
    add_reason(watch, rank, now_s, text);
    add(text, ", last in ");
    add_phase(watch, rank, text);
}

void watch_describe_all(const Watch *watch, char text[WATCH_TEXT]) {
    enum { SHOWN = 8 };
    add(text, "all ranks wait for each other: ");
    for (int r = 0; r < watch->size && r < SHOWN; r++) {
        if (r) add(text, "; ");
        add_name(watch, r, text);
        add(text, " in ");
        add_phase(watch, r, text);
    }
}
