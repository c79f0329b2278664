#include "core/limits.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 4096, LINE_BYTES = PATH_BYTES + 64 };

/* A control group: where it is mounted, and its place there, "/" or "/a/b". */
typedef struct {
    char mount[PATH_BYTES], place[PATH_BYTES];
    bool version_2;
} ControlGroup;

/* Whether a comma separated list has the word. */
static bool list_has(const char *list, const char *word) {
    const size_t length = strlen(word);
    for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == length && !strncmp(at, word, length)) return true;
    return false;
}

/* Takes a line of /proc/self/cgroup, ID:CONTROLLERS:PLACE (in version 2 0::PLACE), if the controller is one
 * of its. */
static bool take_line(char *line, const char *root, const char *controller, ControlGroup *group) {
    line[strcspn(line, "\n")] = 0;
    char *controllers = strchr(line, ':'), *place = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!place) return false;
    *place++ = 0;
    controllers++;
    if (*controllers ? !list_has(controllers, controller) : !group->version_2) return false;
    group->version_2 = !*controllers;
    snprintf(group->place, sizeof group->place, "%s", place);
    snprintf(group->mount, sizeof group->mount, "%s/sys/fs/cgroup%s%s", root, *controllers ? "/" : "",
             controllers);
    return true;
}

/* The group of this process for a controller such as "cpu"; where both versions are mounted it may be in
 * version 1. */
static bool find_group(const char *root, const char *controller, ControlGroup *group) {
    char path[PATH_BYTES], line[LINE_BYTES];
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    for (int version = 1; version <= 2; version++) {
        FILE *file = fopen(path, "r");
        bool found = false;
        while (file && !found && fgets(line, sizeof line, file)) {
            group->version_2 = version == 2;
            found = take_line(line, root, controller, group);
        }
        if (file) fclose(file);
        if (found) return true;
    }
    return false;
}

/* Reads a file of the group into text; false if it isn't there. */
static bool read_group_file(const ControlGroup *group, const char *name, char *text, int size) {
    char path[2 * PATH_BYTES + 64];
    snprintf(path, sizeof path, "%s%s/%s", group->mount, strcmp(group->place, "/") ? group->place : "", name);
    FILE *file = fopen(path, "r");
    if (!file) return false;
    const size_t length = fread(text, 1, (size_t)size - 1, file);
    text[length] = 0;
    fclose(file);
    return length > 0;
}

/* The group above; false at the top. */
static bool go_up(ControlGroup *group) {
    char *slash = strrchr(group->place, '/');
    if (!slash || !strcmp(group->place, "/")) return false;
    if (slash == group->place)
        slash[1] = 0;
    else
        *slash = 0;
    return true;
}

/* CPUs of one group alone. */
static double quota_of(const ControlGroup *group) {
    char text[128], period[128];
    double quota_us, period_us;
    if (group->version_2) /* "max 100000" or "150000 100000" */
        return read_group_file(group, "cpu.max", text, sizeof text) &&
                       sscanf(text, "%lf %lf", &quota_us, &period_us) == 2 && period_us > 0
                   ? quota_us / period_us
                   : LIMITS_NO_QUOTA;
    if (!read_group_file(group, "cpu.cfs_quota_us", text, sizeof text) ||
        !read_group_file(group, "cpu.cfs_period_us", period, sizeof period))
        return LIMITS_NO_QUOTA;
    quota_us = strtod(text, NULL); /* -1: none */
    period_us = strtod(period, NULL);
    return quota_us > 0 && period_us > 0 ? quota_us / period_us : LIMITS_NO_QUOTA;
}

double limits_cpu_quota(const char *root) {
    ControlGroup group;
    double least = LIMITS_NO_QUOTA;
    if (!find_group(root, "cpu", &group)) return least;
    do
        least = fmin(least, quota_of(&group));
    while (go_up(&group));
    return least;
}

uint64_t limits_cpu_group(const char *root) {
    ControlGroup group;
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    if (!find_group(root, "cpu", &group)) return hash;
    while (quota_of(&group) >= LIMITS_NO_QUOTA && go_up(&group)) {
    }
    for (const char *at = group.place; *at; at++)
        hash = (hash ^ (uint8_t)*at) * 0x100000001b3u;
    return hash;
}

/* The number after a word at the beginning of a line; 0 if there is none. */
static double stat_value(const char *text, const char *word) {
    const size_t length = strlen(word);
    for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL)
        if (!strncmp(line, word, length) && line[length] == ' ') return strtod(line + length, NULL);
    return 0;
}

/* Bytes of one group alone. What files occupy in memory can be taken back; shared memory can't. */
static double memory_left_of(const ControlGroup *group) {
    char limit[128], used[128], facts[1 << 13];
    if (!read_group_file(group, group->version_2 ? "memory.max" : "memory.limit_in_bytes", limit,
                         sizeof limit) ||
        !read_group_file(group, group->version_2 ? "memory.current" : "memory.usage_in_bytes", used,
                         sizeof used) ||
        !strncmp(limit, "max", 3))
        return INFINITY;
    double files = 0;
    if (read_group_file(group, "memory.stat", facts, sizeof facts))
        files = stat_value(facts, group->version_2 ? "file" : "total_cache") -
                stat_value(facts, group->version_2 ? "shmem" : "total_shmem");
    return strtod(limit, NULL) - strtod(used, NULL) + fmax(files, 0);
}

int64_t limits_memory_left(const char *root) {
    ControlGroup group;
    double least = INFINITY;
    if (!find_group(root, "memory", &group)) return INT64_MAX;
    do
        least = fmin(least, memory_left_of(&group));
    while (go_up(&group));
    return least < 0x1p62 ? (int64_t)fmax(least, 0) : INT64_MAX;
}
