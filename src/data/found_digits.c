#include "data/found_digits.h"

#include "core/mem.h"

#include <string.h>

void found_digits_add(FoundDigits *found, const FoundDigit *digit, const uint8_t *image) {
    const size_t pixels = (size_t)image_spec_pixels(found->spec), used = (size_t)found->count;
    if (found->count == found->room) {
        found->room = 2 * found->room + 8;
        FoundDigit *digits = mem_new((size_t)found->room, sizeof *digits);
        uint8_t *images = mem_new((size_t)found->room, pixels);
        if (used) memcpy(digits, found->digits, used * sizeof *digits);
        if (used) memcpy(images, found->images, used * pixels);
        mem_free(found->digits);
        mem_free(found->images);
        found->digits = digits;
        found->images = images;
    }
    found->digits[used] = *digit;
    memcpy(found->images + used * pixels, image, pixels);
    found->count++;
}

void found_digits_append(FoundDigits *found, const FoundDigits *other) {
    for (int64_t i = 0; i < other->count; i++)
        found_digits_add(found, &other->digits[i], other->images + i * image_spec_pixels(other->spec));
}

void found_digits_free(FoundDigits *found) {
    mem_free(found->digits);
    mem_free(found->images);
    *found = (FoundDigits){.spec = found->spec};
}
