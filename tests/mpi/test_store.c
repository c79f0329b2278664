/* Files: what is written is read back on any number of ranks, equal content gives equal files, damage is
 * noticed, and ranks fail together. */
#define _GNU_SOURCE /* memmem */
#include "core/mem.h"
#include "core/partition.h"
#include "ensemble/families.h"
#include "store/checkpoint.h"
#include "store/dataset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static Comm *comm;
static char folder[64]; /* of this run, the same on all ranks */

static const char *in_folder(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

enum { TRAIN = 23, TEST = 5 };
static const ImageSpec spec = {9, 21, 3, 0, false};

static ImageSet made_up_images(int64_t n, int seed) {
    ImageSet set = image_set_new(n, spec);
    for (int64_t i = 0; i < n * image_spec_pixels(spec); i++)
        set.images[i] = (uint8_t)(i * 31 + seed);
    for (int64_t i = 0; i < n; i++)
        set.labels[i] = (uint8_t)((i + seed) % spec.classes);
    return set;
}

static void write_dataset(const char *path, uint8_t bad_label) {
    Status status = {0};
    if (comm_rank(comm) == 0) {
        ImageSet train = made_up_images(TRAIN, 1), test = made_up_images(TEST, 2);
        ImageSource source = {"a", "b"};
        if (bad_label) train.labels[TRAIN - 1] = bad_label;
        DatasetParts parts = {.train = train, .test = test, .train_source = source, .test_source = source};
        class_names_parse("null\none\nzwei \xc3\xa4\n", "test", &parts.class_names, &status);
        dataset_write(path, &parts, &status);
        class_names_free(&parts.class_names);
        image_set_free(&train);
        image_set_free(&test);
    }
    assert_int_equal(comm_agree(comm, &status), STATUS_OK);
}

static void test_each_rank_reads_its_rows(void **state) {
    (void)state;
    const char *path = in_folder("data.h5");
    write_dataset(path, 0);
    Dataset dataset;
    Status status = {0};
    assert_int_equal(dataset_open(path, comm, &dataset, &status), STATUS_OK);
    assert_int_equal(dataset.train, TRAIN);
    assert_int_equal(dataset.test, TEST);
    assert_true(image_spec_equal(dataset.spec, spec));
    assert_int_equal(dataset.class_names.count, spec.classes);
    assert_string_equal(dataset.class_names.names[1], "one");
    assert_string_equal(dataset.train_source.labels_sha256, "b");
    Range rows = partition_range(3, comm_size(comm), comm_rank(comm)); /* on 4 ranks the last one has none */
    ImageSet set, expected = made_up_images(TRAIN, 1);
    assert_int_equal(dataset_read(&dataset, "train", rows, comm, &set, &status), STATUS_OK);
    assert_int_equal(set.n, range_size(rows));
    assert_memory_equal(set.images, expected.images + rows.begin * image_spec_pixels(spec),
                        (size_t)set.n * image_spec_pixels(spec));
    assert_memory_equal(set.labels, expected.labels + rows.begin, (size_t)set.n);
    image_set_free(&expected);
    image_set_free(&set);
    dataset_close(&dataset);
}

static void test_a_bad_label_on_one_rank_fails_all(void **state) {
    (void)state;
    const char *path = in_folder("bad.h5");
    write_dataset(path, 11);
    Status status = {0};
    ImageSet set;
    Dataset dataset;
    Range rows = partition_range(TRAIN, comm_size(comm), comm_rank(comm));
    assert_int_equal(dataset_open(path, comm, &dataset, &status), STATUS_OK);
    assert_int_equal(dataset_read(&dataset, "train", rows, comm, &set, &status), STATUS_FAILED);
    assert_non_null(strstr(
        status.text, "/train/labels[22] is 11, but its attribute classes is 3, so that labels are 0 to 2"));
    assert_null(set.images);
    dataset_close(&dataset);
}

static void test_agreement_takes_the_lowest_failing_rank(void **state) {
    (void)state;
    Status status = {0};
    assert_int_equal(comm_agree(comm, &status), STATUS_OK);
    if (comm_rank(comm) >= comm_size(comm) / 2) status_set(&status, STATUS_USAGE, "rank %d", comm_rank(comm));
    assert_int_equal(comm_agree(comm, &status), STATUS_USAGE);
    char expected[32];
    snprintf(expected, sizeof expected, "rank %d", comm_size(comm) / 2);
    assert_string_equal(status.text, expected);
}

static void test_a_failure_is_told_before_a_stop(void **state) {
    (void)state;
    const int rank = comm_rank(comm), last = comm_size(comm) - 1;
    Status stop = {0}, both = {0};
    if (rank == last) status_set(&stop, STATUS_STOPPED, "stopped");
    assert_int_equal(comm_agree(comm, &stop), STATUS_STOPPED);
    status_set(&both, rank == last ? STATUS_FAILED : STATUS_STOPPED, "rank %d", rank);
    assert_int_equal(comm_agree(comm, &both), STATUS_FAILED);
    assert_int_equal(atoi(both.text + strlen("rank ")), last);
}

static StatusCode write_numbers(H5File *file, const void *numbers, Status *status) {
    h5_write(file, "/model/layer/weight", H5_F32, (H5Shape){2, {2, 2}}, numbers, status);
    return h5_set_i64(file, "/state", "step", 7, status);
}

static StatusCode fail_writing(H5File *file, const void *context, Status *status) {
    (void)context;
    h5_set_i64(file, "/state", "step", 7, status);
    return status_set(status, STATUS_FAILED, "made to fail");
}

static char *read_all(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *bytes = mem_new(1 << 20, 1);
    *size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

static void test_checkpoint_is_read_back(void **state) {
    (void)state;
    char path[128];
    strcpy(path, in_folder("model.h5"));
    const float numbers[4] = {1, -2, 0.5f, 1e-30f};
    Config *config = config_create(&model_families.keys), *stored;
    Status status = {0};
    config_set(config, "cnn.lr=0.3", "test", &status);
    assert_int_equal(checkpoint_save(path, comm, &(CheckpointInfo){.config = config, .complete = true},
                                     write_numbers, numbers, &status),
                     STATUS_OK);
    H5File *file;
    assert_int_equal(checkpoint_open(path, comm, &file, &status), STATUS_OK);
    float read[4];
    bool complete;
    assert_int_equal(h5_read(file, "/model/layer/weight", H5_F32, (H5Shape){2, {2, 2}}, read, &status),
                     STATUS_OK);
    assert_memory_equal(read, numbers, sizeof numbers);
    assert_int_equal(checkpoint_is_complete(file, &complete, &status), STATUS_OK);
    assert_true(complete);
    assert_int_equal(checkpoint_config(file, &model_families.keys, &stored, &status), STATUS_OK);
    assert_null(config_difference(config, stored));
    assert_int_equal(h5_read(file, "/model/layer/weight", H5_F32, (H5Shape){1, {4}}, read, &status),
                     STATUS_FAILED);
    assert_non_null(strstr(status.text, "2 x 2"));
    status = (Status){0};
    assert_int_equal(h5_read_rows(file, "/model/layer/weight", H5_F32, 3, 0, 1, read, &status),
                     STATUS_FAILED);
    assert_non_null(strstr(status.text, "rows of 2 numbers"));
    status = (Status){0};
    assert_int_equal(h5_read_rows(file, "/model/layer/weight", H5_F32, 2, 1, 2, read, &status),
                     STATUS_FAILED);
    status = (Status){0};
    h5_close(&file, &status);
    config_destroy(&stored);
    config_destroy(&config);
}

static void test_equal_content_gives_equal_files(void **state) {
    (void)state;
    const float numbers[4] = {1, 2, 3, 4};
    Config *config = config_create(&model_families.keys);
    Status status = {0};
    char a[128], b[128];
    strcpy(a, in_folder("a.h5"));
    strcpy(b, in_folder("b.h5"));
    checkpoint_save(a, comm, &(CheckpointInfo){.config = config, .complete = true}, write_numbers, numbers,
                    &status);
    comm_barrier(comm);
    if (comm_rank(comm) == 0) sleep(1); /* a time in the file would show */
    checkpoint_save(b, comm, &(CheckpointInfo){.config = config, .complete = true}, write_numbers, numbers,
                    &status);
    size_t size_a, size_b;
    char *bytes_a = read_all(a, &size_a), *bytes_b = read_all(b, &size_b);
    assert_int_equal(size_a, size_b);
    assert_memory_equal(bytes_a, bytes_b, size_a);
    mem_free(bytes_b);
    mem_free(bytes_a);
    config_destroy(&config);
}

/* The digest of a model that is trained with one setting. */
static void digest_with(const char *setting, float first, char hex[65]) {
    const float numbers[4] = {first, 2, 3, 4};
    Config *config = config_create(&model_families.keys);
    Status status = {0};
    H5File *file;
    config_set(config, setting, "test", &status);
    checkpoint_save(in_folder("digest.h5"), comm, &(CheckpointInfo){.config = config, .complete = true},
                    write_numbers, numbers, &status);
    checkpoint_open(in_folder("digest.h5"), comm, &file, &status);
    h5_digest(file, hex, &status);
    h5_close(&file, &status);
    assert_int_equal(status.code, STATUS_OK);
    config_destroy(&config);
    comm_barrier(comm);
}

static void test_digest_covers_what_shapes_the_model(void **state) {
    (void)state;
    char base[65], cache[65], lr[65], weight[65];
    digest_with("svm.cache_mb=1000", 1, base);
    digest_with("svm.cache_mb=50", 1, cache);
    digest_with("cnn.lr=0.9", 1, lr);
    digest_with("svm.cache_mb=1000", 1.0000001f, weight);
    assert_string_equal(base, cache);
    assert_string_not_equal(base, lr);
    assert_string_not_equal(base, weight);
}

/* The digest of a file that names these work keys (NULL: it names none) and was trained with k neighbours and
 * `shifts`. */
static void digest_of_keys(const char *work_keys, int k, int shifts, char hex[65]) {
    char name[32];
    snprintf(name, sizeof name, "keys-%d.h5", comm_rank(comm));
    const char *path = in_folder(name);
    Status status = {0};
    H5File *file;
    h5_create(&file, path, &status);
    h5_set_i64(file, "/config/knn", "k", k, &status);
    h5_set_i64(file, "/config/cnn", "test_shifts", shifts, &status);
    if (work_keys) h5_set_text(file, "/config", "work_keys", work_keys, &status);
    h5_digest(file, hex, &status);
    h5_close(&file, &status);
    assert_int_equal(status.code, STATUS_OK);
}

/* The file says what its digest leaves out, whatever today's table of keys says: an older file stays
 * valid.
 */
static void test_digest_keeps_to_the_files_work_keys(void **state) {
    (void)state;
    static const struct {
        const char *work_keys;
        bool micro_batches_out_k, micro_batches_out_shifts;
    } cases[] = {{NULL, false, true},
                 {"svm.cache_mb knn.k", true, false},
                 {"knn.k_max svm.knn.k", false, false},
                 {"knn.k cnn.test_shifts", true, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char base[65], k[65], shifts[65];
        digest_of_keys(cases[i].work_keys, 3, 0, base);
        digest_of_keys(cases[i].work_keys, 5, 0, k);
        digest_of_keys(cases[i].work_keys, 3, 1, shifts);
        assert_int_equal(strcmp(base, k) == 0, cases[i].micro_batches_out_k);
        assert_int_equal(strcmp(base, shifts) == 0, cases[i].micro_batches_out_shifts);
    }
}

/* Flips a byte of the weights in the file. */
static void damage(const char *path) {
    if (comm_rank(comm) == 0) {
        size_t size;
        char *bytes = read_all(path, &size);
        const float first = 1234.5f;
        char *at = memmem(bytes, size, &first, sizeof first);
        assert_non_null(at);
        FILE *file = fopen(path, "r+b");
        fseek(file, at - bytes, SEEK_SET);
        fputc(at[0] ^ 1, file);
        fclose(file);
        mem_free(bytes);
    }
    comm_barrier(comm);
}

/* The next save keeps the copy that was gone on from, and not the damaged one. */
static void expect_good_previous(const char *path, const float older[4], const Config *config) {
    const float next[4] = {5, 6, 7, 8};
    char previous[128];
    float read[4];
    Status status = {0};
    H5File *file;
    strcpy(previous, in_folder("two.prev.h5"));
    assert_int_equal(checkpoint_open(path, comm, &file, &status), STATUS_OK);
    h5_close(&file, &status);
    checkpoint_save(path, comm, &(CheckpointInfo){.config = config, .complete = false}, write_numbers, next,
                    &status);
    assert_int_equal(checkpoint_open(previous, comm, &file, &status), STATUS_OK);
    h5_read(file, "/model/layer/weight", H5_F32, (H5Shape){2, {2, 2}}, read, &status);
    assert_memory_equal(read, older, 4 * sizeof *older);
    h5_close(&file, &status);
}

static void test_a_damaged_checkpoint_gives_way_to_the_one_before(void **state) {
    (void)state;
    char path[128];
    strcpy(path, in_folder("two.h5"));
    const float older[4] = {1, 2, 3, 4}, newer[4] = {1234.5f, 2, 3, 4};
    Config *config = config_create(&model_families.keys);
    Status status = {0};
    H5File *file;
    assert_int_equal(checkpoint_open_newest(path, comm, &file, &status), STATUS_OK);
    assert_null(file); /* nothing there yet */
    checkpoint_save(path, comm, &(CheckpointInfo){.config = config, .complete = false}, write_numbers, older,
                    &status);
    checkpoint_save(path, comm, &(CheckpointInfo){.config = config, .complete = false}, write_numbers, newer,
                    &status);
    damage(path);
    float read[4];
    assert_int_equal(checkpoint_open_newest(path, comm, &file, &status), STATUS_OK);
    assert_string_equal(strrchr(h5_path(file), '/'), "/two.prev.h5");
    h5_read(file, "/model/layer/weight", H5_F32, (H5Shape){2, {2, 2}}, read, &status);
    assert_memory_equal(read, older, sizeof older);
    if (comm_rank(comm) == 0) checkpoint_make_newest(file, path);
    h5_close(&file, &status);
    comm_barrier(comm);
    assert_int_equal(checkpoint_open(in_folder("two.prev.h5"), comm, &file, &status), STATUS_FAILED);
    assert_non_null(strstr(status.text, "damaged"));
    expect_good_previous(path, older, config);
    config_destroy(&config);
}

static void test_two_damaged_checkpoints_are_refused(void **state) {
    (void)state;
    char path[128];
    strcpy(path, in_folder("both.h5"));
    const float numbers[4] = {1234.5f, 2, 3, 4};
    const CheckpointInfo facts = {.config = config_create(&model_families.keys)};
    Status status = {0};
    H5File *file;
    for (int i = 0; i < 2; i++)
        checkpoint_save(path, comm, &facts, write_numbers, numbers, &status);
    damage(path);
    damage(in_folder("both.prev.h5"));
    assert_int_equal(checkpoint_open_newest(path, comm, &file, &status), STATUS_FAILED);
    assert_non_null(strstr(status.text, "No checkpoint at"));
    assert_null(file);
    config_destroy((Config **)&facts.config);
}

static void cut_checksum_off(const char *path) {
    enum { SUM_BYTES = 64 };
    struct stat info;
    if (comm_rank(comm) == 0) {
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(truncate(path, info.st_size - SUM_BYTES), 0);
    }
    comm_barrier(comm);
}

static void test_the_digest_holds_without_a_checksum(void **state) {
    (void)state;
    char path[128];
    strcpy(path, in_folder("no-sum.h5"));
    const float numbers[4] = {1234.5f, 2, 3, 4};
    const CheckpointInfo facts = {.config = config_create(&model_families.keys)};
    Status status = {0};
    H5File *file;
    bool complete = true;
    checkpoint_save(path, comm, &facts, write_numbers, numbers, &status);
    cut_checksum_off(path);
    assert_int_equal(checkpoint_open(path, comm, &file, &status), STATUS_OK);
    assert_int_equal(checkpoint_is_complete(file, &complete, &status), STATUS_OK);
    assert_false(complete);
    h5_close(&file, &status);
    damage(path);
    assert_int_equal(checkpoint_open(path, comm, &file, &status), STATUS_FAILED);
    assert_non_null(strstr(status.text, "doesn't match its digest"));
    config_destroy((Config **)&facts.config);
}

static void test_files_of_another_kind_are_refused(void **state) {
    static const struct {
        const char *format;
        int64_t version;
        const char *told;
    } files[] = {{"pardigits dataset", 1, "is a pardigits dataset file"},
                 {"pardigits metrics", 1, "is a pardigits metrics file"},
                 {"pardigits model", 0, "format version 0"},
                 {"pardigits model", 99, "format version 99"}};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        Status status = {0};
        H5File *file = NULL;
        if (comm_rank(comm) == 0) {
            h5_create(&file, in_folder("other.h5"), &status);
            h5_set_text(file, "/", "format", files[i].format, &status);
            h5_set_i64(file, "/", "version", files[i].version, &status);
            h5_close(&file, &status);
        }
        assert_int_equal(comm_agree(comm, &status), STATUS_OK);
        assert_int_equal(checkpoint_open(in_folder("other.h5"), comm, &file, &status), STATUS_FAILED);
        assert_non_null(strstr(status.text, files[i].told));
    }
}

static void test_a_checkpoint_tells_its_images(void **state) {
    (void)state;
    const float numbers[4] = {1, 2, 3, 4};
    const ImageSource written[] = {{"", ""}, {"abc", "def"}};
    Config *config = config_create(&model_families.keys);
    Status status = {0};
    for (int i = 0; i < 3; i++) {
        char path[128];
        ImageSource read = {"?", "?"};
        H5File *file;
        strcpy(path, in_folder("source.h5"));
        checkpoint_save(
            path, comm,
            &(CheckpointInfo){.config = config, .source = i < 2 ? &written[i] : NULL, .complete = true},
            write_numbers, numbers, &status);
        checkpoint_open(path, comm, &file, &status);
        assert_int_equal(checkpoint_source(file, &read, &status), STATUS_OK);
        assert_string_equal(read.images_sha256, i == 1 ? "abc" : "");
        assert_string_equal(read.labels_sha256, i == 1 ? "def" : "");
        h5_close(&file, &status);
        comm_barrier(comm);
    }
    config_destroy(&config);
}

static void test_a_failed_save_micro_batches_the_old_file(void **state) {
    (void)state;
    char path[128];
    strcpy(path, in_folder("kept.h5"));
    const float numbers[4] = {1, 2, 3, 4};
    Config *config = config_create(&model_families.keys);
    Status status = {0};
    checkpoint_save(path, comm, &(CheckpointInfo){.config = config, .complete = true}, write_numbers, numbers,
                    &status);
    assert_int_equal(checkpoint_save(path, comm, &(CheckpointInfo){.config = config, .complete = true},
                                     fail_writing, NULL, &status),
                     STATUS_FAILED);
    assert_string_equal(status.text, "made to fail");
    status = (Status){0};
    H5File *file;
    assert_int_equal(checkpoint_open(path, comm, &file, &status), STATUS_OK);
    h5_close(&file, &status);
    assert_int_equal(access(in_folder(".kept.h5.tmp"), F_OK), -1);
    config_destroy(&config);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_rank_reads_its_rows),
        cmocka_unit_test(test_a_bad_label_on_one_rank_fails_all),
        cmocka_unit_test(test_agreement_takes_the_lowest_failing_rank),
        cmocka_unit_test(test_a_failure_is_told_before_a_stop),
        cmocka_unit_test(test_checkpoint_is_read_back),
        cmocka_unit_test(test_equal_content_gives_equal_files),
        cmocka_unit_test(test_digest_covers_what_shapes_the_model),
        cmocka_unit_test(test_digest_keeps_to_the_files_work_keys),
        cmocka_unit_test(test_a_damaged_checkpoint_gives_way_to_the_one_before),
        cmocka_unit_test(test_two_damaged_checkpoints_are_refused),
        cmocka_unit_test(test_the_digest_holds_without_a_checksum),
        cmocka_unit_test(test_files_of_another_kind_are_refused),
        cmocka_unit_test(test_a_checkpoint_tells_its_images),
        cmocka_unit_test(test_a_failed_save_micro_batches_the_old_file),
    };
    comm = comm_init(&argc, &argv);
    strcpy(folder, "/tmp/pardigits-store-XXXXXX");
    if (comm_rank(comm) == 0 && !mkdtemp(folder)) return 1;
    comm_broadcast(comm, folder, sizeof folder, 0);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_barrier(comm);
    char remove[128];
    snprintf(remove, sizeof remove, "rm -rf '%s'", folder);
    if (comm_rank(comm) == 0 && system(remove)) failed++;
    comm_finalize(&comm);
    return failed;
}
