/* The name of this machine. */
#ifndef PARDIGITS_CORE_HOST_H
#define PARDIGITS_CORE_HOST_H

enum { HOST_NAME = 65 }; /* bytes of the longest name on Linux, with its end */

/* "-" where the system doesn't say it. */
void host_name(char text[HOST_NAME]);

#endif
