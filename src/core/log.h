/* Messages for people while the program works: on standard error, from rank 0 only. Results go to standard
 * output. */
#ifndef PARDIGITS_CORE_LOG_H
#define PARDIGITS_CORE_LOG_H

#include <stdbool.h>

typedef struct {
    bool speaks;       /* rank 0 */
    bool terminal;     /* standard error is a terminal: progress is one line, rewritten */
    bool in_job;       /* this is a batch job, whose lines begin with date and time */
    double shown_s;    /* when progress was last shown (timer_now_s) */
    bool line_is_open; /* the last output is a progress line without its newline */
} Log;

/* The log of one rank; it needs no freeing. */
Log log_create(int rank);

/* Prints one line in a batch job, such as what only its log needs to say. */
void log_line_in_job(Log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints one line. Ends an open progress line first. */
void log_line(Log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Shows progress, such as "epoch 3: 51200/60000 images, 8100 images/s, 12 s left". On a terminal the line is
 * rewritten at most 5 times a second; in a batch log there is at most one line every 30 s. */
void log_progress(Log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
