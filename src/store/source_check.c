#include "store/source_check.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/sha256.h"

#include <string.h>

/* What an array's bytes may have been hashed as: the bytes alone, or an IDX file (idx.h) from which they were
 * taken as they are, or changed: images transposed, labels that began with 1. */
enum { PLAIN, IDX, IDX_CHANGED, FORMS };

typedef struct {
    int count; /* of the forms, from PLAIN on */
    Sha256 forms[FORMS];
} Hashes;

/* dims [rank]: the big-endian header of an IDX file of bytes. Where there is no hash yet, that of the bytes
 * alone is all that is needed. */
static void begin(Hashes *hashes, const char *hash, int rank, const int64_t *dims,
                  const int64_t *dims_changed) {
    hashes->count = *hash ? FORMS : PLAIN + 1;
    for (int f = 0; f < hashes->count; f++) {
        uint8_t header[16] = {0, 0, 8, (uint8_t)rank};
        for (int d = 0; d < rank; d++)
            for (int i = 0; i < 4; i++)
                header[4 + 4 * d + i] =
                    (uint8_t)((f == IDX_CHANGED ? dims_changed : dims)[d] >> (24 - 8 * i));
        sha256_begin(&hashes->forms[f]);
        if (f != PLAIN) sha256_add(&hashes->forms[f], header, 4 + 4 * (size_t)rank);
    }
}

static void add(Hashes *hashes, const uint8_t *bytes, const uint8_t *changed, size_t count) {
    for (int f = 0; f < hashes->count; f++)
        sha256_add(&hashes->forms[f], f == IDX_CHANGED ? changed : bytes, count);
}

/* Leaves a hash that one of the forms has; another becomes that of the bytes alone. */
static void end(Hashes *hashes, char hash[65]) {
    char plain[65] = "", other[65] = "";
    bool right = false;
    for (int f = 0; f < hashes->count; f++) {
        sha256_end(&hashes->forms[f], f == PLAIN ? plain : other);
        right = right || !strcmp(hash, f == PLAIN ? plain : other);
    }
    if (!right) memcpy(hash, plain, sizeof plain);
}

static void transpose(const uint8_t *image, int height, int width, uint8_t *changed) {
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            changed[x * height + y] = image[y * width + x];
}

static StatusCode check_images(const H5File *file, const char *name, int64_t n, ImageSpec spec, char hash[65],
                               Status *status) {
    enum { AT_A_TIME = 1024 };
    const int64_t pixels = image_spec_pixels(spec);
    Hashes hashes;
    begin(&hashes, hash, 3, (int64_t[]){n, spec.height, spec.width}, (int64_t[]){n, spec.width, spec.height});
    uint8_t *images = mem_new(AT_A_TIME, (size_t)pixels), *changed = mem_new(AT_A_TIME, (size_t)pixels);
    for (int64_t first = 0; first < n && !status->code; first += AT_A_TIME) {
        const int64_t count = smaller(n - first, AT_A_TIME);
        if (h5_read_rows(file, name, H5_U8, pixels, first, count, images, status)) break;
        for (int64_t i = 0; i < count && hashes.count > IDX_CHANGED; i++)
            transpose(images + i * pixels, spec.height, spec.width, changed + i * pixels);
        add(&hashes, images, changed, (size_t)(count * pixels));
    }
    mem_free(images);
    mem_free(changed);
    if (!status->code) end(&hashes, hash);
    return status->code;
}

/* numbers: what each label is called instead; NULL: as it is. */
static StatusCode check_labels(const H5File *file, const char *name, int64_t n, const uint8_t *numbers,
                               char hash[65], Status *status) {
    Hashes hashes;
    uint8_t *labels = mem_new((size_t)n + 1, 1), *changed = mem_new((size_t)n + 1, 1);
    begin(&hashes, hash, 1, &n, &n);
    if (!h5_read_rows(file, name, H5_U8, 1, 0, n, labels, status)) {
        for (int64_t i = 0; i < n; i++) {
            if (numbers) labels[i] = numbers[labels[i]];
            changed[i] = (uint8_t)(labels[i] + 1);
        }
        add(&hashes, labels, changed, (size_t)n);
        end(&hashes, hash);
    }
    mem_free(labels);
    mem_free(changed);
    return status->code;
}

StatusCode source_check(const H5File *file, const char *part, int64_t n, ImageSpec spec,
                        const uint8_t *numbers, ImageSource *source, Status *status) {
    char images[DATASET_NAME], labels[DATASET_NAME];
    dataset_part_names(part, images, labels);
    if (!check_images(file, images, n, spec, source->images_sha256, status))
        check_labels(file, labels, n, numbers, source->labels_sha256, status);
    return status->code;
}
