#include "core/path.h"

#include "core/mem.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool path_is_folder(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

bool path_is_same(const char *a, const char *b) {
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

const char *path_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *path_folder(const char *path) {
    const size_t length = (size_t)(path_name(path) - path);
    if (length == 0) return mem_text(".");
    char *folder = mem_text(path);
    folder[length > 1 ? length - 1 : 1] = 0;
    return folder;
}

bool path_names_same(const char *a, const char *b) {
    char *in_a = path_folder(a), *in_b = path_folder(b);
    const bool same = path_is_same(a, b) || (path_is_same(in_a, in_b) && !strcmp(path_name(a), path_name(b)));
    mem_free(in_a);
    mem_free(in_b);
    return same;
}

char *path_join(const char *folder, const char *name) {
    const size_t length = strlen(folder), size = length + strlen(name) + 2;
    const bool ends = length > 0 && folder[length - 1] == '/';
    char *path = mem_new(size, 1);
    snprintf(path, size, "%s%s%s", folder, ends ? "" : "/", name);
    return path;
}

bool path_holds(const char *folder, const char *name) {
    char *path = path_join(folder, name);
    const bool is_there = access(path, F_OK) == 0;
    mem_free(path);
    return is_there;
}
