/* The keys of [knn]. */
#ifndef PARDIGITS_KNN_KNN_OPTIONS_H
#define PARDIGITS_KNN_KNN_OPTIONS_H

#include "core/config.h"

/* The choices of knn.votes, knn.metric, knn.directions and knn.search, in the order of their table. */
enum { KNN_VOTES_PLAIN, KNN_VOTES_DISTANCE };
enum { KNN_METRIC_L2, KNN_METRIC_GRADIENT, KNN_METRIC_IDM };
enum { KNN_DIRECTIONS_2, KNN_DIRECTIONS_4 };
enum { KNN_SEARCH_AUTO, KNN_SEARCH_BRUTE, KNN_SEARCH_PRUNED };

typedef struct {
    int64_t k;
    int64_t k_max;
    int votes;
    int metric;
    int64_t candidates;
    int64_t warp;
    int64_t context;
    int directions;
    int search;
    int64_t checkpoint_s;
} KnnOptions;

extern const ConfigTable knn_keys;

/* The options of a configuration, whose texts they point to. */
KnnOptions knn_options(const Config *config);

#endif
