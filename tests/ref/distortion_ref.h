/* The image distortion model pixel by pixel, as its formula reads. */
#ifndef PARDIGITS_TESTS_REF_DISTORTION_REF_H
#define PARDIGITS_TESTS_REF_DISTORTION_REF_H

#include "kernels/distortion.h"

/* The cost of turning image `query` [28][28] into `reference`. */
uint32_t ref_distortion_cost(const Distortion *distortion, const uint8_t *query, const uint8_t *reference);

#endif
