/* Traces: a full buffer keeps the newest spans, and the file has them in order, outer ones first. */
#include "store/trace_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_nothing_is_traced_without_a_trace(void **state) {
    (void)state;
    assert_null(trace_thread(NULL, 3));
    assert_true(trace_begin(NULL) == 0);
    assert_true(trace_end(NULL, TRACE_STEP, 0, 1, 2) == 0);
    trace_end_beside(NULL, TRACE_REDUCE, 0, 1, 2);
}

static void test_the_newest_spans_are_kept(void **state) {
    (void)state;
    enum { MORE = 5, ALL = TRACE_MOST_SPANS + MORE };
    char folder[] = "/tmp/pardigits-trace-XXXXXX", path[64], line[512], name[32];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/trace.json", folder);
    Status status = {0};
    TraceFile *file;
    Comm *comm = comm_alone();
    Log log = log_create(1);
    assert_int_equal(trace_file_begin(&file, comm, 1, path, &status), STATUS_OK);
    TraceThread *thread = trace_thread(trace_file_trace(file), 0);
    const double began_s = trace_begin(thread);
    for (int i = 1; i < ALL; i++)
        trace_end(thread, TRACE_STEP, trace_begin(thread), i, 0);
    trace_end(thread, TRACE_RUN, began_s, 0, 0);
    assert_int_equal(trace_file_end(&file, &log, &status), STATUS_OK);
    assert_null(file);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    int spans = 0;
    while (fgets(line, sizeof line, in)) {
        if (!strstr(line, "\"ph\":\"X\"")) continue;
        snprintf(name, sizeof name, spans ? "\"step %d\"" : "\"train\"", MORE + spans);
        if (!strstr(line, name)) fail_msg("span %d: no %s in %s", spans, name, line);
        spans++;
    }
    fclose(in);
    assert_int_equal(spans, TRACE_MOST_SPANS);
    comm_destroy(&comm);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_traced_without_a_trace),
        cmocka_unit_test(test_the_newest_spans_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
