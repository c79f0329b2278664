#include "knn/cuts.h"

#include "core/mem.h"
#include "core/shares.h"
#include "core/timer.h"
#include "kernels/pixdot.h"

/* The rows of a measurement lie in the second-level cache. */
enum { ROWS = 96, REFERENCE_ROWS = 512 };
static const double measured_s = 0.06;

/* What a search by an index costs for each query beside its rows, as so many rows: its coordinates, and rows
 * that it looks at closely before it knows what is near. Counted on MNIST: a query multiplies 646,000 numbers
 * in 12,500 rows, 1,944,000 in 50,000. */
enum { INDEX_FIXED_ROWS = 6000 };

/* Products of blocks per second, on all threads. */
static double measure_speed(int columns, int threads) {
    uint8_t *pixels = mem_new(REFERENCE_ROWS, (size_t)columns);
    PixRows rows = pix_rows_new(pixels, REFERENCE_ROWS, columns);
    int64_t blocks = 0;
    const double began_s = timer_now_s();
#pragma omp parallel num_threads(threads) reduction(+ : blocks)
    {
        int32_t *products = mem_new(ROWS * REFERENCE_ROWS, sizeof *products);
        for (; timer_now_s() - began_s < measured_s; blocks++)
            pixdot_block(&rows, 0, ROWS, &rows, 0, REFERENCE_ROWS, products, REFERENCE_ROWS);
        mem_free(products);
    }
    const double speed = (double)blocks / (timer_now_s() - began_s);
    pix_rows_free(&rows);
    mem_free(pixels);
    return speed;
}

int64_t *knn_cuts_new(const Comm *comm, int64_t total, const KnnMethod *method, bool measured, int threads) {
    const int ranks = comm_size(comm);
    int64_t *cuts = mem_new((size_t)ranks + 1, sizeof *cuts);
    double *speeds = mem_new((size_t)ranks, sizeof *speeds);
    if (measured && ranks > 1) {
        const double speed = measure_speed(image_spec_pixels(method->spec), threads);
        comm_gather(comm, &speed, sizeof speed, speeds);
    }
    shares_cut(speeds, ranks, total, method->pruned && !method->candidates ? INDEX_FIXED_ROWS : 0, cuts);
    mem_free(speeds);
    return cuts;
}
