/* A folder's lock: who is told to hold it, who has to wait, and whose lock is taken over. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/run_lock.h"

static char folder[] = "/tmp/test_run_lock.XXXXXX";

/* What squeue prints, and its exit code. */
static void squeue_says(const char *text, int code) {
    char path[64];
    snprintf(path, sizeof path, "%s/squeue", folder);
    FILE *file = fopen(path, "w");
    fprintf(file, "#!/bin/sh\necho '%s'\nexit %d\n", text, code);
    fclose(file);
    chmod(path, 0700);
}

/* The Slurm job and start that this process seems to be of. */
static void be_job(const char *job, const char *restart) {
    setenv("SLURM_JOB_ID", job, 1);
    setenv("SLURM_RESTART_COUNT", restart, 1);
}

/* Whether a second run may have the lock that a first one holds; refusal: what it says otherwise. */
static bool second_gets_it(const char *refusal) {
    Log log = log_create(1);
    RunLock lock;
    Status status = {0};
    const bool got = run_lock_take(&lock, folder, 0, &log, &status) == STATUS_OK;
    if (!got) assert_non_null(strstr(status.text, refusal));
    run_lock_release(&lock);
    return got;
}

static void test_a_living_owner_is_named(void **state) {
    Log log = log_create(1);
    RunLock lock;
    Status status = {0};
    char host[256], text[320];
    (void)state;
    gethostname(host, sizeof host);
    snprintf(text, sizeof text, ": process %d of ", (int)getpid());
    assert_int_equal(run_lock_take(&lock, folder, 0, &log, &status), STATUS_OK);
    assert_false(second_gets_it(text));
    snprintf(text, sizeof text, " on %s, begun ", host);
    assert_false(second_gets_it(text));
    assert_true(run_lock_is_held(folder));
    run_lock_release(&lock);
    assert_false(run_lock_is_held(folder));
    assert_true(second_gets_it(""));
}

static void test_a_file_has_one_writer(void **state) {
    Log log = log_create(1);
    RunLock first, second;
    Status status = {0};
    char path[64];
    (void)state;
    snprintf(path, sizeof path, "%s/.set.h5.lock", folder);
    assert_int_equal(run_lock_take_file(&first, path, "set.h5", 0, &log, &status), STATUS_OK);
    assert_int_equal(run_lock_take_file(&second, path, "set.h5", 0, &log, &status), STATUS_FAILED);
    assert_non_null(strstr(status.text, "Another program is writing set.h5: process "));
    run_lock_release(&second);
    run_lock_release(&first);
    status = (Status){0};
    assert_int_equal(run_lock_take_file(&second, path, "set.h5", 0, &log, &status), STATUS_OK);
    run_lock_release(&second);
    assert_int_equal(run_lock_take_file(&second, "/proc/.set.h5.lock", "set.h5", 0, &log, &status),
                     STATUS_OK);
}

/* The lock is root's; the program's user another one. */
static void test_another_users_lock_is_named(void **state) {
    enum { NOBODY = 65534 };
    Log log = log_create(1);
    RunLock lock;
    Status status = {0};
    char path[64];
    (void)state;
    if (geteuid() != 0) skip();
    snprintf(path, sizeof path, "%s/.lock", folder);
    assert_int_equal(run_lock_take(&lock, folder, 0, &log, &status), STATUS_OK);
    chmod(folder, 0777);
    chmod(path, 0644);
    assert_int_equal(seteuid(NOBODY), 0);
    assert_false(second_gets_it("Another run is writing to "));
    assert_int_equal(seteuid(0), 0);
    run_lock_release(&lock);
    fclose(fopen(path, "w"));
    chmod(path, 0644);
    assert_int_equal(seteuid(NOBODY), 0);
    assert_false(second_gets_it("its .lock belongs to the user root, whose run has ended"));
    assert_int_equal(seteuid(0), 0);
    unlink(path);
}

static void test_what_slurm_says_is_dead_is_taken_over(void **state) {
    static const struct {
        const char *job, *restart, *says;
        int code;
        bool dead;
    } seconds[] = {
        {"7", "1", "RUNNING", 0, true},  /* a later start of the same job */
        {"7", "0", "RUNNING", 0, false}, /* the same start, such as a second step */
        {"8", "0", "RUNNING", 0, false}, /* another job, while the owner's runs */
        {"8", "0", "PENDING", 0, true},  /* the owner's was put back into the queue */
        {"8", "0", "slurm_load_jobs error: Invalid job id specified", 1, true},
        {"8", "0", "slurm_load_jobs error: Unable to contact slurm controller", 1, false},
        {"8", "0", "PENDING", 124, false}, /* squeue didn't end in time */
        {"0", "0", "", 0, false},          /* outside Slurm squeue may be of another cluster */
    };
    (void)state;
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        Log log = log_create(1);
        RunLock lock;
        Status status = {0};
        be_job("7", "0");
        assert_int_equal(run_lock_take(&lock, folder, 0, &log, &status), STATUS_OK);
        squeue_says(seconds[i].says, seconds[i].code);
        be_job(seconds[i].job, seconds[i].restart);
        assert_int_equal(second_gets_it("by Slurm job 7 (start 1)"), seconds[i].dead);
        run_lock_release(&lock);
    }
}

static void test_a_job_of_another_cluster_lives(void **state) {
    Log log = log_create(1);
    RunLock lock;
    Status status = {0};
    (void)state;
    setenv("SLURM_CLUSTER_NAME", "one", 1);
    be_job("7", "0");
    assert_int_equal(run_lock_take(&lock, folder, 0, &log, &status), STATUS_OK);
    setenv("SLURM_CLUSTER_NAME", "other", 1);
    be_job("7", "1");
    assert_false(second_gets_it("by Slurm job 7"));
    run_lock_release(&lock);
    unsetenv("SLURM_CLUSTER_NAME");
}

static void test_a_lock_that_was_taken_over_isnt_removed(void **state) {
    Log log = log_create(1);
    RunLock first, second;
    Status status = {0};
    (void)state;
    be_job("7", "0");
    assert_int_equal(run_lock_take(&first, folder, 0, &log, &status), STATUS_OK);
    be_job("7", "1");
    assert_int_equal(run_lock_take(&second, folder, 0, &log, &status), STATUS_OK);
    run_lock_release(&first);
    assert_true(run_lock_is_held(folder));
    run_lock_release(&second);
    be_job("0", "0");
}

static void test_a_run_waits_for_the_one_before(void **state) {
    Log log = log_create(1);
    RunLock lock;
    Status status = {0};
    (void)state;
    const pid_t holder = fork();
    if (holder == 0) {
        run_lock_take(&lock, folder, 0, &log, &status);
        usleep(500000);
        run_lock_release(&lock);
        _exit(0);
    }
    while (!run_lock_is_held(folder))
        usleep(1000);
    assert_int_equal(run_lock_take(&lock, folder, 30, &log, &status), STATUS_OK);
    run_lock_release(&lock);
    waitpid(holder, NULL, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_living_owner_is_named),
        cmocka_unit_test(test_a_file_has_one_writer),
        cmocka_unit_test(test_another_users_lock_is_named),
        cmocka_unit_test(test_what_slurm_says_is_dead_is_taken_over),
        cmocka_unit_test(test_a_job_of_another_cluster_lives),
        cmocka_unit_test(test_a_lock_that_was_taken_over_isnt_removed),
        cmocka_unit_test(test_a_run_waits_for_the_one_before),
    };
    char path[4096], leftover[64];
    unsetenv("SLURM_CLUSTER_NAME");
    if (!mkdtemp(folder)) return 1;
    snprintf(path, sizeof path, "%s:%s", folder, getenv("PATH"));
    setenv("PATH", path, 1);
    be_job("0", "0");
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(leftover, sizeof leftover, "%s/squeue", folder);
    unlink(leftover);
    return rmdir(folder) ? 1 : failed; /* no lock is left behind */
}
