/* What the watchdog says. */
#ifndef PARDIGITS_PARALLEL_WATCH_TEXT_H
#define PARDIGITS_PARALLEL_WATCH_TEXT_H

#include "parallel/watch_states.h"

enum { WATCH_TEXT = 1024 };

/* Whether another thread of this process than the calling one runs or waits for a processor. */
bool watch_is_ready(void);

/* Whether the process of a rank on this node has ended, even if nobody has taken note of that yet. */
bool watch_has_ended(const Watch *watch, int rank);

/* One line on standard error, "pardigits: rank N: ...". */
void watch_say(const Watch *watch, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds a rank to a text, such as "rank 2 (host c3, PID 812) is behind: silent for 2.0 s, last in phase
 * reduction, step 37". */
void watch_describe(const Watch *watch, int rank, double now_s, char text[WATCH_TEXT]);

/* All ranks, which wait for each other. */
void watch_describe_all(const Watch *watch, char text[WATCH_TEXT]);

#endif
