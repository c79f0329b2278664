#include "report/sparkline.h"

#include "core/integers.h"

#include <math.h>
#include <string.h>

/* The mean of the finite values from begin to end - 1; NaN if there are none. */
static double mean_of(const double *values, int64_t stride, int64_t begin, int64_t end) {
    double sum = 0;
    int64_t count = 0;
    for (int64_t i = begin; i < end; i++) {
        if (!isfinite(values[i * stride])) continue;
        sum += values[i * stride];
        count++;
    }
    return sum / (double)count;
}

/* Means of equal values may differ in their last bits. */
static const double visible = 1e-9;

bool sparkline(const double *values, int64_t n, int64_t stride, int width, char *text) {
    static const char *const heights[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const int64_t columns = smaller(n, width);
    double least = INFINITY, most = -INFINITY;
    *text = 0;
    for (int64_t i = 0; i < columns; i++) {
        const double mean = mean_of(values, stride, i * n / columns, (i + 1) * n / columns);
        least = fmin(least, mean);
        most = fmax(most, mean);
    }
    if (!(most - least > visible * fmax(fabs(least), fabs(most)))) return false;
    for (int64_t i = 0; i < columns; i++) {
        const double mean = mean_of(values, stride, i * n / columns, (i + 1) * n / columns);
        strcat(text, isnan(mean) ? " " : heights[(int)(7.999 * (mean - least) / (most - least))]);
    }
    return true;
}
