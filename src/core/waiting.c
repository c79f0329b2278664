#include "core/waiting.h"

#include "core/timer.h"

#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

static const double yielding_s = 1e-4;

Waiting waiting_begin(void) {
    /* else Linux ends a nap up to 50 us late */
    prctl(PR_SET_TIMERSLACK, 1000UL /* ns */, 0UL, 0UL, 0UL);
    return (Waiting){timer_now_s()};
}

void waiting_pause(const Waiting *waiting) {
    const struct timespec nap = {0, 20000};
    if (timer_now_s() - waiting->began_s < yielding_s)
        sched_yield();
    else
        nanosleep(&nap, NULL);
}
