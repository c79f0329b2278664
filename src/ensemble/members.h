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

#include "model/model.h"

/* As ModelFamily.train. */
StatusCode members_train(TrainJob *job, Status *status);

/* As ModelFamily.rehearse. */
StatusCode members_rehearse(TrainJob *job, Output *output, int64_t *bytes, Status *status);

#endif
