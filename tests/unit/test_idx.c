/* Reading of IDX files: the real ones, and copies damaged in every way that the reader looks for. */
#include "core/mem.h"
#include "data/idx.h"
#include "store/dataset.h"

#include <inttypes.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

enum { ROWS = 5, IMAGES_BYTES = 16 + ROWS * IMAGE_PIXELS, LABELS_BYTES = 8 + ROWS };

/* A small pair of files in a folder of its own, whose bytes a test damages before it writes them. */
typedef struct {
    char folder[PATH_MAX - 64], images_path[PATH_MAX], labels_path[PATH_MAX];
    uint8_t images[IMAGES_BYTES + 16], labels[LABELS_BYTES + 16];
} Pair;

static void put_number(uint8_t *at, uint32_t number) {
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(number >> (24 - 8 * i));
}

static int make_pair(void **state) {
    Pair *pair = calloc(1, sizeof *pair);
    const char *temporary = getenv("TMPDIR");
    snprintf(pair->folder, sizeof pair->folder, "%s/pardigits-idx-XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(pair->folder)) return -1;
    snprintf(pair->images_path, sizeof pair->images_path, "%s/train-images-idx3-ubyte", pair->folder);
    snprintf(pair->labels_path, sizeof pair->labels_path, "%s/train-labels-idx1-ubyte", pair->folder);
    const uint32_t images_header[] = {0x803, ROWS, IMAGE_SIDE, IMAGE_SIDE}, labels_header[] = {0x801, ROWS};
    for (int i = 0; i < 4; i++)
        put_number(pair->images + 4 * i, images_header[i]);
    for (int i = 0; i < 2; i++)
        put_number(pair->labels + 4 * i, labels_header[i]);
    for (int i = 16; i < IMAGES_BYTES; i++)
        pair->images[i] = (uint8_t)(i * 7);
    for (int i = 0; i < ROWS; i++)
        pair->labels[8 + i] = (uint8_t)(9 - i);
    *state = pair;
    return 0;
}

static int remove_pair(void **state) {
    Pair *pair = *state;
    char path[PATH_MAX + 8];
    const char *const names[] = {pair->images_path, pair->labels_path};
    for (int i = 0; i < 2; i++) {
        unlink(names[i]);
        snprintf(path, sizeof path, "%s.gz", names[i]);
        unlink(path);
        rmdir(names[i]);
    }
    int result = rmdir(pair->folder);
    free(pair);
    return result;
}

static void write_plain(const char *path, const uint8_t *bytes, size_t count) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

static void write_gz(const char *plain_path, const uint8_t *bytes, size_t count) {
    char path[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s.gz", plain_path);
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)count), count);
    assert_int_equal(gzclose(file), Z_OK);
}

static void write_pair(const Pair *pair) {
    write_plain(pair->images_path, pair->images, IMAGES_BYTES);
    write_plain(pair->labels_path, pair->labels, LABELS_BYTES);
}

static void assert_reads(const Pair *pair) {
    ImageSet set;
    ImageSource source;
    Status status = {0};
    if (idx_read(pair->folder, "train", &set, &source, &status)) fail_msg("%s", status.text);
    assert_int_equal(set.n, ROWS);
    assert_memory_equal(set.images, pair->images + 16, ROWS * IMAGE_PIXELS);
    assert_memory_equal(set.labels, pair->labels + 8, ROWS);
    image_set_free(&set);
}

/* The sentence names the file at fault and says this. */
static void assert_refused(const Pair *pair, const char *file, const char *says) {
    ImageSet set;
    ImageSource source;
    Status status = {0};
    assert_int_equal(idx_read(pair->folder, "train", &set, &source, &status), STATUS_FAILED);
    if (!strstr(status.text, file) || !strstr(status.text, says))
        fail_msg("expected \"%s\" and \"%s\" in: %s", file, says, status.text);
    assert_null(set.images);
    assert_null(set.labels);
    assert_int_equal(set.n, 0);
}

static void test_reads_plain_and_gz(void **state) {
    Pair *pair = *state;
    write_pair(pair);
    assert_reads(pair);
    unlink(pair->images_path);
    write_gz(pair->images_path, pair->images, IMAGES_BYTES);
    assert_reads(pair);
    unlink(pair->labels_path);
    write_gz(pair->labels_path, pair->labels, LABELS_BYTES);
    assert_reads(pair);
}

static void test_prefers_plain(void **state) {
    Pair *pair = *state;
    write_pair(pair);
    write_gz(pair->images_path, pair->images, 3);
    assert_reads(pair);
}

static void test_missing(void **state) {
    Pair *pair = *state;
    assert_refused(pair, pair->labels_path, "neither plain nor as .gz");
    write_pair(pair);
    unlink(pair->images_path);
    assert_refused(pair, pair->images_path, "neither plain nor as .gz");
    strcat(pair->folder, "-absent");
    assert_refused(pair, pair->folder, "isn't there");
    pair->folder[strlen(pair->folder) - strlen("-absent")] = 0;
}

static void test_folder_in_place_of_file(void **state) {
    Pair *pair = *state;
    write_pair(pair);
    unlink(pair->images_path);
    char command[PATH_MAX + 8];
    snprintf(command, sizeof command, "mkdir %s", pair->images_path);
    assert_int_equal(system(command), 0);
    assert_refused(pair, pair->images_path, "regular file");
}

static void test_truncated(void **state) {
    Pair *pair = *state;
    const int lengths[] = {0, 3, 4, 7, 15, 16, 17, IMAGES_BYTES - 1};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        write_pair(pair);
        write_plain(pair->images_path, pair->images, (size_t)lengths[i]);
        assert_refused(pair, pair->images_path, "truncated");
        unlink(pair->images_path);
        write_gz(pair->images_path, pair->images, (size_t)lengths[i]);
        assert_refused(pair, pair->images_path, "truncated");
    }
    write_pair(pair);
    write_plain(pair->labels_path, pair->labels, LABELS_BYTES - 1);
    assert_refused(pair, pair->labels_path, "truncated");
}

static void test_damaged_gz(void **state) {
    Pair *pair = *state;
    char path[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s.gz", pair->images_path);
    write_pair(pair);
    unlink(pair->images_path);
    uint8_t packed[2 * IMAGES_BYTES];
    write_gz(pair->images_path, pair->images, IMAGES_BYTES);
    FILE *file = fopen(path, "rb");
    size_t size = fread(packed, 1, sizeof packed, file);
    fclose(file);
    write_plain(path, packed, size - 4);
    assert_refused(pair, pair->images_path, "truncated");
    write_plain(path, packed, size / 2);
    assert_refused(pair, pair->images_path, "truncated");
    packed[size - 8] ^= 1; /* its checksum */
    write_plain(path, packed, size);
    assert_refused(pair, pair->images_path, "damaged");
}

static void test_trailing_bytes(void **state) {
    Pair *pair = *state;
    write_pair(pair);
    write_plain(pair->images_path, pair->images, IMAGES_BYTES + 1);
    assert_refused(pair, pair->images_path, "too long");
    unlink(pair->images_path);
    write_gz(pair->images_path, pair->images, IMAGES_BYTES + 1);
    assert_refused(pair, pair->images_path, "too long");
}

static void test_wrong_magic(void **state) {
    Pair *pair = *state;
    for (int byte = 0; byte < 4; byte++) {
        pair->images[byte] ^= 0x40;
        write_pair(pair);
        assert_refused(pair, pair->images_path, "magic number");
        pair->images[byte] ^= 0x40;
    }
    put_number(pair->labels, 0xffffffff);
    write_pair(pair);
    assert_refused(pair, pair->labels_path, "0xffffffff");
}

static void test_swapped(void **state) {
    Pair *pair = *state;
    write_plain(pair->images_path, pair->labels, LABELS_BYTES);
    write_plain(pair->labels_path, pair->images, IMAGES_BYTES);
    assert_refused(pair, pair->labels_path, "holds images where labels are expected");
    write_plain(pair->labels_path, pair->labels, LABELS_BYTES);
    assert_refused(pair, pair->images_path, "holds labels where images are expected");
}

static void test_oversized_header(void **state) {
    Pair *pair = *state;
    const uint32_t counts[] = {0, ROWS + 1, 9999999, 0x7fffffff, 0xffffffff};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        put_number(pair->images + 4, counts[i]);
        write_pair(pair);
        assert_refused(pair, pair->images_path, "rows");
        unlink(pair->images_path);
        write_gz(pair->images_path, pair->images, IMAGES_BYTES);
        assert_refused(pair, pair->images_path, counts[i] == 0 ? "no rows" : "labels for them");
    }
    put_number(pair->labels + 4, 0xfffffff0);
    write_pair(pair);
    assert_refused(pair, pair->labels_path, "4294967280 rows");
}

static void test_wrong_size_of_images(void **state) {
    Pair *pair = *state;
    for (int field = 8; field <= 12; field += 4) {
        put_number(pair->images + field, 0xffffffff);
        write_pair(pair);
        assert_refused(pair, pair->images_path, "a height and width of 8 to 64");
        put_number(pair->images + field, IMAGE_SIDE);
    }
}

static void test_counts_differ(void **state) {
    Pair *pair = *state;
    write_pair(pair);
    put_number(pair->labels + 4, ROWS - 1);
    write_plain(pair->labels_path, pair->labels, LABELS_BYTES - 1);
    assert_refused(pair, pair->images_path, "holds 5 images, but there are 4 labels");
}

/* Any height and width; the largest label tells how many classes there are. */
static void test_other_shapes(void **state) {
    Pair *pair = *state;
    put_number(pair->images + 8, 14);
    put_number(pair->images + 12, 56);
    pair->labels[8 + 3] = 255;
    write_pair(pair);
    assert_reads(pair);
    ImageSet set;
    ImageSource source;
    Status status = {0};
    assert_int_equal(idx_read(pair->folder, "train", &set, &source, &status), STATUS_OK);
    assert_true(image_spec_equal(set.spec, (ImageSpec){14, 56, 256, 0, false}));
    image_set_free(&set);
}

/* Nothing is taken for what isn't there: 7.8 GB are announced. */
static void test_a_claim_is_not_believed(void **state) {
    Pair *pair = *state;
    const int64_t rows = 9999999;
    uint8_t *labels = mem_new((size_t)rows + 8, 1);
    memcpy(labels, pair->labels, 8);
    put_number(labels + 4, (uint32_t)rows);
    put_number(pair->images + 4, (uint32_t)rows);
    write_plain(pair->labels_path, labels, (size_t)rows + 8);
    write_gz(pair->images_path, pair->images, IMAGES_BYTES);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    assert_refused(pair, pair->images_path, "truncated");
    getrusage(RUSAGE_SELF, &after);
    assert_true(after.ru_maxrss - before.ru_maxrss < 100000); /* KiB */
    mem_free(labels);
}

static void check_real_part(const char *name, int64_t rows, const char *images_sha256,
                            const char *labels_sha256, const int64_t *expected_counts) {
    const char *folder = getenv("MNIST_DIR");
    ImageSet set;
    ImageSource source;
    Status status = {0};
    if (idx_read(folder ? folder : "data/mnist", name, &set, &source, &status)) fail_msg("%s", status.text);
    assert_int_equal(set.n, rows);
    assert_string_equal(source.images_sha256, images_sha256);
    assert_string_equal(source.labels_sha256, labels_sha256);
    int64_t counts[CLASSES] = {0};
    for (int64_t i = 0; i < set.n; i++)
        counts[set.labels[i]]++;
    for (int c = 0; c < CLASSES; c++)
        assert_int_equal(counts[c], expected_counts[c]);
    image_set_free(&set);
}

static void test_real_files(void **state) {
    (void)state;
    check_real_part("train", 60000, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                    (int64_t[]){5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949});
    check_real_part("t10k", 10000, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
                    (int64_t[]){980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009});
}

#define WITH_PAIR(test) cmocka_unit_test_setup_teardown(test, make_pair, remove_pair)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_PAIR(test_reads_plain_and_gz),
        WITH_PAIR(test_prefers_plain),
        WITH_PAIR(test_missing),
        WITH_PAIR(test_folder_in_place_of_file),
        WITH_PAIR(test_truncated),
        WITH_PAIR(test_damaged_gz),
        WITH_PAIR(test_trailing_bytes),
        WITH_PAIR(test_wrong_magic),
        WITH_PAIR(test_swapped),
        WITH_PAIR(test_oversized_header),
        WITH_PAIR(test_wrong_size_of_images),
        WITH_PAIR(test_counts_differ),
        WITH_PAIR(test_other_shapes),
        WITH_PAIR(test_a_claim_is_not_believed),
        cmocka_unit_test(test_real_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
