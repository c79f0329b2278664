/* The image distortion model against its formula, on real digits and on the hardest pictures for 16-bit sums.
 */
#include "core/mem.h"
#include "core/rng.h"
#include "kernels/distortion.h"

#include "ref/distortion_ref.h"
#include "ref/ref_digits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const ImageSpec mnist = {28, 28, 10, 0, false};
enum { SIDE = 28, PIXELS = SIDE * SIDE };

static uint32_t cost_of(const Distortion *distortion, const uint8_t *query, const uint8_t *reference,
                        uint32_t limit) {
    const size_t bytes = (size_t)distortion_gradient_bytes(distortion);
    Gradients a = {.along = mem_new(bytes, 1)}, b = {.along = mem_new(bytes, 1)};
    distortion_gradients(distortion, query, &a);
    distortion_gradients(distortion, reference, &b);
    DistortionQuery *work = distortion_query_create(distortion);
    distortion_query_set(work, &a);
    const uint32_t cost = distortion_cost(work, &b, limit);
    assert_int_equal(distortion_cost(work, &b, limit), cost);
    distortion_query_destroy(&work);
    assert_null(work);
    mem_free(a.along);
    mem_free(b.along);
    return cost;
}

static void check_all(ImageSpec spec, const uint8_t *query, const uint8_t *reference) {
    for (int warp = 0; warp <= DISTORTION_MAX_WARP; warp++)
        for (int variant = 0; variant < 2 * (DISTORTION_MAX_CONTEXT + 1); variant++) {
            const Distortion distortion = {warp, variant / 2, 2 + variant % 2 * 2, spec};
            assert_int_equal(cost_of(&distortion, query, reference, UINT32_MAX),
                             ref_distortion_cost(&distortion, query, reference));
        }
}

static void costs_equal_the_formula_on_digits(void **state) {
    (void)state;
    static const int shapes[][2] = {{28, 28}, {16, 16}, {11, 60}, {64, 64}, {33, 29}};
    ImageSet set = ref_digits("t10k", "0123456789", 0, 100);
    for (int s = 0; s < 5; s++) {
        ImageSet resized = ref_resized(&set, shapes[s][0], shapes[s][1]);
        const int64_t pixels = image_spec_pixels(resized.spec);
        for (int pair = 0; pair < (s ? 1 : 3); pair++)
            check_all(resized.spec, resized.images + pair * pixels,
                      resized.images + (pair * 31 + 17) * pixels);
        image_set_free(&resized);
    }
    image_set_free(&set);
}

/* Noise up to the border, black and white: the largest gradients there are. */
static void draw_noise(ImageSpec spec, uint8_t *image, uint32_t sample) {
    for (uint32_t i = 0; i < (uint32_t)image_spec_pixels(spec); i++) {
        uint32_t bits[4];
        rng_u32x4((RngKey){1, RNG_TEST}, i, sample, 0, bits);
        image[i] = bits[0] & 1 ? 255 : 0;
    }
}

static void costs_equal_the_formula_on_noise(void **state) {
    (void)state;
    static const ImageSpec specs[] = {{28, 28, 10, 0, false}, {8, 8, 2, 0, false}, {10, 57, 2, 0, false}};
    uint8_t query[PIXELS_MAX], reference[PIXELS_MAX];
    for (int s = 0; s < 3; s++) {
        const ImageSpec spec = specs[s];
        draw_noise(spec, query, 1);
        draw_noise(spec, reference, 2);
        check_all(spec, query, reference);
    }
}

/* The largest sums over a context: corners of ink opposite to each other, in all pixels that can be. */
static void no_sum_overflows(void **state) {
    (void)state;
    uint8_t query[PIXELS], reference[PIXELS];
    for (int shape = 0; shape < 4; shape++) {
        for (int i = 0; i < PIXELS; i++) {
            int row = i / SIDE, column = i % SIDE;
            bool ink = shape == 0   ? row + column > 27
                       : shape == 1 ? row > column
                       : shape == 2 ? column > 13
                                    : (row / 2 + column / 2) % 2;
            query[i] = ink ? 255 : 0;
            reference[i] = ink ? 0 : 255;
        }
        check_all(mnist, query, reference);
    }
}

/* The sum of the squared gradients of a pixel whose eight neighbours are ink or none, as the bits say. */
static int squared_length(const Distortion *distortion, int bits) {
    static const int around[8][2] = {{-1, -1}, {-1, 0}, {-1, 1}, {0, -1}, {0, 1}, {1, -1}, {1, 0}, {1, 1}};
    uint8_t image[PIXELS] = {0};
    for (int bit = 0; bit < 8; bit++)
        if (bits >> bit & 1) image[(10 + around[bit][0]) * SIDE + 10 + around[bit][1]] = 255;
    int8_t along[DISTORTION_MAX_DIRECTIONS][SIDE][32];
    Gradients gradients = {.along = along[0][0]};
    assert_true((size_t)distortion_gradient_bytes(distortion) <= sizeof along);
    distortion_gradients(distortion, image, &gradients);
    int length = 0;
    for (int d = 0; d < distortion->directions; d++)
        length += along[d][10][10] * along[d][10][10];
    return length;
}

/* What the bound in the kernel says, for the extreme neighbourhoods. */
static void gradients_fit_their_bound(void **state) {
    (void)state;
    for (int variant = 0; variant < 2 * (DISTORTION_MAX_CONTEXT + 1); variant++) {
        const Distortion distortion = {0, variant / 2, 2 + variant % 2 * 2, mnist};
        int most = 0, pixels = (2 * distortion.context + 1) * (2 * distortion.context + 1);
        for (int bits = 0; bits < 256; bits++) {
            const int length = squared_length(&distortion, bits);
            most = length > most ? length : most;
        }
        assert_true(most > 300);
        assert_true(pixels * 4 * most < 65536);
    }
}

static void equal_images_cost_nothing_and_shifts_within_the_warp_too(void **state) {
    (void)state;
    const Distortion distortion = {2, 1, 4, mnist};
    uint8_t image[PIXELS] = {0}, shifted[PIXELS] = {0};
    for (int row = 8; row < 20; row++)
        for (int column = 9; column < 14; column++) {
            image[row * SIDE + column] = (uint8_t)(row * column);
            shifted[(row + 2) * SIDE + column - 2] = (uint8_t)(row * column);
        }
    assert_int_equal(cost_of(&distortion, image, image, 0), 0);
    assert_int_equal(cost_of(&distortion, image, shifted, UINT32_MAX), 0);
    assert_true(cost_of(&(Distortion){1, 1, 4, mnist}, image, shifted, UINT32_MAX) > 0);
}

static void a_limit_ends_the_sum_only_when_it_is_passed(void **state) {
    (void)state;
    const Distortion distortion = {1, 1, 2, mnist};
    uint8_t query[PIXELS], reference[PIXELS];
    draw_noise(mnist, query, 3);
    draw_noise(mnist, reference, 4);
    const uint32_t cost = cost_of(&distortion, query, reference, UINT32_MAX);
    assert_int_equal(cost_of(&distortion, query, reference, cost), cost);
    assert_true(cost_of(&distortion, query, reference, cost - 1) > cost - 1);
    assert_true(cost_of(&distortion, query, reference, 0) > 0);
    assert_true(cost_of(&distortion, query, reference, 0) <= cost);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(costs_equal_the_formula_on_digits),
        cmocka_unit_test(costs_equal_the_formula_on_noise),
        cmocka_unit_test(no_sum_overflows),
        cmocka_unit_test(gradients_fit_their_bound),
        cmocka_unit_test(equal_images_cost_nothing_and_shifts_within_the_warp_too),
        cmocka_unit_test(a_limit_ends_the_sum_only_when_it_is_passed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
