/* Wall-clock time for progress and metrics. */
#ifndef PARDIGITS_TIMER_H
#define PARDIGITS_TIMER_H

/* Seconds since an arbitrary start, monotonic. */
double timer_now_s(void);

#endif
