#include "svm/two_class.h"

#include "core/mem.h"
#include "svm/pixel_rows.h"
#include "svm/probability.h"

#include <string.h>

/* Freed by pixel_rows_free. */
static PixelRows rows_of(const TwoClass *how, const int32_t *index, int64_t n) {
    PixelRows rows = {.kernel = how->kernel,
                      .images = how->images,
                      .pixels = how->pixels,
                      .index = index,
                      .n = n,
                      .workers = how->workers,
                      .thread = how->thread};
    pixel_rows_init(&rows);
    return rows;
}

bool two_class_solve(const TwoClass *how, const int32_t *index, const int8_t *y, int64_t n,
                     SvmSolution *solution) {
    float *diagonal = mem_new((size_t)n, sizeof *diagonal);
    PixelRows rows = rows_of(how, index, n);
    pixel_rows_diagonal(&rows, diagonal);
    SvmProblem problem = {.n = n, .y = y, .diagonal = diagonal, .rows = pixel_rows_source(&rows)};
    problem.c = how->c;
    problem.c_negative = how->c_negative;
    problem.eps = how->eps;
    problem.cache_bytes = how->cache_bytes;
    problem.group = how->group;
    problem.interrupted = how->interrupted;
    problem.interrupt_context = how->interrupt_context;
    bool solved = svm_solve(&problem, solution);
    pixel_rows_free(&rows);
    mem_free(diagonal);
    return solved;
}

/* Lists the images that support a solution, and their coefficients; returns how many those are. */
static int64_t list_support(const SvmSolution *solution, const int32_t *index, int64_t n, int32_t *images,
                            double *coefficient) {
    int64_t support = 0;
    for (int64_t i = 0; i < n; i++)
        if (solution->coefficient[i] != 0) {
            coefficient[support] = solution->coefficient[i];
            images[support++] = index[i];
        }
    return support;
}

/* Adds to decision [count], of the selected columns, the kernel values of the first rows, times their
 * coefficients [support]: a block of rows at a time. */
static void add_support(const SvmRows *source, const double *coefficient, int64_t support, int64_t count,
                        double *decision) {
    float *values = mem_new((size_t)(SVM_BLOCK_ROWS * count), sizeof *values), *out[SVM_BLOCK_ROWS];
    for (int r = 0; r < SVM_BLOCK_ROWS; r++)
        out[r] = values + r * count;
    for (int64_t first = 0; first < support; first += SVM_BLOCK_ROWS) {
        int32_t block[SVM_BLOCK_ROWS];
        int of_block = support - first < SVM_BLOCK_ROWS ? (int)(support - first) : SVM_BLOCK_ROWS;
        for (int r = 0; r < of_block; r++)
            block[r] = (int32_t)(first + r);
        source->compute(source->context, block, of_block, out);
        for (int r = 0; r < of_block; r++)
            for (int64_t k = 0; k < count; k++)
                decision[k] += coefficient[first + r] * (double)out[r][k];
    }
    mem_free(values);
}

void two_class_decide(const TwoClass *how, const int32_t *index, int64_t n, const SvmSolution *solution,
                      const int32_t *others, int64_t count, double *decision) {
    int32_t *all = mem_new((size_t)(n + count), sizeof *all); /* supporting images, then the others */
    double *coefficient = mem_new((size_t)n, sizeof *coefficient);
    int32_t *columns = mem_new((size_t)count, sizeof *columns);
    const int64_t support = list_support(solution, index, n, all, coefficient);
    for (int64_t k = 0; k < count; k++) {
        all[support + k] = others[k];
        columns[k] = (int32_t)(support + k);
        decision[k] = -solution->rho;
    }
    PixelRows rows = rows_of(how, all, support + count);
    SvmRows source = pixel_rows_source(&rows);
    source.select(source.context, columns, count);
    add_support(&source, coefficient, support, count, decision);
    pixel_rows_free(&rows);
    mem_free(columns);
    mem_free(coefficient);
    mem_free(all);
}

/* The samples of a fold, and those of the others, on which a machine is trained. */
typedef struct {
    int32_t *index, *held; /* images trained on [n]; held out [held_count] */
    int8_t *y;             /* [n] */
    int64_t n, held_count, positive;
} Fold;

static Fold fold_new(const int32_t *index, const int8_t *y, const int32_t *group, int64_t n, int fold) {
    Fold out = {mem_new((size_t)n, sizeof(int32_t)),
                mem_new((size_t)n, sizeof(int32_t)),
                mem_new((size_t)n, 1),
                0,
                0,
                0};
    for (int64_t k = 0; k < n; k++) {
        if (group[k] == fold) {
            out.held[out.held_count++] = index[k];
        } else {
            out.positive += y[k] > 0;
            out.y[out.n] = y[k];
            out.index[out.n++] = index[k];
        }
    }
    return out;
}

static void fold_free(Fold *fold) {
    mem_free(fold->index);
    mem_free(fold->held);
    mem_free(fold->y);
}

/* Decision values of the held-out samples; where one class is left to train on, it is always chosen. */
static bool fold_decide(const TwoClass *how, const Fold *fold, double *decision) {
    SvmSolution solution;
    if (fold->positive == 0 || fold->positive == fold->n) {
        for (int64_t k = 0; k < fold->held_count; k++)
            decision[k] = fold->n == 0 ? 0 : fold->positive ? 1 : -1;
        return true;
    }
    if (!two_class_solve(how, fold->index, fold->y, fold->n, &solution)) return false;
    two_class_decide(how, fold->index, fold->n, &solution, fold->held, fold->held_count, decision);
    svm_solution_free(&solution);
    return true;
}

bool two_class_calibrate(const TwoClass *how, const int32_t *index, const int8_t *y, const int32_t *group,
                         int64_t n, int folds, double *slope, double *offset) {
    double *all = mem_new((size_t)n, sizeof *all), *held = mem_new((size_t)n, sizeof *held);
    bool done = true;
    for (int f = 0; f < folds && done; f++) {
        Fold fold = fold_new(index, y, group, n, f);
        done = fold_decide(how, &fold, held);
        for (int64_t k = 0, h = 0; k < n && done; k++)
            if (group[k] == f) all[k] = held[h++];
        fold_free(&fold);
    }
    if (done) svm_fit_sigmoid(all, y, n, slope, offset);
    mem_free(held);
    mem_free(all);
    return done;
}
