/* The solver and its kernel rows. */
#include "core/mem.h"
#include "core/rng.h"
#include "svm/svm.h"

#include "ref/ref_digits.h"
#include "ref/svm_libsvm.h"
#include "ref/svm_ref.h"
#include "svm/gram_rows.h"
#include "svm/pixel_rows.h"
#include "svm/two_class.h"

#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PIXELS = 784 };

static const SvmKernel kernels[] = {
    {SVM_RBF, 0.02, 0, 3, false}, {SVM_POLY, 0.01, 1, 5, false}, {SVM_LINEAR, 1, 0, 3, false},
    {SVM_RBF, 2, 0, 3, true},     {SVM_POLY, 0.5, 0.5, 9, true}, {SVM_LINEAR, 1, 0, 3, true},
};
enum { KERNELS = sizeof kernels / sizeof *kernels };

/* n images of which about one pixel in 8 is ink, with labels that the images tell only roughly. */
typedef struct {
    int64_t n;
    uint8_t *images;
    int8_t *y;
    int32_t *index;
} Random;

static Random random_problem(int64_t n, uint32_t seed) {
    Random set = {n, mem_new((size_t)n, PIXELS), mem_new((size_t)n, 1), mem_new((size_t)n, sizeof(int32_t))};
    for (int64_t i = 0; i < n; i++) {
        float label[4];
        rng_uniform4((RngKey){seed, RNG_TEST}, 0, (uint64_t)i, 0, label);
        set.y[i] = label[0] < 0.5f ? 1 : -1;
        set.index[i] = (int32_t)i;
        for (int c = 0; c < PIXELS; c += 4) {
            uint32_t bits[4];
            rng_u32x4((RngKey){seed, RNG_TEST}, 1, (uint64_t)i, (uint32_t)c, bits);
            for (int k = 0; k < 4; k++) {
                bool ink = bits[k] % 16 < (set.y[i] > 0 && c < PIXELS / 4 ? 3 : 2);
                set.images[i * PIXELS + c + k] = ink ? (uint8_t)(bits[k] >> 24) : 0;
            }
        }
    }
    return set;
}

static void random_free(Random *set) {
    mem_free(set->images);
    mem_free(set->y);
    mem_free(set->index);
}

static void kernel_values_are_near_the_reference(void **state) {
    (void)state;
    Random set = random_problem(70, 1);
    PixRows packed = pix_rows_new(set.images, set.n, PIXELS);
    for (int k = 0; k < KERNELS; k++) {
        double *inverses = svm_kernel_inverses(&kernels[k], packed.norms, set.n);
        const SvmLengths lengths = {packed.norms, inverses};
        for (int64_t i = 0; i < set.n; i++) {
            int32_t dots[70];
            float values[70];
            pixdot_block(&packed, i, 1, &packed, 0, set.n, dots, set.n);
            svm_kernel_values(&kernels[k], svm_lengths_from(lengths, i), lengths, dots, values, set.n);
            for (int64_t j = 0; j < set.n; j++) {
                double expected =
                    ref_svm_kernel(&kernels[k], set.images + i * PIXELS, set.images + j * PIXELS, PIXELS);
                assert_true(fabs((double)values[j] - expected) <= 1e-6 * fabs(expected));
            }
        }
        mem_free(inverses);
    }
    pix_rows_free(&packed);
    random_free(&set);
}

static void kernel_values_have_the_same_bits_anywhere(void **state) {
    (void)state;
    enum { N = 700 };
    int32_t dots[N], norms[N];
    for (int j = 0; j < N; j++) {
        norms[j] = 5000000 + 7919 * j;
        dots[j] = 2000000 + 3571 * j;
    }
    for (int k = 0; k < KERNELS; k++) {
        const int32_t norm = 6000000;
        float all[N], one, part[N];
        double *inverse = svm_kernel_inverses(&kernels[k], &norm, 1);
        double *inverses = svm_kernel_inverses(&kernels[k], norms, N);
        const SvmLengths single = {&norm, inverse}, many = {norms, inverses};
        svm_kernel_values(&kernels[k], single, many, dots, all, N);
        for (int j = 0; j < N; j++) {
            svm_kernel_values(&kernels[k], svm_lengths_from(many, j), single, dots + j, &one, 1);
            assert_memory_equal(&one, all + j, sizeof one);
        }
        for (int first = 0; first < 40; first++) {
            svm_kernel_values(&kernels[k], single, svm_lengths_from(many, first), dots + first, part,
                              N - 2 * first);
            assert_memory_equal(part, all + first, (size_t)(N - 2 * first) * sizeof *part);
        }
        mem_free(inverses);
        mem_free(inverse);
    }
}

/* Solves with rows from the reference, at a cache of so many bytes. */
static SvmSolution solve_plainly(const SvmKernel *kernel, const uint8_t *images, const int8_t *y, int64_t n,
                                 double c, double eps, int64_t cache_bytes) {
    RefSvmRows rows = ref_svm_rows_new(kernel, images, n, PIXELS);
    float *diagonal = mem_new((size_t)n, sizeof *diagonal);
    for (int64_t i = 0; i < n; i++)
        diagonal[i] = rows.matrix[i * n + i];
    SvmProblem problem = {
        .n = n, .y = y, .diagonal = diagonal, .rows = ref_svm_rows(&rows), .c = c, .eps = eps};
    problem.cache_bytes = cache_bytes;
    SvmSolution solution;
    assert_true(svm_solve(&problem, &solution));
    mem_free(diagonal);
    ref_svm_rows_free(&rows);
    return solution;
}

static void objective_and_rho_equal_libsvm(void **state) {
    (void)state;
    ImageSet digits = ref_digits("train", "358", 100, 0);
    if (digits.n != 300) fail_msg("no MNIST");
    const int first[3] = {0, 0, 100}, second[3] = {100, 200, 200};
    for (size_t k = 0; k < sizeof libsvm_answers / sizeof *libsvm_answers; k++)
        for (int p = 0; p < 3; p++) {
            const LibsvmAnswer *known = &libsvm_answers[k];
            uint8_t *images = mem_new(200, PIXELS);
            int8_t y[200];
            memcpy(images, digits.images + first[p] * PIXELS, 100 * PIXELS);
            memcpy(images + 100 * PIXELS, digits.images + second[p] * PIXELS, 100 * PIXELS);
            for (int i = 0; i < 200; i++)
                y[i] = i < 100 ? 1 : -1;
            SvmSolution solution = solve_plainly(&known->kernel, images, y, 200, known->c, 1e-5, 1 << 20);
            assert_true(solution.converged);
            assert_true(fabs(solution.objective - known->objective[p]) <=
                        1e-6 * fabs(known->objective[p]) + 5e-7);
            assert_true(fabs(solution.rho - known->rho[p]) <= 2e-5);
            svm_solution_free(&solution);
            mem_free(images);
        }
    image_set_free(&digits);
}

/* Checks a solution against the conditions of optimality, with a gradient computed afresh, whose values are
 * allowed to be this far from the solver's. */
static void check_optimal(const SvmKernel *kernel, const Random *set, double c, double eps, double rounding,
                          const SvmSolution *solution) {
    double sum = 0, m = -INFINITY, lowest = INFINITY, objective = 0;
    int64_t support = 0, bounded = 0;
    for (int64_t i = 0; i < set->n; i++) {
        double b = solution->coefficient[i], alpha = b * set->y[i], decision = 0;
        assert_true(alpha >= 0 && alpha <= c);
        for (int64_t j = 0; j < set->n; j++)
            if (solution->coefficient[j] != 0)
                decision += solution->coefficient[j] *
                            (double)(float)ref_svm_kernel(kernel, set->images + i * PIXELS,
                                                          set->images + j * PIXELS, PIXELS);
        double v = set->y[i] - decision;
        if (set->y[i] > 0 ? alpha < c : alpha > 0) m = v > m ? v : m;
        if (set->y[i] > 0 ? alpha > 0 : alpha < c) lowest = v < lowest ? v : lowest;
        sum += b;
        objective += 0.5 * b * decision - alpha;
        support += alpha > 0;
        bounded += alpha == c;
    }
    assert_true(solution->converged);
    assert_true(m - lowest <= eps + rounding);
    assert_true(-solution->rho <= fmax(m, lowest) + rounding && -solution->rho >= fmin(m, lowest) - rounding);
    assert_true(fabs(sum) <= 1e-9 * c * (double)set->n);
    assert_true(fabs(objective - solution->objective) <= rounding * fabs(objective));
    assert_int_equal(support, solution->support);
    assert_int_equal(bounded, solution->bounded);
}

static void solutions_are_optimal(void **state) {
    (void)state;
    const int64_t sizes[] = {2, 3, 50, 160};
    const double costs[] = {0.003, 0.3};
    for (int k = 0; k < KERNELS; k++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (size_t c = 0; c < sizeof costs / sizeof *costs; c++) {
                Random set = random_problem(sizes[s], (uint32_t)s);
                set.y[0] = 1;
                set.y[1] = -1;
                SvmSolution solution =
                    solve_plainly(&kernels[k], set.images, set.y, set.n, costs[c], 1e-5, 1 << 20);
                check_optimal(&kernels[k], &set, costs[c], 1e-5, 1e-9, &solution);
                svm_solution_free(&solution);
                random_free(&set);
            }
}

/* Equal images with opposite labels: no curvature, both end at the bound. */
static void contradictions_are_solved(void **state) {
    (void)state;
    Random set = random_problem(2, 3);
    memcpy(set.images + PIXELS, set.images, PIXELS);
    set.y[0] = 1;
    set.y[1] = -1;
    SvmSolution solution = solve_plainly(&kernels[0], set.images, set.y, 2, 0.5, 1e-3, 1);
    assert_true(solution.coefficient[0] == 0.5 && solution.coefficient[1] == -0.5);
    assert_true(solution.rho == 0 && solution.bounded == 2);
    svm_solution_free(&solution);
    random_free(&set);
}

/* Solves with exact dot products; threads - 1 threads help. */
static SvmSolution solve_exactly(const SvmKernel *kernel, const Random *set, int64_t cache_bytes,
                                 int threads) {
    PairWorkers *workers = pair_workers_create(threads);
    SvmSolution solution = {0};
    atomic_bool done = false;
#pragma omp parallel num_threads(threads)
    if (omp_get_thread_num()) {
        pair_workers_join(workers);
        while (!atomic_load(&done))
            pair_workers_help(workers);
    } else {
        PixelRows rows = {.kernel = kernel,
                          .images = set->images,
                          .pixels = PIXELS,
                          .index = set->index,
                          .n = set->n,
                          .workers = workers};
        pixel_rows_init(&rows);
        float *diagonal = mem_new((size_t)set->n, sizeof *diagonal);
        pixel_rows_diagonal(&rows, diagonal);
        SvmProblem problem = {
            .n = set->n, .y = set->y, .diagonal = diagonal, .rows = pixel_rows_source(&rows)};
        problem.c = 1;
        problem.eps = 1e-3;
        problem.cache_bytes = cache_bytes;
        svm_solve(&problem, &solution);
        mem_free(diagonal);
        pixel_rows_free(&rows);
        atomic_store(&done, true);
    }
    pair_workers_destroy(&workers);
    return solution;
}

static void cache_and_threads_change_no_bit(void **state) {
    (void)state;
    const int64_t cache_bytes[] = {1, 1 << 20, 1 << 24};
    Random set = random_problem(500, 5);
    for (int k = 0; k < KERNELS; k++) {
        SvmSolution first = solve_exactly(&kernels[k], &set, 1 << 26, 1);
        assert_true(first.iterations > 300);
        for (int t = 1; t <= 3; t++) {
            SvmSolution other = solve_exactly(&kernels[k], &set, cache_bytes[t - 1], t);
            assert_memory_equal(first.coefficient, other.coefficient,
                                (size_t)set.n * sizeof *first.coefficient);
            assert_memory_equal(&first.rho, &other.rho, sizeof first.rho);
            assert_memory_equal(&first.objective, &other.objective, sizeof first.objective);
            assert_int_equal(first.iterations, other.iterations);
            svm_solution_free(&other);
        }
        svm_solution_free(&first);
    }
    random_free(&set);
}

/* With shrinking and rows that come and go. */
static void long_searches_end_optimal(void **state) {
    (void)state;
    Random set = random_problem(450, 7);
    for (int k = 0; k < KERNELS; k++) {
        SvmSolution solution = solve_exactly(&kernels[k], &set, 1, 1);
        assert_true(solution.iterations > 300);
        check_optimal(&kernels[k], &set, 1, 1e-3, 1e-5, &solution);
        svm_solution_free(&solution);
    }
    random_free(&set);
}

/* n points of a few dimensions, with a linear kernel: such problems shrink samples that have to come back. */
static RefSvmRows few_dimensions(int n, uint32_t seed) {
    const int dimensions = 1 + (int)seed % 5;
    RefSvmRows rows = {.n = n, .matrix = mem_new((size_t)(n * n), sizeof(float)), .count = n};
    float *points = mem_new((size_t)(n * dimensions), 4 * sizeof(float));
    for (int i = 0; i < n * dimensions; i++)
        rng_uniform4((RngKey){seed, RNG_TEST}, 2, (uint64_t)i, 0, points + 4 * i);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            for (int d = 0; d < dimensions; d++)
                rows.matrix[i * n + j] += 16 * (points[4 * (i * dimensions + d)] - 0.5f) *
                                          (points[4 * (j * dimensions + d)] - 0.5f);
    mem_free(points);
    return rows;
}

/* m - M over all samples, not only those that the solver has last followed. */
static double violation(const SvmProblem *problem, const RefSvmRows *rows, const SvmSolution *solution) {
    double m = -INFINITY, lowest = INFINITY;
    for (int64_t i = 0; i < problem->n; i++) {
        const double b = solution->coefficient[i], alpha = b * problem->y[i];
        double v = problem->y[i];
        for (int64_t j = 0; j < problem->n; j++)
            v -= solution->coefficient[j] * (double)rows->matrix[i * problem->n + j];
        if (problem->y[i] > 0 ? alpha < problem->c : alpha > 0) m = fmax(m, v);
        if (problem->y[i] > 0 ? alpha > 0 : alpha < problem->c) lowest = fmin(lowest, v);
    }
    return m - lowest;
}

static void samples_come_back_that_were_dropped(void **state) {
    (void)state;
    for (uint32_t seed = 1; seed < 60; seed++) {
        enum { MOST = 47 };
        const int n = 8 + (int)seed % (MOST - 7);
        RefSvmRows rows = few_dimensions(n, seed);
        float diagonal[MOST];
        int8_t y[MOST];
        for (int i = 0; i < n; i++) {
            float label[4];
            rng_uniform4((RngKey){seed, RNG_TEST}, 3, (uint64_t)i, 0, label);
            y[i] = i == 0 || (i > 1 && label[0] < 0.5f) ? 1 : -1;
            diagonal[i] = rows.matrix[i * n + i];
        }
        SvmProblem problem = {.n = n, .y = y, .diagonal = diagonal, .rows = ref_svm_rows(&rows)};
        problem.c = seed % 2 ? 30 : 3;
        problem.eps = seed % 3 ? 0.01 : 0.1;
        problem.cache_bytes = 1 << 16;
        SvmSolution solution;
        assert_true(svm_solve(&problem, &solution));
        assert_true(solution.converged);
        assert_true(violation(&problem, &rows, &solution) <= problem.eps + 1e-6);
        svm_solution_free(&solution);
        ref_svm_rows_free(&rows);
    }
}

/* Kept products give the bits that computed ones give, also when only a few are kept; and gamma may change
 * under them. */
static void kept_products_change_no_bit(void **state) {
    (void)state;
    enum { ALL = 400, TRAINED = 300 };
    Random set = random_problem(ALL, 8);
    PairWorkers *workers = pair_workers_create(1);
    int32_t others[ALL - TRAINED];
    float diagonal[TRAINED];
    double expected[ALL - TRAINED], found[ALL - TRAINED];
    for (int i = TRAINED; i < ALL; i++)
        others[i - TRAINED] = i;
    for (int few = 0; few < 2; few++) {
        SvmKernel kernel = kernels[3];
        const ImageSet images = {ALL, set.images, NULL, {28, 28, 10, 0, false}};
        GramRows rows = gram_rows_new(&kernel, &images, set.index, TRAINED, ALL - TRAINED,
                                      few ? 40 * ALL * (int64_t)sizeof(int32_t) : 1 << 24);
        for (int g = 1; g <= 3; g++) {
            kernel.gamma = 0.7 * g;
            TwoClass how = {.kernel = &kernel,
                            .images = set.images,
                            .pixels = PIXELS,
                            .c = 1,
                            .eps = 1e-3,
                            .workers = workers};
            SvmSolution solution, kept;
            assert_true(two_class_solve(&how, set.index, set.y, TRAINED, &solution));
            two_class_decide(&how, set.index, TRAINED, &solution, others, ALL - TRAINED, expected);
            gram_rows_diagonal(&rows, diagonal);
            SvmProblem problem = {.n = TRAINED, .y = set.y, .diagonal = diagonal, .c = 1, .eps = 1e-3};
            problem.rows = gram_rows_source(&rows);
            problem.cache_bytes = 1 << 18;
            assert_true(svm_solve(&problem, &kept));
            assert_memory_equal(solution.coefficient, kept.coefficient, TRAINED * sizeof(double));
            gram_rows_decide(&rows, kept.coefficient, kept.rho, found);
            assert_memory_equal(expected, found, sizeof found);
            svm_solution_free(&kept);
            svm_solution_free(&solution);
        }
        assert_true(few ? rows.rows_left == 0 : rows.rows_left > 0);
        gram_rows_free(&rows);
    }
    pair_workers_destroy(&workers);
    random_free(&set);
}

/* Decision values of other images, against sums over the reference kernel. */
static void decisions_are_near_the_reference(void **state) {
    (void)state;
    enum { ALL = 150, TRAINED = 100 };
    Random set = random_problem(ALL, 9);
    PairWorkers *workers = pair_workers_create(1);
    int32_t others[ALL - TRAINED];
    double decision[ALL - TRAINED];
    for (int i = TRAINED; i < ALL; i++)
        others[i - TRAINED] = i;
    for (int k = 0; k < KERNELS; k++) {
        TwoClass how = {.kernel = &kernels[k],
                        .images = set.images,
                        .pixels = PIXELS,
                        .c = 1,
                        .eps = 1e-3,
                        .workers = workers};
        SvmSolution solution;
        assert_true(two_class_solve(&how, set.index, set.y, TRAINED, &solution));
        two_class_decide(&how, set.index, TRAINED, &solution, others, ALL - TRAINED, decision);
        for (int o = TRAINED; o < ALL; o++) {
            double sum = -solution.rho, size = 0;
            for (int i = 0; i < TRAINED; i++) {
                double term = solution.coefficient[i] * ref_svm_kernel(&kernels[k], set.images + i * PIXELS,
                                                                       set.images + o * PIXELS, PIXELS);
                sum += term;
                size += fabs(term);
            }
            assert_true(fabs(decision[o - TRAINED] - sum) <= 1e-6 * (size + 1));
        }
        svm_solution_free(&solution);
    }
    pair_workers_destroy(&workers);
    random_free(&set);
}

static bool third_question(void *context) {
    return ++*(int *)context == 3;
}

static void interruption_ends_the_search(void **state) {
    (void)state;
    Random set = random_problem(400, 6);
    RefSvmRows rows = ref_svm_rows_new(&kernels[0], set.images, set.n, PIXELS);
    float diagonal[400];
    int asked = 0;
    for (int i = 0; i < 400; i++)
        diagonal[i] = 1;
    SvmProblem problem = {.n = set.n, .y = set.y, .diagonal = diagonal, .rows = ref_svm_rows(&rows), .c = 10};
    problem.eps = 1e-6;
    problem.interrupted = third_question;
    problem.interrupt_context = &asked;
    SvmSolution solution;
    assert_false(svm_solve(&problem, &solution));
    assert_int_equal(asked, 3);
    ref_svm_rows_free(&rows);
    random_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernel_values_are_near_the_reference),
        cmocka_unit_test(kernel_values_have_the_same_bits_anywhere),
        cmocka_unit_test(objective_and_rho_equal_libsvm),
        cmocka_unit_test(solutions_are_optimal),
        cmocka_unit_test(contradictions_are_solved),
        cmocka_unit_test(cache_and_threads_change_no_bit),
        cmocka_unit_test(long_searches_end_optimal),
        cmocka_unit_test(samples_come_back_that_were_dropped),
        cmocka_unit_test(kept_products_change_no_bit),
        cmocka_unit_test(decisions_are_near_the_reference),
        cmocka_unit_test(interruption_ends_the_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
