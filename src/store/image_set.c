#include "store/image_set.h"

#include "core/mem.h"

ImageSet image_set_new(int64_t n, ImageSpec spec) {
    return (ImageSet){n, mem_new((size_t)n, (size_t)image_spec_pixels(spec)), mem_new((size_t)n, 1), spec};
}

void image_set_free(ImageSet *set) {
    mem_free(set->images);
    mem_free(set->labels);
    *set = (ImageSet){0};
}
