#include "knn/knn.h"

#include <string.h>

/* Votes so far. Weights are added from the nearest neighbour on: a fixed order, so one result. */
typedef struct {
    double votes[CLASSES_MAX], total;
} VoteCounts;

/* Whether the neighbour at `distance` has a say: beside one at distance 0 only others there. */
static bool has_vote(uint32_t distance, uint32_t nearest, bool weighted) {
    return !weighted || nearest > 0 || distance == 0;
}

static void cast_vote(VoteCounts *counts, uint32_t distance, bool weighted, uint8_t label) {
    const double weight = weighted && distance > 0 ? 1.0 / distance : 1;
    counts->votes[label] += weight;
    counts->total += weight;
}

static void begin_vote(const KnnVoting *voting, VoteCounts *counts) {
    memset(counts->votes, 0, (size_t)voting->classes * sizeof *counts->votes);
    counts->total = 0;
}

static int vote_argmax(const KnnVoting *voting, const VoteCounts *counts) {
    int best = 0;
    for (int label = 1; label < voting->classes; label++)
        if (counts->votes[label] > counts->votes[best]) best = label;
    return best;
}

Prediction knn_vote(const KnnVoting *voting, const Neighbour *neighbours, int64_t count, float *shares) {
    VoteCounts counts;
    begin_vote(voting, &counts);
    for (int64_t i = 0; i < count; i++)
        if (has_vote(neighbours[i].distance, neighbours[0].distance, voting->weighted))
            cast_vote(&counts, neighbours[i].distance, voting->weighted, voting->labels[neighbours[i].index]);
    const int best = vote_argmax(voting, &counts);
    for (int label = 0; shares && label < voting->classes; label++)
        shares[label] = (float)(counts.votes[label] / counts.total);
    return (Prediction){(uint8_t)best, (float)(counts.votes[best] / counts.total)};
}

void knn_count_votes(const KnnVoting *voting, const Neighbour *neighbours, int64_t count, uint8_t label,
                     int64_t *right) {
    VoteCounts counts;
    begin_vote(voting, &counts);
    for (int64_t i = 0; i < count; i++) {
        if (has_vote(neighbours[i].distance, neighbours[0].distance, voting->weighted))
            cast_vote(&counts, neighbours[i].distance, voting->weighted, voting->labels[neighbours[i].index]);
        right[i + 1] += vote_argmax(voting, &counts) == label;
    }
}
