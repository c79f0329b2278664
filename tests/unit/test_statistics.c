/* Intervals, tests and curves of the report, against values of their formulas computed elsewhere. */
#include "report/predictions.h"
#include "report/sparkline.h"
#include "report/statistics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void near(double value, double expected) {
    if (!(fabs(value - expected) < 1e-6)) fail_msg("%.9g, expected %.9g", value, expected);
}

static void wilson(void **state) {
    (void)state;
    const Interval most = wilson_interval(9952, 10000), half = wilson_interval(5, 10),
                   all = wilson_interval(10, 10), none = wilson_interval(0, 0);
    near(half.low, 0.236593091);
    near(half.high, 0.763406909);
    near(all.low, 0.722467200);
    near(all.high, 1);
    near(most.low, 0.993642180);
    near(most.high, 0.996377508);
    near(none.low, 0);
    near(none.high, 1);
}

static void mcnemar(void **state) {
    (void)state;
    near(mcnemar_test(0, 0), 1);
    near(mcnemar_test(7, 7), 1);
    near(mcnemar_test(1, 9), 22.0 / 1024); /* 2 (1 + 10) / 2^10 */
    near(mcnemar_test(9, 1), 22.0 / 1024);
    near(mcnemar_test(0, 6), 2.0 / 64);
    assert_true(mcnemar_test(30, 271) < 1e-20);
}

static void curves(void **state) {
    (void)state;
    const double rises[] = {0, 9, 1, 9, 2, 9, 3, 9, NAN, 9}, even[] = {2, 2, 2};
    char text[SPARKLINE_BYTES(5)];
    assert_true(sparkline(rises, 5, 2, 5, text));
    assert_string_equal(text, "▁▃▆█ ");
    assert_true(sparkline(rises, 4, 2, 2, text));
    assert_string_equal(text, "▁█");
    assert_false(sparkline(even, 3, 1, 5, text));
    assert_false(sparkline(even, 0, 1, 5, text));
    double constant[870]; /* whose means aren't all the same */
    for (int i = 0; i < 870; i++)
        constant[i] = 0.2;
    char wide[SPARKLINE_BYTES(60)];
    assert_false(sparkline(constant, 870, 1, 60, wide));
    assert_string_equal(wide, "");
    constant[869] = 0.201;
    assert_true(sparkline(constant, 870, 1, 60, wide));
}

/* 0.7 is 0.69999999 as a float. */
static void tenths(void **state) {
    (void)state;
    enum { N = 11 };
    ImageSet set = image_set_new(N, (ImageSpec){.height = 1, .width = 1, .classes = 2});
    Prediction predictions[N];
    CalibrationBin bins[CALIBRATION_BINS];
    for (int i = 0; i < N; i++)
        predictions[i] = (Prediction){0, (float)i / 10};
    predictions_calibrate(predictions, &set, bins);
    for (int b = 0; b < CALIBRATION_BINS; b++)
        assert_int_equal(bins[b].n, b == 9 ? 2 : 1);
    image_set_free(&set);
}

/* Nearly all images are wrong ones that are sure; each cell has one nevertheless, and so have the lists. */
static void shown_pictures(void **state) {
    (void)state;
    enum { COUNT = 100, N = COUNT * COUNT / 4 };
    ImageSet set = image_set_new(N, (ImageSpec){.height = 1, .width = 1, .classes = COUNT});
    Prediction *predictions = calloc(N, sizeof *predictions);
    bool *shown = calloc(N, sizeof *shown);
    for (int i = 0; i < N; i++) {
        set.labels[i] = i < 1000 ? (uint8_t)(i % COUNT) : 0;
        predictions[i] = (Prediction){i < 1000 ? (uint8_t)(i / COUNT) : 50, (float)(1 + i) / (float)(N + 1)};
    }
    Output *output = output_create(OUTPUT_JSON, OUTPUT_LINES);
    output_record(output);
    predictions_describe(output, predictions, &set, shown);
    for (int i = 0; i < N; i++)
        if (i < 1000 || i >= N - 48) assert_true(shown[i]);
    assert_false(shown[1500]);
    output_destroy(&output);
    image_set_free(&set);
    free(predictions);
    free(shown);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(wilson), cmocka_unit_test(mcnemar),
                                       cmocka_unit_test(curves), cmocka_unit_test(tenths),
                                       cmocka_unit_test(shown_pictures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
