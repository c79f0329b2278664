/* What Linux lets this process have: limits of control groups (containers, Slurm jobs, systemd) in both
 * versions, which neither the affinity mask nor malloc know. */
#ifndef PARDIGITS_CORE_LIMITS_H
#define PARDIGITS_CORE_LIMITS_H

#include <stdint.h>

/* CPUs' worth of time that the process's control group, or one above it, allows; a large number without a
 * limit. root: "" or, in tests, the folder in front of /proc and /sys. */
double limits_cpu_quota(const char *root);

/* Bytes that the control group, or one above it, can still take before the kernel kills; INT64_MAX without a
 * limit. */
int64_t limits_memory_left(const char *root);

/* A number that is the same for processes of one control group that limits CPU time: they share the quota. */
uint64_t limits_cpu_group(const char *root);

#define LIMITS_NO_QUOTA 1e9

#endif
