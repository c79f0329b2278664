#include "ensemble/assignment.h"

#include "core/integers.h"
#include "core/mem.h"

/* How long some ranks train a member: a step takes as long as the core with the most micro-batches. */
static double training_time(const MemberWork *member, int ranks, int threads) {
    const int64_t of_rank = divide_up(member->micro_batches, ranks), of_core = divide_up(of_rank, threads);
    return member->work / (double)member->micro_batches * (double)of_core;
}

/* The member that takes longest of those that no group has yet; -1: all are assigned. */
static int next_member(const MemberWork *member, const int *owner, int members, int threads) {
    int next = -1;
    double longest = 0;
    for (int m = 0; m < members; m++) {
        const double time = training_time(&member[m], 1, threads);
        if (owner[m] >= 0 || time <= longest) continue;
        next = m;
        longest = time;
    }
    return next;
}

static int least_busy(const double *busy, int groups) {
    int least = 0;
    for (int g = 1; g < groups; g++)
        if (busy[g] < busy[least]) least = g;
    return least;
}

/* One rank a group: the longest member first, each to the group that is ready with its others first (Graham,
 * Bounds on multiprocessing timing anomalies, 1969). */
static void assign_longest_first(Assignment *assignment, const MemberWork *member, int members, int threads) {
    double *busy = mem_new((size_t)assignment->groups, sizeof *busy);
    for (int m = 0; m < members; m++)
        assignment->owner[m] = -1;
    for (int m; (m = next_member(member, assignment->owner, members, threads)) >= 0;) {
        assignment->owner[m] = least_busy(busy, assignment->groups);
        busy[assignment->owner[m]] += training_time(&member[m], 1, threads);
    }
    mem_free(busy);
}

/* The group that is the better for one more rank: of those with more micro-batches than cores the one that
 * takes longest, or else the smallest. */
static int neediest(const Assignment *assignment, const MemberWork *member, int members, int threads) {
    int smallest = 0, needs = -1;
    double longest = 0;
    for (int g = 1; g < assignment->groups; g++)
        if (assignment->size[g] < assignment->size[smallest]) smallest = g;
    for (int m = 0; m < members; m++) {
        const int g = assignment->owner[m];
        if (g < 0 || member[m].micro_batches <= (int64_t)assignment->size[g] * threads) continue;
        const double time = training_time(&member[m], assignment->size[g], threads);
        if (time <= longest) continue;
        needs = g;
        longest = time;
    }
    return needs < 0 ? smallest : needs;
}

Assignment assignment_of_members(const MemberWork *member, int members, int ranks, int threads) {
    int left = 0;
    for (int m = 0; m < members; m++)
        left += member[m].work > 0;
    const int groups = left == 0 ? 1 : left < ranks ? left : ranks;
    Assignment assignment = {groups, mem_new((size_t)groups, sizeof(int)),
                             mem_new((size_t)members, sizeof(int))};
    for (int g = 0; g < groups; g++)
        assignment.size[g] = 1;
    assign_longest_first(&assignment, member, members, threads);
    /* ranks are left only where each group has a member of its own */
    for (int rank = groups; rank < ranks; rank++)
        assignment.size[neediest(&assignment, member, members, threads)]++;
    return assignment;
}

void assignment_free(Assignment *assignment) {
    mem_free(assignment->size);
    mem_free(assignment->owner);
    *assignment = (Assignment){0};
}

int assignment_group(const Assignment *assignment, int rank) {
    int group = 0;
    for (int end = assignment->size[0]; rank >= end; end += assignment->size[group])
        group++;
    return group;
}
