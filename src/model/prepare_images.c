#include "model/prepare_images.h"

#include "data/preprocess.h"

#include <omp.h>

void prepare_images(const Config *config, ImageSet *set) {
    preprocess_images(config_text(config, "run.preprocess"), set, omp_get_max_threads());
}
