/* What people read while the program works: standard error, rank 0 only. Results go to standard output
 * instead. */
#ifndef PARDIGITS_CORE_LOG_H
#define PARDIGITS_CORE_LOG_H

#include <stdbool.h>

typedef struct {
    bool speaks;       /* rank 0 */
    bool terminal;     /* standard error is a terminal: progress is one line, rewritten */
    double shown_s;    /* when progress was last shown (timer_now_s) */
    bool line_is_open; /* a progress line waits to be rewritten or ended */
} Log;

/* The log of a rank. */
Log log_create(int rank);

/* One plain line. Ends an open progress line first. */
void log_line(Log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The state of work under way, e.g. "epoch 3: 51200/60000 images, 8100 images/s, 12 s left". On a terminal it
 * rewrites its line 5 times a second at most; in a batch log it is a plain line every 30 s at most. */
void log_progress(Log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
