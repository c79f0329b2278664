/* Wall-clock time for progress and metrics. */
#ifndef PARDIGITS_CORE_TIMER_H
#define PARDIGITS_CORE_TIMER_H

/* Seconds since an arbitrary start; never decreases. */
double timer_now_s(void);

#endif
