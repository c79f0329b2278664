#define _DEFAULT_SOURCE
#include "core/host.h"

#include <string.h>
#include <unistd.h>

void host_name(char text[HOST_NAME]) {
    memset(text, 0, HOST_NAME); /* it is sent to other ranks whole */
    if (gethostname(text, HOST_NAME)) strcpy(text, "-");
    text[HOST_NAME - 1] = 0;
}
