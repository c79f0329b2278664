/* pardigits: the dispatch table. */
#include "cli/cli.h"
#include "cli/same_start.h"

#include "api/build_info.h"
#include "parallel/placement.h"
#include "parallel/stop.h"
#include "parallel/watchdog.h"
#include "store/h5io.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const Command *const commands[] = {
    &command_prepare, &command_train,  &command_evaluate, &command_predict, &command_show,
    &command_digest,  &command_export, &command_import,   &command_scaling, &command_report,
    &command_watch,   &command_keys,   &command_bench,
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_help(FILE *file) {
    fputs("pardigits: trains and uses classifiers of small grey images in parallel (MPI ranks x OpenMP "
          "threads)\n\n",
          file);
    for (int c = 0; c < COMMANDS; c++)
        fprintf(file, "  pardigits %s\n", commands[c]->usage);
    fputs("  pardigits --version\n", file);
    fputs("\nEvery command also runs under mpirun or srun. By default `train` takes the dataset run.data "
          "or " DEFAULT_DATA ",\nother commands that of the model.\n"
          "Exit codes: 0 done; 1 failed at work; 2 the command line or the configuration is wrong; 75 "
          "stopped by a\nsignal after saving (run again with --resume).\n",
          file);
}

static int find_command(const char *name) {
    for (int c = 0; c < COMMANDS; c++)
        if (name && !strcmp(commands[c]->name, name)) return c;
    return -1;
}

static bool is_version(const char *word) {
    return !strcmp(word, "--version") || !strcmp(word, "version");
}

/* Help and version need no MPI, so that they work on a login node too. Returns whether it was asked for. */
static bool answer_help(int argc, char **argv) {
    if (argc == 2 && is_version(argv[1])) {
        build_info_print(stdout);
        return true;
    }
    const bool by_name = argc > 1 && !strcmp(argv[1], "help");
    bool asked = by_name;
    for (int i = 1; i < argc; i++)
        asked = asked || !strcmp(argv[i], "--help") || (i < 3 && !strcmp(argv[i], "-h"));
    if (!asked) return false;
    int c = find_command(by_name ? argv[2] : argv[1]); /* argv ends with NULL */
    if (c < 0)
        print_help(stdout);
    else
        printf("pardigits %s\n\n%s\n", commands[c]->usage, commands[c]->help);
    return true;
}

/* Ends what a command prints: a write that failed (a full disk) is an error. */
static StatusCode finish_output(Status *status) {
    if (fflush(stdout) || ferror(stdout))
        status_set(status, STATUS_FAILED,
                   "Standard output couldn't be written: the disk or pipe it goes to is gone.");
    return status->code;
}

static StatusCode run_command(const Comm *comm, int argc, char **argv, Status *status) {
    if (require_same_arguments(comm, argc, argv, status)) return status->code;
    int c = find_command(argc > 1 ? argv[1] : NULL);
    if (argc > 2 && is_version(argv[1]))
        return status_set(status, STATUS_USAGE, "%s takes no arguments: omit %s.", argv[1], argv[2]);
    if (c < 0)
        return status_set(status, STATUS_USAGE, "%s%s; see `pardigits --help`.",
                          argc > 1 ? "There is no command " : "No command was given",
                          argc > 1 ? argv[1] : "");
    if (require_same_build(comm, status)) return status->code;
    Log log = log_create(comm_rank(comm));
    const Context context = {comm, &log, placement_threads(comm)};
    commands[c]->run(&context, argc - 1, argv + 1, status);
    finish_output(status);
    return comm_agree(comm, status);
}

/* The ranks of this run. Starting MPI takes longer than most commands do, so those that don't need it with
 * one rank start it only where there may be several. */
static Comm *start_ranks(int *argc, char ***argv) {
    const int c = find_command(*argc > 1 ? (*argv)[1] : NULL);
    return comm_was_launched() || (c >= 0 && commands[c]->needs_mpi) ? comm_init(argc, argv) : comm_alone();
}

/* Signals that come while a job's ranks start are for the work that follows. */
static void take_signals(int argc, char **argv, char **environment) {
    (void)environment;
    if (argc > 1 && !strcmp(argv[1], "train"))
        stop_install();
    else
        stop_exit_on_signal("run it again");
}

/* The libraries set themselves up before main, which takes some milliseconds: this is called before that. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
__attribute__((section(".preinit_array"),
               used)) static void (*const before_libraries)(int, char **, char **) = take_signals;
#endif

int main(int argc, char **argv) {
    Status status = {0};
    if (answer_help(argc, argv)) {
        if (finish_output(&status)) fprintf(stderr, "pardigits: %s\n", status.text);
        return status.code;
    }
    h5_skip_cleanup();
    signal(SIGXFSZ, SIG_IGN); /* a file beyond a limit (ulimit -f) can't be written, and a sentence says so */
    take_signals(argc, argv, NULL);
    Comm *comm = start_ranks(&argc, &argv);
    Watchdog *watchdog = watchdog_start(comm);
    run_command(comm, argc, argv, &status);
    stop_note_only();
    if (status.code && comm_rank(comm) == 0) fprintf(stderr, "pardigits: %s\n", status.text);
    watchdog_stop(&watchdog);
    if (h5_is_stuck()) _exit(fflush(NULL) ? STATUS_FAILED : status.code);
    comm_finalize(&comm);
    return status.code;
}
