/* The configuration: files, --set, ranges, messages, and writing it out. */
#include "core/config_file.h"
#include "ensemble/families.h"
#include "knn/knn_options.h"
#include "svm/svm_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads text as a configuration file into config. */
static Status read_text(Config *config, const char *text) {
    char path[] = "/tmp/pardigits-config-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    fputs(text, file);
    fclose(file);
    Status status = {0};
    config_read_file(config, path, &status);
    unlink(path);
    return status;
}

static void expect_refused(const char *text, const char *line, const char *mention) {
    Config *config = config_create(&model_families.keys);
    Status status = read_text(config, text);
    assert_int_equal(status.code, STATUS_USAGE);
    if (!strstr(status.text, line) || !strstr(status.text, mention))
        fail_msg("expected '%s' and '%s' in: %s", line, mention, status.text);
    config_destroy(&config);
}

static void test_values_are_read(void **state) {
    (void)state;
    Config *config = config_create(&model_families.keys);
    Status status =
        read_text(config, "\xef\xbb\xbf; comment\n[run]\nmodel = cnn\nseed=4294967295\n# more\n[cnn]\n"
                          "layers = conv:8:3 relu ; first\n  dense:10 ; last\nlr = 2.5e-2\n"
                          "member_layers =\n  dense:10 |\n  ; between\n  conv:8:3 dense:10\n");
    assert_int_equal(status.code, STATUS_OK);
    assert_string_equal(config_text(config, "run.model"), "cnn");
    assert_int_equal(config_int(config, "run.seed"), 4294967295);
    assert_string_equal(config_text(config, "cnn.layers"), "conv:8:3 relu dense:10");
    assert_string_equal(config_text(config, "cnn.member_layers"), "dense:10 | conv:8:3 dense:10");
    assert_true(config_real(config, "cnn.lr") == 2.5e-2);
    assert_int_equal(config_int(config, "knn.k"), 3); /* a default */
    config_destroy(&config);
}

static void test_mistakes_are_refused(void **state) {
    (void)state;
    expect_refused("[cnn]\nlr = 0.1\nepohcs = 3\n", ":3:", "cnn.epochs");
    expect_refused("[run]\n\nepochs = 3\n", ":3:", "cnn.epochs");
    expect_refused("[cnn]\nepochs = 0\n", ":2:", "from 1 to 100000");
    expect_refused("[cnn]\nepochs = 2.5\n", ":2:", "whole number");
    expect_refused("[cnn]\nlr = 0.1x\n", ":2:", "number");
    expect_refused("[cnn]\nlr =\n", ":2:", "number");
    expect_refused("[cnn]\nlr = nan\n", ":2:", "number");
    expect_refused("[cnn]\nlr = inf\n", ":2:", "number");
    expect_refused("[svm]\nkernel = rb\n", ":2:", "rbf|poly|linear");
    expect_refused("[svm]\nkernel = rbf|poly\n", ":2:", "rbf|poly|linear");
    expect_refused("[svm]\nkernel =\n", ":2:", "rbf|poly|linear");
    expect_refused("[knn]\nk = 3\nk = 5\n", ":3:", "twice");
    expect_refused("[knn]\nk = 3\njust words\n", ":3:", "key = value");
    expect_refused("[knn\nk = 3\n", ":1:", "[section]");
}

static void test_synonyms_and_former_names(void **state) {
    (void)state;
    expect_refused("[cnn]\nlearning_rate = 1\n", ":2:", "cnn.lr");
    expect_refused("[run]\nBatchSize = 1\n", ":2:", "cnn.batch");
    expect_refused("[cnn]\ndropout = 0.4\n", ":2:", "dropout:0.4");
    expect_refused("[svm]\ncost = 1\n", ":2:", "svm.c");
    Config *config = config_create(&model_families.keys);
    assert_null(config_notice(config));
    assert_int_equal(read_text(config, "[cnn]\nleaf = 8\n").code, STATUS_OK);
    assert_int_equal(config_int(config, "cnn.micro_batch"), 8);
    assert_non_null(strstr(config_notice(config), "cnn.leaf is the old name of cnn.micro_batch"));
    config_destroy(&config);
}

/* Each synonym names a key, and none is a key itself; each family is a choice of run.model with keys. */
static void test_tables_agree(void **state) {
    (void)state;
    Config *config = config_create(&model_families.keys);
    for (int t = 0; t < model_families.keys.count; t++)
        for (int i = 0; i < model_families.keys.items[t]->synonym_count; i++) {
            const ConfigSynonym *synonym = &model_families.keys.items[t]->synonyms[i];
            if (!config_find(config, synonym->key)) fail_msg("%s isn't a key", synonym->key);
        }
    for (int f = 0; f < model_families.count; f++) {
        Status status = {0};
        config_set_value(config, "run.model", model_families.items[f]->name, "test", &status);
        assert_int_equal(status.code, STATUS_OK);
    }
    config_destroy(&config);
}

static void test_options_are_filled(void **state) {
    (void)state;
    Config *config = config_create(&model_families.keys);
    Status status = {0};
    config_set(config, "knn.k = auto", "test", &status);
    config_set(config, "knn.metric=idm", "test", &status);
    config_set(config, "svm.gamma=0.5", "test", &status);
    assert_int_equal(knn_options(config).k, 0);
    assert_int_equal(knn_options(config).metric, KNN_METRIC_IDM);
    assert_int_equal(knn_options(config).directions, KNN_DIRECTIONS_4);
    assert_true(svm_options(config).gamma == 0.5);
    assert_string_equal(svm_options(config).grid_c, config_text(config, "svm.grid_c"));
    config_destroy(&config);
}

static void test_set(void **state) {
    (void)state;
    Config *config = config_create(&model_families.keys);
    Status status = {0};
    assert_int_equal(config_set(config, "cnn.layers=conv:8:3 dense:10", "--set", &status), STATUS_OK);
    assert_string_equal(config_text(config, "cnn.layers"), "conv:8:3 dense:10");
    const char *const wrong[] = {"cnn.lr", "=3", "cnn.lr=", "lr=1", "svm.c=-1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        status = (Status){0};
        assert_int_equal(config_set(config, wrong[i], "--set", &status), STATUS_USAGE);
    }
    char *long_text = calloc(70001, 1);
    memset(long_text, 'x', 70000);
    status = (Status){0};
    assert_int_equal(config_set_value(config, "cnn.layers", long_text, "--set", &status), STATUS_USAGE);
    free(long_text);
    config_destroy(&config);
}

static void test_missing_file(void **state) {
    (void)state;
    Config *config = config_create(&model_families.keys);
    Status status = {0};
    assert_int_equal(config_read_file(config, "/proc/nonexistent/c.ini", &status), STATUS_USAGE);
    assert_non_null(strstr(status.text, "/proc/nonexistent/c.ini"));
    config_destroy(&config);
}

static void test_written_file_reads_back_equal(void **state) {
    (void)state;
    Config *config = config_create(&model_families.keys), *again = config_create(&model_families.keys);
    Status status = {0};
    config_set(config, "cnn.lr=0.3", "--set", &status);
    config_set(config, "run.model=svm", "--set", &status);
    config_set(config, "cnn.member_settings=  epochs=2  lr=1 | ", "--set", &status);
    char *text;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    config_write(config, memory);
    fclose(memory);
    assert_string_equal(config_difference(config, again)->name, "run.model");
    assert_int_equal(read_text(again, text).code, STATUS_OK);
    assert_null(config_difference(config, again));
    free(text);
    config_destroy(&again);
    config_destroy(&config);
}

/* Longer than a line, with blanks where it might be cut, or none. */
static void test_any_text_survives_a_file(void **state) {
    (void)state;
    enum { BYTES = 400 };
    static const char *const words[] = {"a  b   ", "word", "\\ x", "x\\", "\xc3\xa9", "a;#b ##", "[y] "};
    for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
        char text[BYTES + 8] = "a";
        for (size_t length = 1; length < BYTES - 8; length += strlen(words[w]))
            strcpy(text + length, words[w]);
        strcat(text, "end");
        Config *config = config_create(&model_families.keys), *again = config_create(&model_families.keys);
        Status status = {0};
        config_set_value(config, "run.data", text, "--data", &status);
        assert_int_equal(status.code, STATUS_OK);
        char *written;
        size_t size;
        FILE *memory = open_memstream(&written, &size);
        config_write(config, memory);
        fclose(memory);
        assert_int_equal(read_text(again, written).code, STATUS_OK);
        assert_string_equal(config_text(again, "run.data"), text);
        free(written);
        config_destroy(&again);
        config_destroy(&config);
    }
}

static void test_text_that_no_file_holds_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"cnn.layers=; x", "cnn.layers=a ;x", "cnn.layers=a\nb"};
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        Config *config = config_create(&model_families.keys);
        Status status = {0};
        assert_int_equal(config_set(config, texts[t], "--set", &status), STATUS_USAGE);
        assert_non_null(strstr(status.text, "cnn.layers holds a"));
        config_destroy(&config);
    }
}

static void test_difference_compares_numbers_and_skips_keys_of_work(void **state) {
    (void)state;
    Config *a = config_create(&model_families.keys), *b = config_create(&model_families.keys);
    Status status = {0};
    config_set(a, "svm.c=1e1", "--set", &status);
    config_set(a, "svm.cache_mb=77", "--set", &status);
    assert_int_equal(status.code, STATUS_OK);
    assert_null(config_difference(a, b));
    config_destroy(&b);
    config_destroy(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_read),
        cmocka_unit_test(test_mistakes_are_refused),
        cmocka_unit_test(test_synonyms_and_former_names),
        cmocka_unit_test(test_tables_agree),
        cmocka_unit_test(test_options_are_filled),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_missing_file),
        cmocka_unit_test(test_written_file_reads_back_equal),
        cmocka_unit_test(test_any_text_survives_a_file),
        cmocka_unit_test(test_text_that_no_file_holds_is_refused),
        cmocka_unit_test(test_difference_compares_numbers_and_skips_keys_of_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
