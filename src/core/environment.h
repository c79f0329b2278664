/* Variables of the environment. */
#ifndef PARDIGITS_CORE_ENVIRONMENT_H
#define PARDIGITS_CORE_ENVIRONMENT_H

/* A variable of the environment if it is a number from 1 to `most` (the first of a list); otherwise 0. */
int environment_number(const char *name, int most);

#endif
