#include "ensemble/families.h"

#include "cnn/members.h"
#include "knn/knn.h"
#include "svm/model.h"

/* A new family is a folder beside src/knn and a line here. */
static const ModelFamily *const families[] = {&knn_family, &svm_family, &cnn_family};

const ModelFamilies model_families = {sizeof families / sizeof *families, families};
