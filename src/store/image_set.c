#include "store/image_set.h"

#include "core/mem.h"

void image_set_free(ImageSet *set) {
    mem_free(set->images);
    mem_free(set->labels);
    *set = (ImageSet){0};
}
