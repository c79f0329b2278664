#include "ref/ref_digits.h"

#include "core/mem.h"
#include "data/idx.h"
#include "store/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void append(ImageSet *to, const ImageSet *from, int64_t i) {
    memcpy(to->images + to->n * IMAGE_PIXELS, from->images + i * IMAGE_PIXELS, IMAGE_PIXELS);
    to->labels[to->n++] = from->labels[i];
}

ImageSet ref_digits(const char *name, const char *digits, int64_t per_digit, int64_t total) {
    ImageSet all, some = {0};
    ImageSource source;
    Status status = {0};
    const char *folder = getenv("MNIST_DIR");
    if (idx_read(folder ? folder : "data/mnist", name, &all, &source, &status) != STATUS_OK) {
        fprintf(stderr, "%s\n", status.text);
        return some;
    }
    int64_t most = per_digit ? per_digit * (int64_t)strlen(digits) : total;
    some = image_set_new(most, all.spec);
    some.n = 0;
    for (const char *digit = digits; per_digit && *digit; digit++) {
        int64_t end = some.n + per_digit;
        for (int64_t i = 0; i < all.n && some.n < end; i++)
            if (all.labels[i] == *digit - '0') append(&some, &all, i);
    }
    for (int64_t i = 0; i < all.n && some.n < most; i++)
        if (strchr(digits, '0' + all.labels[i])) append(&some, &all, i);
    image_set_free(&all);
    return some;
}

ImageSet ref_resized(const ImageSet *set, int height, int width) {
    const ImageSpec from = set->spec, to = {height, width, from.classes, from.from, from.inverted};
    ImageSet resized = image_set_new(set->n, to);
    memcpy(resized.labels, set->labels, (size_t)set->n);
    for (int64_t i = 0; i < set->n; i++)
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                resized.images[(i * height + y) * width + x] =
                    set->images[(i * from.height + y * from.height / height) * from.width +
                                x * from.width / width];
    return resized;
}
