#include "knn/knn_options.h"

#define OPTIONS KnnOptions
#include "core/config_table.h"

static const ConfigKey keys[] = {
    INT_OR("auto", "knn", k, "3", 1, 1000, "neighbours",
           "how many nearest training images vote; auto chooses by leave-one-out cross-validation"),
    INT("knn", k_max, "25", 1, 1000, "neighbours", "the largest k that auto tries"),
    CHOICE("knn", votes, "plain", "plain|distance",
           "weight of a neighbour's vote: 1, or 1 / what is compared: the squared distance, of idm the cost"),
    CHOICE("knn", metric, "l2", "l2|gradient|idm",
           "l2: exact Euclidean distance of 8-bit pixels; gradient: the same of edges of strokes, by place "
           "and direction; "
           "idm: image distortion model"),
    INT("knn", candidates, "3000", 1, 1000000, "images",
        "idm: compare this many of the nearest training images by l2"),
    INT("knn", warp, "2", 0, 3, "pixels", "idm: how far each pixel may move in x and in y"),
    INT("knn", context, "1", 0, 2, "pixels",
        "idm: compare the pixels up to this far around a pixel; 1 is 3x3"),
    CHOICE("knn", directions, "4", "2|4",
           "idm: directions of the gradients that are compared; 4 adds both diagonals"),
    WORK_CHOICE("knn", search, "auto", "auto|brute|pruned",
                "how neighbours are found, always exactly; auto takes the faster way of this build"),
    WORK_INT("knn", checkpoint_s, "60", 0, 1e6, "s",
             "k = auto: time between saves, which are after some thousand images"),
};

static const ConfigSynonym synonyms[] = {
    {"n_neighbors", "knn.k", NULL, false},
    {"neighbors", "knn.k", NULL, false},
    {"n_neighbours", "knn.k", NULL, false},
    {"neighbours", "knn.k", NULL, false},
    {"weights", "knn.votes", "votes = distance weights them by 1 / squared distance", false},
    {"distance", "knn.metric", NULL, false},
    {"algorithm", "knn.search", NULL, false},
};

static const ConfigNeed needs[] = {
    {"knn.k_max", "knn.k=auto"},       {"knn.candidates", "knn.metric=idm"}, {"knn.warp", "knn.metric=idm"},
    {"knn.context", "knn.metric=idm"}, {"knn.directions", "knn.metric=idm"},
};

const ConfigTable knn_keys = {COUNT_OF(keys), COUNT_OF(synonyms), keys, synonyms, COUNT_OF(needs), needs};

KnnOptions knn_options(const Config *config) {
    KnnOptions options;
    config_fill(config, &knn_keys, &options);
    return options;
}
