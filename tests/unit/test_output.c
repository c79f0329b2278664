/* What commands print: the same values as text, JSON and CSV. */
#include "core/mem.h"
#include "core/output.h"
#include "core/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Two models with a table each. */
static Output *example(OutputFormat format, OutputLayout layout, bool tables) {
    static const char *const files[] = {"a,\"b\".h5", "\xc3\xa4\xff.h5"};
    Output *output = output_create(format, layout);
    for (int i = 0; i < 2; i++) {
        output_record(output);
        output_text(output, "model", "file", files[i]);
        output_integer(output, "n", "images", 1000 + i);
        output_real(output, "accuracy", "accuracy", i ? (double)NAN : 0.98765, "%.2f");
        output_integer(output, "ranks", NULL, 3);
        output_integers(output, "by", (const int64_t[]){7, 8}, 2);
        if (!tables) continue;
        output_begin(output, "rows", "the rows", OUTPUT_TABLE);
        output_record(output);
        output_text(output, "class", "class", "one");
        output_end(output);
    }
    return output;
}

/* Prints two records, one after the other. */
static void print_in_parts(Output *output) {
    for (int i = 0; i < 3; i++) {
        if (i) { /* there may be none */
            output_record(output);
            output_integer(output, "n", "n", i - 1);
        }
        output_flush(output);
    }
}

static void print_whole(Output *output) {
    output_print(output);
}

/* What `print` prints; freed by free. */
static char *printed_by(void (*print)(Output *), Output *output) {
    char path[] = "/tmp/pardigits-output-XXXXXX";
    const int file = mkstemp(path), saved = dup(1);
    fflush(stdout);
    dup2(file, 1);
    print(output);
    fflush(stdout);
    dup2(saved, 1);
    char *text = calloc(4096, 1);
    assert_true(pread(file, text, 4095, 0) >= 0);
    close(file);
    close(saved);
    unlink(path);
    output_destroy(&output);
    return text;
}

static char *printed(Output *output) {
    return printed_by(print_whole, output);
}

static void text_is_aligned(void **state) {
    (void)state;
    char *text = printed(example(OUTPUT_TEXT, OUTPUT_TABLE, false));
    assert_string_equal(text,
                        "file      images  accuracy\na,\"b\".h5    1000      0.99\n\xc3\xa4\xff.h5       "
                        "1001         -\n");
    free(text);
}

static void json_is_valid_for_any_file_name(void **state) {
    (void)state;
    char *text = printed(example(OUTPUT_JSON, OUTPUT_TABLE, true)), *second = strchr(text, '\n') + 1;
    cJSON *a = cJSON_Parse(text), *b = cJSON_Parse(second);
    assert_string_equal(cJSON_GetObjectItem(a, "model")->valuestring, "a,\"b\".h5");
    assert_string_equal(cJSON_GetObjectItem(b, "model")->valuestring, "\xc3\xa4\xef\xbf\xbd.h5");
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(b, "accuracy")));
    assert_true(cJSON_GetObjectItem(a, "accuracy")->valuedouble == 0.98765);
    const cJSON *row = cJSON_GetArrayItem(cJSON_GetObjectItem(b, "rows"), 0);
    assert_string_equal(cJSON_GetObjectItem(row, "class")->valuestring, "one");
    cJSON_Delete(a);
    cJSON_Delete(b);
    free(text);
}

static void csv_quotes(void **state) {
    (void)state;
    char *text = printed(example(OUTPUT_CSV, OUTPUT_TABLE, false));
    assert_string_equal(
        text, "model,n,accuracy,ranks\n\"a,\"\"b\"\".h5\",1000,0.98765,3\n\xc3\xa4\xff.h5,1001,,3\n");
    free(text);
}

static void csv_prefers_tables(void **state) {
    (void)state;
    char *text = printed(example(OUTPUT_CSV, OUTPUT_LINES, true));
    assert_string_equal(text, "class\none\n\nclass\none\n");
    free(text);
}

static void lines_and_tables(void **state) {
    (void)state;
    char *text = printed(example(OUTPUT_TEXT, OUTPUT_LINES, true));
    assert_non_null(strstr(text, "images    1000\n"));
    assert_non_null(strstr(text, "\nthe rows\nclass\none\n"));
    assert_null(strstr(text, "ranks"));
    free(text);
}

static void notes_are_whole(void **state) {
    (void)state;
    Output *output = output_create(OUTPUT_TEXT, OUTPUT_TABLE);
    output_record(output);
    output_note(output, "%03000d.", 7);
    char *text = printed(output);
    assert_int_equal(strspn(text, "\n0"), 3000); /* of an empty line and the note */
    assert_string_equal(text + 3000, "7.\n");
    free(text);
}

static void records_go_on_after_a_flush(void **state) {
    (void)state;
    static const char *const expected[] = {
        [OUTPUT_TEXT] = "n\n0\nn\n1\n", [OUTPUT_JSON] = "{\"n\":0}\n{\"n\":1}\n", [OUTPUT_CSV] = "n\n0\n1\n"};
    for (OutputFormat format = OUTPUT_TEXT; format <= OUTPUT_CSV; format++) {
        Output *output = output_create(format, OUTPUT_TABLE);
        char *text = printed_by(print_in_parts, output);
        assert_string_equal(text, expected[format]);
        free(text);
    }
}

static void bytes_that_are_no_utf8_are_replaced(void **state) {
    (void)state;
    static const struct {
        const char *text, *valid;
        int width;
    } cases[] = {{"abc", "abc", 3},
                 {"\xe2\x82\xac", "\xe2\x82\xac", 1},
                 {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd", 2},
                 {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd", 2},
                 {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 3},
                 {"\xf0\x9f\x98\x80z", "\xf0\x9f\x98\x80z", 3},
                 {"日本", "日本", 4},
                 {"e\xcc\x81", "e\xcc\x81", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *copy = utf8_copy(cases[i].text);
        assert_string_equal(copy, cases[i].valid);
        assert_int_equal(utf8_width(cases[i].text), cases[i].width);
        assert_int_equal(utf8_is_valid(cases[i].text), !strcmp(cases[i].text, cases[i].valid));
        mem_free(copy);
    }
    assert_int_equal(utf8_line_within("日本x\nmore", 3), 3);
    assert_int_equal(utf8_line_within("日本x\nmore", 9), 7);
    char *copy = utf8_from_latin1("z\xe9ro \xe2\x82\xac");
    assert_string_equal(copy, "z\xc3\xa9ro \xe2\x82\xac");
    mem_free(copy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_aligned),
        cmocka_unit_test(json_is_valid_for_any_file_name),
        cmocka_unit_test(csv_quotes),
        cmocka_unit_test(csv_prefers_tables),
        cmocka_unit_test(lines_and_tables),
        cmocka_unit_test(notes_are_whole),
        cmocka_unit_test(records_go_on_after_a_flush),
        cmocka_unit_test(bytes_that_are_no_utf8_are_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
