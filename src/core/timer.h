/* Wall-clock time for progress and metrics, and times of files. */
#ifndef PARDIGITS_CORE_TIMER_H
#define PARDIGITS_CORE_TIMER_H

#include <stdbool.h>
#include <time.h>

/* Seconds since an arbitrary start; never decreases. */
double timer_now_s(void);

/* Whether a is before b. */
static inline bool timespec_before(struct timespec a, struct timespec b) {
    return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

#endif
