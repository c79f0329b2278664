/* SHA-256 against libmd's, cut in all ways. */
#include "core/mem.h"
#include "core/rng.h"
#include "core/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 1000 };

static void fill(uint8_t *bytes) {
    for (uint32_t i = 0; i < MOST; i++) {
        uint32_t random[4];
        rng_u32x4((RngKey){1, RNG_TEST}, 0, i, 0, random);
        bytes[i] = (uint8_t)random[0];
    }
}

/* bytes [count] in pieces of at most `piece`, from an address that is aligned or not. */
static void check(const uint8_t *bytes, size_t count, size_t piece) {
    char expected[SHA256_DIGEST_STRING_LENGTH], got[65];
    Sha256 hash;
    SHA256Data(bytes, count, expected);
    sha256_begin(&hash);
    for (size_t at = 0; at < count; at += piece)
        sha256_add(&hash, bytes + at, count - at < piece ? count - at : piece);
    sha256_end(&hash, got);
    assert_string_equal(got, expected);
}

static void test_pieces(void **state) {
    (void)state;
    static const size_t pieces[] = {1, 7, 63, 64, 65, 128, 200, MOST};
    uint8_t bytes[MOST];
    fill(bytes);
    for (size_t count = 0; count < 300; count++)
        for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++)
            check(bytes + count % 16, count, pieces[p]);
    check(bytes, MOST, MOST);
}

/* The example of FIPS 180-4. */
static void test_known(void **state) {
    (void)state;
    Sha256 hash;
    char hex[65];
    sha256_begin(&hash);
    sha256_add(&hash, "abc", 3);
    sha256_end(&hash, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pieces), cmocka_unit_test(test_known)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
