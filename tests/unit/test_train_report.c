/* What training says of the ranks' shares of a batch. */
#include "cnn/train_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_even_shares_are_not_mentioned(void **state) {
    (void)state;
    static const BatchPartition even[] = {{60000, 64, 16, 4, NULL},
                                          {60000, 64, 16, 1, NULL},
                                          {60000, 128, 128, 1, NULL},
                                          {60000, 176, 16, 2, NULL}, /* 6 and 5 */
                                          {60000, 60, 16, 4, NULL}};
    char text[TRAIN_REPORT_TEXT];
    for (size_t i = 0; i < sizeof even / sizeof *even; i++)
        assert_false(train_report_uneven_shares(&even[i], text));
}

static void test_uneven_shares_and_what_to_set(void **state) {
    (void)state;
    static const struct {
        BatchPartition partition;
        const char *what, *fix;
    } cases[] = {
        {{60000, 64, 16, 3, NULL},
         "4 micro-batches",
         "50 % above the mean; set cnn.micro_batch = 8 (nearly even shares) or cnn.batch = 96 (even "
         "shares)."},
        {{60000, 128, 128, 4, NULL},
         "1 micro-batch of",
         "3 of 4 ranks have nothing to do; set cnn.micro_batch = 32 (even shares) or cnn.batch = 512 (even"},
        {{60000, 5, 1, 6, NULL}, "1 of 6 ranks", "to do; set cnn.batch = 6 (even"},
        {{40, 64, 16, 4, NULL},
         "batch of 40 images",
         "1 of 4 ranks have nothing to do; set cnn.micro_batch = 4 (nearly even shares)."}, /* all that there
                                                                                               are */
        {{5, 64, 1, 6, NULL}, "batch of 5 images", "use fewer ranks."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[TRAIN_REPORT_TEXT] = "";
        assert_true(train_report_uneven_shares(&cases[i].partition, text));
        if (!strstr(text, cases[i].what) || !strstr(text, cases[i].fix)) fail_msg("%s", text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_even_shares_are_not_mentioned),
        cmocka_unit_test(test_uneven_shares_and_what_to_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
