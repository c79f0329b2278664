#include "cli/cli.h"

#include <string.h>

/* The model families. A new one is a folder beside src/knn and a line here. */
static const ModelFamily *const families[] = {&knn_family, &svm_family, &cnn_family};

const ModelFamily *family_find(const char *name) {
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (!strcmp(families[i]->name, name)) return families[i];
    return NULL;
}
