/* What this processor and Linux grant beyond the instructions of the build, which are checked at the start.
 */
#ifndef PARDIGITS_CORE_CPU_H
#define PARDIGITS_CORE_CPU_H

#include <stdbool.h>

/* Asks Linux (5.16 or later) for AMX's matrix tiles, for all threads of the process. false: refused, or the
 * build's instruction set has none. The answer doesn't change while the process runs. */
bool cpu_tiles_granted(void);

#endif
