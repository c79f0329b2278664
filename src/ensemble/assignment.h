/* Which ranks train which members of an ensemble, so that all of them are ready as early as possible. Plain
 * arithmetic: the same on every rank that passes the same. */
#ifndef PARDIGITS_ENSEMBLE_ASSIGNMENT_H
#define PARDIGITS_ENSEMBLE_ASSIGNMENT_H

#include <stdint.h>

/* The training of a member. */
typedef struct {
    double work;           /* on one core, in any unit; 0: the member is finished */
    int64_t micro_batches; /* of a step; each keeps one core busy */
} MemberWork;

/* Groups of ranks: size[0] ranks in group 0, the next size[1] in group 1, ... */
typedef struct {
    int groups;
    int *size;  /* [groups] at least 1 */
    int *owner; /* [members] the group that trains a member; -1 if it is finished */
} Assignment;

/* Cuts the ranks, of `threads` cores each, into as many groups as there are members to train, or ranks if
 * those are fewer (one group if nothing is left). Freed by assignment_free. */
Assignment assignment_of_members(const MemberWork *member, int members, int ranks, int threads);
void assignment_free(Assignment *assignment);

/* The group of a rank. */
int assignment_group(const Assignment *assignment, int rank);

#endif
