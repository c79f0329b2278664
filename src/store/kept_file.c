#include "store/kept_file.h"

#include "core/mem.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* STEM.AS.ENDING, or STEM.AS-NUMBER.ENDING from 2 on, of STEM.ENDING. Freed by the caller. */
static char *numbered(const char *path, const char *as, int number) {
    const char *ending = strrchr(path, '.');
    const size_t size = strlen(path) + strlen(as) + 16;
    char *name = mem_new(size, 1), count[16] = "";
    if (number > 1) snprintf(count, sizeof count, "-%d", number);
    snprintf(name, size, "%.*s.%s%s%s", (int)(ending - path), path, as, count, ending);
    return name;
}

char *kept_file_path(const char *path, const char *as) {
    struct stat there;
    for (int number = 1; number <= KEPT_FILES_MOST; number++) {
        char *name = numbered(path, as, number);
        if (lstat(name, &there)) return name;
        mem_free(name);
    }
    return NULL;
}

char *kept_file_set_aside(const char *path, const char *as) {
    char *name = kept_file_path(path, as);
    if (!name || rename(path, name) == 0) return name;
    mem_free(name);
    return NULL;
}

bool kept_file_is(const char *name, const char *as) {
    const char *ending = strrchr(name, '.'), *at = ending;
    while (at && at > name && (at == ending || *at != '.'))
        at--;
    if (!at || *at != '.' || at == ending || strncmp(at + 1, as, strlen(as))) return false;
    const char *number = at + 1 + strlen(as);
    return number == ending || (*number == '-' && number + 1 + strspn(number + 1, "0123456789") == ending);
}
