#include "data/idx_parts.h"

#include "core/mem.h"
#include "core/regular_file.h"
#include "data/idx.h"

#include <stdio.h>
#include <string.h>

static StatusCode read_names(const char *path, ClassNames *names, Status *status) {
    enum { MOST_BYTES = (CLASSES_MAX + 1) * (CLASS_NAME_BYTES + 2) };
    char *text = mem_new(MOST_BYTES + 1, 1);
    const char *reason = "the disk fails";
    FILE *file = regular_file_open_text(path, &reason);
    const size_t bytes = file ? fread(text, 1, MOST_BYTES, file) : 0;
    if (!file || ferror(file))
        status_set(status, STATUS_FAILED, "%s can't be read: %s.", path, reason);
    else if (strlen(text) != bytes) /* as of UTF-16 */
        status_set(status, STATUS_FAILED, "%s isn't text in UTF-8: save it as UTF-8.", path);
    else if (bytes == MOST_BYTES)
        status_set(status, STATUS_FAILED, "%s isn't a list of at most %d class names, one a line.", path,
                   CLASSES_MAX);
    else if (!class_names_parse(text, path, names, status) && names->count < CLASSES_MIN)
        status_set(status, STATUS_FAILED, "%s names %d classes, expected %d to %d.", path, names->count,
                   CLASSES_MIN, CLASSES_MAX);
    if (file) fclose(file);
    mem_free(text);
    return status->code;
}

static void count_labels(const ImageSet *set, int64_t counts[CLASSES_MAX]) {
    for (int64_t i = 0; i < set->n; i++)
        counts[set->labels[i]]++;
}

/* Makes labels begin with 0. */
static StatusCode shift_labels(const char *base, int labels_from, DatasetParts *parts, Status *status) {
    int64_t counts[CLASSES_MAX] = {0};
    ImageSet *const sets[] = {&parts->train, &parts->test};
    for (int s = 0; s < 2; s++)
        count_labels(sets[s], counts);
    if (labels_from < 0 && !counts[0])
        return status_set(status, STATUS_FAILED,
                          "%s: no image is labelled 0; use --labels-from 1 if the labels begin with 1, or "
                          "--labels-from 0 if class 0 just has no image.",
                          base);
    if (labels_from < 1) return STATUS_OK;
    if (counts[0])
        return status_set(
            status, STATUS_FAILED,
            "%s has images labelled 0, %lld in all, so its labels don't begin with 1; omit --labels-from.",
            base, (long long)counts[0]);
    for (int s = 0; s < 2; s++) {
        for (int64_t i = 0; i < sets[s]->n; i++)
            sets[s]->labels[i]--;
        sets[s]->spec.classes--;
    }
    return STATUS_OK;
}

/* The class count of both parts. from: the label of class 0 in the files. */
static StatusCode set_classes(const char *base, int from, DatasetParts *parts, Status *status) {
    int64_t counts[CLASSES_MAX] = {0};
    int needed = parts->train.spec.classes, present = 0;
    const int names = parts->class_names.count;
    if (parts->test.spec.classes > needed) needed = parts->test.spec.classes;
    count_labels(&parts->train, counts);
    for (int c = 0; c < CLASSES_MAX; c++)
        present += counts[c] > 0;
    if (names && names < needed)
        return status_set(status, STATUS_FAILED, "%s has the label %d, but only %d classes have names.", base,
                          needed - 1 + from, names);
    if (present < CLASSES_MIN)
        return status_set(status, STATUS_FAILED,
                          "%s holds training images of %d class, expected at least %d.", base, present,
                          CLASSES_MIN);
    if (!names && 2 * present < needed)
        return status_set(
            status, STATUS_FAILED,
            "%s has labels up to %d, but training images of %d classes only: they look damaged; "
            "if they aren't, name all classes with --class-names.",
            base, needed - 1 + from, present);
    parts->train.spec.classes = parts->test.spec.classes = names ? names : needed;
    return STATUS_OK;
}

static void transpose(ImageSet *set) {
    const ImageSpec from = set->spec;
    const int64_t pixels = image_spec_pixels(from);
    uint8_t image[PIXELS_MAX];
    set->spec.height = from.width;
    set->spec.width = from.height;
    for (int64_t i = 0; i < set->n; i++) {
        memcpy(image, set->images + i * pixels, (size_t)pixels);
        for (int y = 0; y < from.height; y++)
            for (int x = 0; x < from.width; x++)
                set->images[i * pixels + x * from.height + y] = image[y * from.width + x];
    }
}

static StatusCode read_test(const char *base, DatasetParts *parts, Status *status) {
    const ImageSpec train = parts->train.spec;
    const char *name = idx_exists(base, "t10k") ? "t10k" : idx_exists(base, "test") ? "test" : NULL;
    if (name && !strcmp(name, "t10k") && idx_exists(base, "test"))
        fprintf(stderr,
                "pardigits: note: the test part is read from the t10k-* files; test-* beside them isn't.\n");
    if (!name || idx_read(base, name, &parts->test, &parts->test_source, status)) return status->code;
    const ImageSpec test = parts->test.spec;
    if (test.height == train.height && test.width == train.width) return STATUS_OK;
    return status_set(status, STATUS_FAILED,
                      "%s: the test images have %d x %d pixels, but the training images %d x %d.", base,
                      test.height, test.width, train.height, train.width);
}

StatusCode idx_parts_read(const char *base, const IdxOptions *options, DatasetParts *parts, Status *status) {
    *parts = (DatasetParts){0};
    if (options->name_file && read_names(options->name_file, &parts->class_names, status))
        return status->code;
    if (idx_read(base, "train", &parts->train, &parts->train_source, status) ||
        read_test(base, parts, status) || shift_labels(base, options->labels_from, parts, status) ||
        set_classes(base, options->labels_from == 1, parts, status))
        return status->code;
    if (options->transpose) {
        transpose(&parts->train);
        transpose(&parts->test);
    }
    return STATUS_OK;
}
