#include "svm/probability.h"

#include "core/mem.h"

#include <math.h>

/* The likelihood of one set of decision values and its derivatives. */
typedef struct {
    const double *decision;
    const double *target; /* [n] the probability of +1 that is aimed at, a little inside (0, 1) */
    int64_t n;
} Fit;

/* -log likelihood; log(1 + exp(z)) without overflow. */
static double loss(const Fit *fit, double slope, double offset) {
    double sum = 0;
    for (int64_t i = 0; i < fit->n; i++) {
        double z = slope * fit->decision[i] + offset;
        sum += z >= 0 ? fit->target[i] * z + log1p(exp(-z)) : (fit->target[i] - 1) * z + log1p(exp(z));
    }
    return sum;
}

/* A Newton step [2] and the gradient [2]; the Hessian's diagonal is raised a little, so that it is definite.
 */
static void newton_step(const Fit *fit, double slope, double offset, double step[2], double gradient[2]) {
    double h11 = 1e-12, h22 = 1e-12, h12 = 0;
    gradient[0] = gradient[1] = 0;
    for (int64_t i = 0; i < fit->n; i++) {
        double f = fit->decision[i], p = svm_sigmoid(f, slope, offset), d = fit->target[i] - p;
        h11 += f * f * p * (1 - p);
        h12 += f * p * (1 - p);
        h22 += p * (1 - p);
        gradient[0] += f * d;
        gradient[1] += d;
    }
    double determinant = h11 * h22 - h12 * h12;
    step[0] = -(h22 * gradient[0] - h12 * gradient[1]) / determinant;
    step[1] = -(h11 * gradient[1] - h12 * gradient[0]) / determinant;
}

static void minimise(const Fit *fit, double *slope, double *offset) {
    enum { STEPS = 100 };
    double value = loss(fit, *slope, *offset);
    for (int k = 0; k < STEPS; k++) {
        double step[2], gradient[2], size = 1;
        newton_step(fit, *slope, *offset, step, gradient);
        if (fabs(gradient[0]) < 1e-5 && fabs(gradient[1]) < 1e-5) return;
        double descent = gradient[0] * step[0] + gradient[1] * step[1];
        for (; size >= 1e-10; size /= 2) {
            double tried = loss(fit, *slope + size * step[0], *offset + size * step[1]);
            if (tried >= value + 1e-4 * size * descent) continue;
            *slope += size * step[0];
            *offset += size * step[1];
            value = tried;
            break;
        }
        if (size < 1e-10) return;
    }
}

void svm_fit_sigmoid(const double *decision, const int8_t *y, int64_t n, double *slope, double *offset) {
    double positive = 0, negative = 0;
    for (int64_t i = 0; i < n; i++)
        *(y[i] > 0 ? &positive : &negative) += 1;
    double *target = mem_new((size_t)n, sizeof *target);
    for (int64_t i = 0; i < n; i++)
        target[i] = y[i] > 0 ? (positive + 1) / (positive + 2) : 1 / (negative + 2);
    const Fit fit = {decision, target, n};
    *slope = 0;
    *offset = log((negative + 1) / (positive + 1));
    minimise(&fit, slope, offset);
    mem_free(target);
}

double svm_sigmoid(double decision, double slope, double offset) {
    double z = slope * decision + offset;
    return z >= 0 ? exp(-z) / (1 + exp(-z)) : 1 / (1 + exp(z));
}

int64_t svm_couple_work(int k) {
    return (int64_t)k * k + k;
}

/* Two classes have one pair, whose probabilities are theirs (as in LIBSVM). Of more: Q_tt = sum_j r_jt^2,
 * Q_tj = -r_jt r_tj; p minimises p'Qp with sum p = 1, where Qp is the same in all components. Components are
 * improved in turn. */
void svm_couple(int k, const double *between, double *work, double *probability) {
    enum { ROUNDS = 100 };
    const double enough = 0.005 / k;
    double *q = work, *qp = work + k * k, *p = probability;
    if (k == 2) {
        p[0] = between[1];
        p[1] = between[2];
        return;
    }
    for (int t = 0; t < k; t++) {
        p[t] = 1.0 / k;
        q[t * k + t] = 0;
        for (int j = 0; j < k; j++) {
            if (j == t) continue;
            q[t * k + t] += between[j * k + t] * between[j * k + t];
            q[t * k + j] = -between[j * k + t] * between[t * k + j];
        }
    }
    for (int round = 0; round < ROUNDS; round++) {
        double pqp = 0, worst = 0;
        for (int t = 0; t < k; t++) {
            qp[t] = 0;
            for (int j = 0; j < k; j++)
                qp[t] += q[t * k + j] * p[j];
            pqp += p[t] * qp[t];
        }
        for (int t = 0; t < k; t++)
            worst = fmax(worst, fabs(qp[t] - pqp));
        if (worst < enough) return;
        for (int t = 0; t < k; t++) {
            double change = (pqp - qp[t]) / q[t * k + t];
            p[t] += change;
            pqp = (pqp + change * (change * q[t * k + t] + 2 * qp[t])) / (1 + change) / (1 + change);
            for (int j = 0; j < k; j++) {
                qp[j] = (qp[j] + change * q[t * k + j]) / (1 + change);
                p[j] /= 1 + change;
            }
        }
    }
}
