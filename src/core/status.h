/* How a function reports that it failed: a code, and one sentence for the user.
 *
 * An expected failure (a file, the configuration, a signal) is a status: the function writes the sentence and
 * returns the code, and its caller passes both on. Lack of memory and bugs end the program through fatal().
 */
#ifndef PARDIGITS_CORE_STATUS_H
#define PARDIGITS_CORE_STATUS_H

/* The values are the program's exit codes. */
typedef enum {
    STATUS_OK = 0,
    STATUS_FAILED = 1,   /* the work failed: I/O, a damaged file */
    STATUS_USAGE = 2,    /* the command line or the configuration is wrong */
    STATUS_STOPPED = 75, /* stopped by a signal after saving (EX_TEMPFAIL): run again with --resume */
} StatusCode;

typedef struct {
    StatusCode code;
    char text[1024]; /* one sentence: what, where, what was expected, what to do */
} Status;

/* Sets code and sentence, and returns the code. The first failure is kept; later ones don't replace it. */
StatusCode status_set(Status *status, StatusCode code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints "pardigits: <sentence>" to standard error and ends the program on all ranks with exit code 1. For
 * failures that no caller can handle: lack of memory, a failing MPI call, a broken invariant. */
void fatal(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* clang-tidy doesn't see into another file: after status_set() the code isn't STATUS_OK. */
#ifdef __clang_analyzer__
#define status_set(status, ...)                                                                              \
    (status_set((status), __VA_ARGS__), (status)->code ? (status)->code : (fatal(""), STATUS_FAILED))
#endif

/* Sets where fatal() prints, an open file descriptor: for the time in which a library's messages on standard
 * error are thrown away. Not thread-safe. */
void fatal_set_output(int descriptor);

/* Sets how fatal() ends the program. The default is exit(); comm_init() sets MPI_Abort. */
void fatal_set_exit(void (*leave)(int exit_code));

#endif
