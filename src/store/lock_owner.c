#include "store/lock_owner.h"

#include "core/host.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char owner_format[] =
    "user %s\nhost %s\npid %lld\nstarted %lld\ncluster %s\njob %lld\nrestart %lld\n",
                  owner_pattern[] =
                      "user %63s host %255s pid %lld started %lld cluster %63s job %lld restart %lld";

static long long number_of(const char *variable) {
    const char *text = getenv(variable);
    return text ? atoll(text) : 0;
}

static LockOwner this_run(void) {
    LockOwner owner = {.user = "-", .host = "-", .cluster = "-"};
    const struct passwd *user = getpwuid(getuid());
    const char *cluster = getenv("SLURM_CLUSTER_NAME");
    if (user) snprintf(owner.user, sizeof owner.user, "%s", user->pw_name);
    if (cluster && *cluster) snprintf(owner.cluster, sizeof owner.cluster, "%s", cluster);
    host_name(owner.host);
    owner.pid = getpid();
    owner.started_s = time(NULL);
    owner.job = number_of("SLURM_JOB_ID");
    owner.restart = number_of("SLURM_RESTART_COUNT");
    return owner;
}

void lock_owner_write(int file) {
    char text[LOCK_TEXT];
    const LockOwner me = this_run();
    const int length = snprintf(text, sizeof text, owner_format, me.user, me.host, me.pid, me.started_s,
                                me.cluster, me.job, me.restart);
    /* it helps people; without it the lock holds as well */
    if (ftruncate(file, 0) || pwrite(file, text, (size_t)length, 0) != length) return;
    fsync(file);
}

bool lock_owner_text(const char *path, char text[LOCK_TEXT]) {
    memset(text, 0, LOCK_TEXT);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    if (read(file, text, LOCK_TEXT - 1) < 0) *text = 0;
    close(file);
    return true;
}

bool lock_owner_read(const char *path, LockOwner *owner) {
    char text[LOCK_TEXT];
    return lock_owner_text(path, text) &&
           sscanf(text, owner_pattern, owner->user, owner->host, &owner->pid, &owner->started_s,
                  owner->cluster, &owner->job, &owner->restart) == 7;
}

/* Whether squeue says that a job has ended, or waits to be started again. Whatever else it says, or says not,
 * counts as life. */
static bool job_has_ended(long long job) {
    char command[128], line[256];
    bool ended = true, unknown = false;
    snprintf(command, sizeof command, "timeout 30 squeue -h -o %%T -j %lld 2>&1", job);
    FILE *answer = popen(command, "r");
    if (!answer) return false;
    while (fgets(line, sizeof line, answer)) {
        if (strstr(line, "Invalid job id"))
            unknown = true;
        else if (strncmp(line, "PENDING", 7))
            ended = false;
    }
    const int code = pclose(answer);
    return ended && (code == 0 || unknown);
}

bool lock_owner_is_dead(const LockOwner *owner) {
    const LockOwner me = this_run();
    if (!me.job || !owner->job || strcmp(me.cluster, owner->cluster)) return false;
    return me.job == owner->job ? me.restart > owner->restart : job_has_ended(owner->job);
}

void lock_owner_describe(const char *path, char text[OWNER_TEXT]) {
    static const struct {
        long long seconds;
        const char *name;
    } units[] = {{86400, "days"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    LockOwner owner;
    char job[80] = "";
    int unit = 0;
    *text = 0;
    if (!lock_owner_read(path, &owner)) return;
    const long long now_s = time(NULL), age_s = now_s > owner.started_s ? now_s - owner.started_s : 0;
    while (unit < 3 && age_s < 2 * units[unit].seconds)
        unit++;
    if (owner.job) snprintf(job, sizeof job, " by Slurm job %lld (start %lld)", owner.job, owner.restart + 1);
    snprintf(text, OWNER_TEXT, ": process %lld of %s on %s, begun %lld %s ago%s", owner.pid, owner.user,
             owner.host, age_s / units[unit].seconds, units[unit].name, job);
}
