#include "svm/hints.h"

#include "core/integers.h"
#include "core/mem.h"
#include "svm/svm.h"

/* The mean squared distance of two images, whose pixels are in [0,1]: twice the sum of the pixels' variances.
 */
static double mean_squared_distance(const ImageSet *set) {
    enum { MOST = 2000 /* images, which are enough */ };
    const int pixels = image_spec_pixels(set->spec);
    const int64_t step = divide_up(set->n, MOST), count = divide_up(set->n, step);
    double *sums = mem_new((size_t)pixels, sizeof *sums), squares = 0, squared_sums = 0;
    for (int64_t i = 0; i < set->n; i += step)
        for (int p = 0; p < pixels; p++) {
            const double value = set->images[i * pixels + p] / 255.0;
            sums[p] += value;
            squares += value * value;
        }
    for (int p = 0; p < pixels; p++)
        squared_sums += sums[p] * sums[p];
    mem_free(sums);
    return 2 * (squares - squared_sums / (double)count) / (double)count;
}

void svm_log_hints(const SvmOptions *options, const ImageSet *set, Log *log) {
    const double large = 20, usual = 2; /* gamma times the distance; exp(-20) is 0.000000002 */
    if (options->kernel != SVM_RBF || options->normalize || options->search || set->n < 2 || !log->speaks)
        return;
    const double distance = mean_squared_distance(set);
    if (options->gamma * distance > large)
        log_line(log,
                 "hint: svm.gamma = %g is large for these images, whose mean squared distance is %.0f: the "
                 "kernel of two of them is about 0, so each is learnt by heart; try svm.gamma = %.2g.",
                 options->gamma, distance, usual / distance);
}
