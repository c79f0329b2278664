/* Ensembles: cnn.members networks, each trained with a seed of its own by a group of ranks.
 *
 * The ranks are cut into groups, and the members that aren't finished are assigned to these (assignment.h). A
 * group works on the whole training set, as if its ranks were all there are, and trains its members one after
 * the other. Member 0 has the seed run.seed, so that it is the network that is trained without an ensemble;
 * which ranks train a member doesn't matter for it.
 *
 * With cnn.member_preprocess the members see the images differently, with cnn.member_layers they are
 * different networks, with cnn.member_settings they are trained differently. A member is then the plain
 * network of its seed with that run.preprocess, those cnn.layers and those other keys of [cnn].
 *
 * Under way each member has a file of its own beside the model, MODEL.member-<m>.h5: a checkpoint of a plain
 * network of its seed, with metrics in MODEL.member-<m>.metrics.h5. The model and the run's own metrics are
 * written when the run stops or ends. The model holds those that are finished:
 *     /model/members/<m>/<layer>/<array>
 *     /state                               attribute: members (how many those are)
 * With cnn.members = 1 there is none of this: the model is the network's own file (state.h). */
#ifndef PARDIGITS_ENSEMBLE_MEMBERS_H
#define PARDIGITS_ENSEMBLE_MEMBERS_H

#include "cnn/network.h"

#include "model/model.h"

enum { MEMBER_PREPROCESS = 32 };

/* As ModelFamily.train. */
StatusCode members_train(TrainJob *job, Status *status);

/* As ModelFamily.rehearse. */
StatusCode members_rehearse(TrainJob *job, Output *output, int64_t *bytes, Status *status);

/* Refuses what can't be trained of the network or, in an ensemble, of one of its members: a key, its value,
 * or where it stands (STATUS_USAGE). */
StatusCode members_check(const Config *config, ImageSpec spec, Status *status);

/* What is done to a member's images beside what run.preprocess does to all of them; "none" for nothing. */
const char *members_preprocess(const Config *config, int member, char preprocess[MEMBER_PREPROCESS]);

/* The configuration of the plain network that a member is. Refuses what its keys can't be (STATUS_USAGE).
 * Destroyed by the caller, always. */
Config *members_config(const Config *config, int member, Status *status);

/* A member's network for such images; NULL if its layers are refused. Freed by mem_free. */
Network *members_network(const Config *config, ImageSpec spec, int member, Status *status);

/* The seed of a member. */
uint32_t members_seed(uint32_t run_seed, int member);

enum { MEMBER_ROOT = 64 };

/* Where a model file holds a member's network. */
void members_root(const Config *config, int member, char root[MEMBER_ROOT]);

/* How many members of the file are to be used (cnn.use_members); refuses more than it holds, or none. */
StatusCode members_count(const H5File *file, const Config *config, int64_t *count, Status *status);

extern const ModelFamily cnn_family;

#endif
