#include "data/found_digits.h"

#include "core/mem.h"

#include <string.h>

void found_digits_add(FoundDigits *found, const FoundDigit *digit, const uint8_t *image) {
    const size_t pixels = (size_t)image_spec_pixels(found->spec), used = (size_t)found->count;
    found->digits = mem_grow(found->digits, used, sizeof *found->digits);
    found->images = mem_grow(found->images, used, pixels);
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
