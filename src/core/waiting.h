/* Waits for other threads, ranks or hosts, by looking again and again. */
#ifndef PARDIGITS_CORE_WAITING_H
#define PARDIGITS_CORE_WAITING_H

typedef struct {
    double began_s;
} Waiting;

/* Also sets the calling thread's timer slack (prctl) to 1 us, for as long as the thread lives. */
Waiting waiting_begin(void);

/* Between two looks. At first the core goes to whoever else is ready, so that a short wait ends at once;
 * after 0.1 ms the thread sleeps for some tens of microseconds, so that a long one leaves the core to ranks
 * that compute on it. */
void waiting_pause(const Waiting *waiting);

#endif
