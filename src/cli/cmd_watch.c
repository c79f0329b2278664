/* pardigits watch: how a run goes, from its metrics. Rank 0 works alone. */
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/run_folder.h"

#include "core/mem.h"
#include "core/text_buffer.h"
#include "core/timer.h"
#include "core/utf8.h"
#include "ensemble/families.h"
#include "ensemble/member_files.h"
#include "report/run_progress.h"
#include "store/run_lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    const char *run;
    bool once;
    double every_s;
    OutputFormat format;
    RunFolder folder;
} WatchArguments;

/* What was seen last; a run replaces the file each time it writes. */
typedef struct {
    ino_t inode; /* 0: no file */
    time_t modified_s;
} FileStamp;

/* A reading that failed is tried again so often. */
enum { TRIES = 5 };

static StatusCode parse(int argc, char **argv, WatchArguments *arguments, Status *status) {
    const char *every = NULL;
    const Option options[] = {{.name = "once", .flag = &arguments->once},
                              {.name = "every", .value = &every},
                              OPTIONS_OF_FORMAT(&arguments->format),
                              {0}};
    static const char *const names[] = {"RUN"};
    int operands;
    if (options_parse(argc, argv, options, &(Operands){1, 1, names}, &operands, status)) return status->code;
    arguments->run = argv[1];
    if (every && arguments->once)
        return status_set(status, STATUS_USAGE, "--once and --every exclude each other.");
    return every ? option_real("every", every, 0.1, 86400, &arguments->every_s, status) : STATUS_OK;
}

static void sleep_s(double seconds) {
    const struct timespec time = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};
    nanosleep(&time, NULL);
}

/* Whether the file has changed since it was last seen. It is opened, because a shared file system may answer
 * a question for the name alone from what it remembers. */
static bool has_changed(const char *path, FileStamp *seen) {
    struct stat facts = {0};
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        fstat(file, &facts);
        close(file);
    }
    if (facts.st_ino == seen->inode && facts.st_mtime == seen->modified_s) return false;
    *seen = (FileStamp){facts.st_ino, facts.st_mtime};
    return true;
}

/* The last picture. */
typedef struct {
    int lines;           /* 0: there is none yet */
    struct winsize size; /* of the terminal */
} Picture;

/* Of standard output's terminal; zeros: unknown. */
static struct winsize terminal_size(void) {
    struct winsize size = {0};
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    return size;
}

/* Only as much as the terminal shows without wrapping or scrolling: what is up there couldn't be drawn over.
 * Returns the lines. */
static int print_within(const char *text, const struct winsize *size) {
    int lines = 0;
    for (; *text && (!size->ws_row || lines + 1 < size->ws_row); lines++) {
        const size_t length = strcspn(text, "\n");
        printf("%.*s\n", size->ws_col ? utf8_line_within(text, size->ws_col) : (int)length, text);
        text += length + (text[length] == '\n');
    }
    return lines;
}

/* Over the last picture; the last one of a run that has ended is whole. */
static void redraw(const char *text, bool ended, Picture *last) {
    const struct winsize size = terminal_size();
    const bool resized = size.ws_col != last->size.ws_col || size.ws_row != last->size.ws_row;
    if (last->lines && resized)
        printf("\033[H\033[2J"); /* its lines may have been wrapped again */
    else if (last->lines)
        printf("\033[%dA\033[J", last->lines);
    last->size = size;
    last->lines = ended ? 0 : print_within(text, &size);
    if (ended) fputs(text, stdout);
}

static void print(const Output *output, bool terminal, bool ended, Picture *last) {
    TextBuffer text;
    text_buffer_init(&text);
    output_write(output, text.file);
    if (terminal) {
        redraw(text_buffer_text(&text), ended, last);
    } else {
        if (last->lines && output_format(output) == OUTPUT_TEXT) putchar('\n');
        text_buffer_print(&text, stdout);
        last->lines = 1;
    }
    fflush(stdout);
    text_buffer_free(&text);
}

/* Whether a file was written before another one, or isn't there. */
static bool is_older(const char *path, const char *other) {
    struct stat facts, others;
    if (stat(path, &facts)) return true;
    if (stat(other, &others)) return false;
    return timespec_before(facts.st_mtim, others.st_mtim);
}

/* An ensemble's metrics are written when it ends, is stopped or goes on; those of the member that were
 * written last stand for it meanwhile. Freed by mem_free(path). */
static RunMetrics find_metrics(const WatchArguments *arguments) {
    int member;
    char *path = member_files_newest_metrics(arguments->folder.model, &member);
    if (path && is_older(arguments->folder.metrics, path)) return (RunMetrics){path, member};
    mem_free(path);
    return (RunMetrics){mem_text(arguments->folder.metrics), -1};
}

/* Reads and prints once; held: the lock before. */
static StatusCode look(const WatchArguments *arguments, const RunMetrics *metrics, bool held,
                       RunProgress *progress, Picture *last, Status *status) {
    const bool terminal = !arguments->once && arguments->format == OUTPUT_TEXT && isatty(STDOUT_FILENO);
    Output *output = output_create(arguments->format, OUTPUT_LINES);
    if (!run_progress_read(progress, metrics, &model_families.keys, held, output, status))
        print(output, terminal, progress->state != RUN_GOING_ON, last);
    output_destroy(&output);
    return status->code;
}

/* Whether a run began in this folder, whose lock nobody holds: a killed one leaves its lock, one that failed
 * its configuration. */
static bool has_begun(const WatchArguments *arguments) {
    return run_lock_is_left(arguments->run) || access(arguments->folder.config, F_OK) == 0;
}

static bool has_members(const WatchArguments *arguments) {
    int member;
    char *path = member_files_newest_metrics(arguments->folder.model, &member);
    const bool any = path != NULL;
    mem_free(path);
    return any;
}

static StatusCode set_abandoned(const WatchArguments *arguments, Status *status) {
    if (access(arguments->run, F_OK))
        return status_set(
            status, STATUS_FAILED,
            "%s isn't there any more: it was moved, renamed or removed; name the folder as it is "
            "called now.",
            arguments->run);
    if (run_progress_model_is_complete(arguments->folder.metrics))
        return status_set(status, STATUS_FAILED, "%s is complete, but has no metrics.h5 to be shown.",
                          arguments->run);
    if (access(arguments->folder.metrics, F_OK) && access(arguments->folder.model, F_OK) &&
        !has_members(arguments))
        return status_set(status, STATUS_FAILED,
                          "%s has saved nothing, and nobody works on it any more: its log says why; train it "
                          "again.",
                          arguments->run);
    return status_set(status, STATUS_FAILED,
                      "%s isn't complete, but nobody works on it any more: continue it with `pardigits train "
                      "... --resume`.",
                      arguments->run);
}

static StatusCode set_diverged(const WatchArguments *arguments, Status *status) {
    return status_set(
        status, STATUS_FAILED,
        "%s isn't complete: its training diverged, as it would again with --resume; lower cnn.lr "
        "and begin it anew with --overwrite.",
        arguments->run);
}

/* Whether a folder has entries, all of which have names of their own: not those of a run. */
static bool is_used_otherwise(const char *folder) {
    bool used = false, run = false;
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        used = true;
        run = run || run_folder_is_file(entry->d_name); /* a batch job's log may lie beside them */
    }
    if (entries) closedir(entries);
    return used && !run;
}

static StatusCode check_folder(const char *run, Status *status) {
    struct stat facts;
    if (stat(run, &facts))
        return status_set(status, STATUS_FAILED, "%s can't be read: %s; expected the folder of a run.", run,
                          strerror(errno));
    if (!S_ISDIR(facts.st_mode))
        return status_set(status, STATUS_FAILED, "%s isn't a folder: expected that of a run.", run);
    if (is_used_otherwise(run))
        return status_set(status, STATUS_FAILED,
                          "%s has other files, but none of a run: expected the folder of a run.", run);
    return STATUS_OK;
}

/* What is known of a run that is watched until it ends, from one look to the next. */
typedef struct {
    FileStamp seen;
    RunProgress progress;
    Picture picture;
    int failed;
    bool begun;
} Following;

/* Whether the run has ended, or can't be followed; the lock is asked before the metrics, as a run that ends
 * writes those first. */
static bool take_turn(const WatchArguments *arguments, Following *now, Status *status) {
    const bool held = run_lock_is_held(arguments->run);
    RunMetrics metrics = find_metrics(arguments);
    const bool changed = has_changed(metrics.path, &now->seen);
    bool ends = false;
    now->begun = now->begun || held || has_begun(arguments);
    if (!now->seen.inode) {
        now->failed = (now->begun && !held) || access(arguments->run, F_OK) ? now->failed + 1 : 0;
        ends = now->failed == TRIES;
        if (ends) set_abandoned(arguments, status);
    } else if (changed || !held) {
        now->failed =
            look(arguments, &metrics, held, &now->progress, &now->picture, status) ? now->failed + 1 : 0;
        if (now->failed) now->seen = (FileStamp){0};
        ends = now->failed ? now->failed == TRIES : now->progress.state != RUN_GOING_ON;
    }
    mem_free(metrics.path);
    return ends;
}

/* Until the run has ended. A run that has just begun has no metrics yet, and a file that is being replaced on
 * a shared file system may be missing for a moment: both are tried again. */
static StatusCode follow(const WatchArguments *arguments, Log *log, Status *status) {
    Following now = {0};
    RunMetrics metrics = find_metrics(arguments);
    if (access(metrics.path, F_OK)) log_line(log, "%s has no metrics yet: waiting", arguments->run);
    mem_free(metrics.path);
    while (!take_turn(arguments, &now, status)) {
        *status = (Status){0};
        if (ferror(stdout)) break; /* nobody reads it, or its disk is full: main says so */
        sleep_s(arguments->every_s);
    }
    if (!status->code && now.progress.state == RUN_ABANDONED) set_abandoned(arguments, status);
    if (!status->code && now.progress.state == RUN_DIVERGED) set_diverged(arguments, status);
    return status->code;
}

static StatusCode watch_once(const WatchArguments *arguments, Status *status) {
    RunProgress progress;
    Picture picture = {0};
    const bool held = run_lock_is_held(arguments->run);
    RunMetrics metrics = find_metrics(arguments);
    if (access(metrics.path, F_OK) == 0)
        look(arguments, &metrics, held, &progress, &picture, status);
    else if (held)
        status_set(status, STATUS_FAILED, "%s has no metrics yet: its run has only just begun.",
                   arguments->run);
    else if (has_begun(arguments))
        set_abandoned(arguments, status);
    else
        status_set(status, STATUS_FAILED, "%s has no metrics.h5: it isn't a run, or has only just begun.",
                   arguments->run);
    mem_free(metrics.path);
    return status->code;
}

static StatusCode watch_run(const WatchArguments *arguments, Log *log, Status *status) {
    if (check_folder(arguments->run, status)) return status->code;
    return arguments->once ? watch_once(arguments, status) : follow(arguments, log, status);
}

static StatusCode cmd_watch(const Context *context, int argc, char **argv, Status *status) {
    WatchArguments arguments = {.run = "", .format = OUTPUT_TEXT, .every_s = 2};
    if (!parse(argc, argv, &arguments, status) && comm_rank(context->comm) == 0) {
        arguments.folder = run_folder_new(arguments.run);
        watch_run(&arguments, context->log, status);
        run_folder_free(&arguments.folder);
    }
    return comm_agree(context->comm, status);
}

const Command command_watch = {
    .name = "watch",
    .run = cmd_watch,
    .usage = "watch RUN [--once | --every SECONDS] [--json | --csv]",
    .help = "Shows how a run goes until it ends: place, images a second, time left, curves; from its "
            "metrics, which may lie on a\n"
            "shared file system.\n"
            "  --once        shows it once\n"
            "  --every       looks for news so often; default: 2 seconds",
};
