#include "ensemble/families.h"

#include "cnn/cnn_options.h"
#include "ensemble/cnn_family.h"
#include "ensemble/ensemble_options.h"
#include "knn/knn.h"
#include "knn/knn_options.h"
#include "model/run_options.h"
#include "svm/model.h"
#include "svm/svm_options.h"

typedef struct {
    int model;
} FamilyOptions;

#define OPTIONS FamilyOptions
#include "core/config_table.h"

/* A new family is a folder beside src/knn, which is named here, in run.model and in the tables of keys. */
static const ModelFamily *const families[] = {&knn_family, &svm_family, &cnn_family};

static const ConfigKey family_keys[] = {CHOICE("run", model, "knn", "knn|svm|cnn", "model family")};
static const ConfigTable family_table = {.count = COUNT_OF(family_keys), .keys = family_keys};

static const ConfigTable *const tables[] = {&family_table, &run_keys, &knn_keys,
                                            &svm_keys,     &cnn_keys, &ensemble_keys};

const ModelFamilies model_families = {COUNT_OF(families), families, {COUNT_OF(tables), tables}};

const ModelFamily *model_family_of(const Config *config) {
    return model_family_find(&model_families, config_text(config, "run.model"));
}
