#include "core/environment.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

int environment_number(const char *name, int most) {
    const char *text = getenv(name);
    char *end;
    if (!text) return 0;
    errno = 0;
    const long number = strtol(text, &end, 10);
    const bool good = end != text && (!*end || *end == ',') && !errno && number > 0 && number <= most;
    return good ? (int)number : 0;
}
