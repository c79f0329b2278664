/* The ranks' clocks beside each other: timer_now_s begins anywhere on each host. */
#ifndef PARDIGITS_PARALLEL_CLOCK_H
#define PARDIGITS_PARALLEL_CLOCK_H

#include "parallel/comm.h"

/* Seconds that rank 0's clock is ahead of this rank's: what to add to its times. Of ranks on other hosts it
 * is measured by messages there and back (Cristian 1989: half of the shortest round trip), so it is wrong by
 * less than half of that. Collective; rank 0 asks one rank after the other. */
double clock_offset_s(const Comm *comm);

#endif
