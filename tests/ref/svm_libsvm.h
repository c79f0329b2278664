/* Made by svm_libsvm.sh; see there. */
#ifndef PARDIGITS_TESTS_REF_SVM_LIBSVM_H
#define PARDIGITS_TESTS_REF_SVM_LIBSVM_H

#include "svm/svm.h"

/* One training with eps 1e-5: objective and rho of the pairs 3-5, 3-8 and 5-8, and the predicted digits. */
typedef struct {
    SvmKernel kernel;
    double c, objective[3], rho[3];
    char predicted[101];
} LibsvmAnswer;

static const LibsvmAnswer libsvm_answers[] = {
    {{SVM_RBF, 0.02, 0, 3, false},
     10,
     {-48.370882, -35.854979, -41.984483},
     {-0.030336, -0.261054, -0.248130},
     "5535335535558333853358355855838555355538885853335533558538858558858538553853555353855385355855538853"},
    {{SVM_POLY, 0.02, 1, 3, false},
     1,
     {-3.798304, -2.571322, -3.721665},
     {0.574041, -0.036977, -0.418298},
     "5535335535558333833358355855838555355538885853335533558538558558858538553853555353885385355855538853"},
    {{SVM_LINEAR, 0.02, 0, 3, false},
     0.01,
     {-0.699368, -0.455571, -0.559614},
     {0.920983, -0.491316, -1.191942},
     "5535335535558333853358355855838555355538885855335533558538858558858558553853585353355385355855538853"},
};

#endif
