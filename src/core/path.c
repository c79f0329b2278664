#include "core/path.h"

#include "core/mem.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

bool path_is_folder(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

bool path_is_same(const char *a, const char *b) {
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

char *path_join(const char *folder, const char *name) {
    const size_t length = strlen(folder), size = length + strlen(name) + 2;
    const bool ends = length > 0 && folder[length - 1] == '/';
    char *path = mem_new(size, 1);
    snprintf(path, size, "%s%s%s", folder, ends ? "" : "/", name);
    return path;
}
