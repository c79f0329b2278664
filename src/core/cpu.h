/* Processor features that Linux must grant at run time, beyond the instructions of the build. */
#ifndef PARDIGITS_CORE_CPU_H
#define PARDIGITS_CORE_CPU_H

#include <stdbool.h>

/* Requests AMX's matrix tiles from Linux (5.16 or later) for all threads of the process. Returns false if
 * Linux refuses, or if the build has no AMX. The answer stays the same while the process runs. */
bool cpu_tiles_granted(void);

#endif
