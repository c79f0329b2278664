/* What each member of an ensemble is: its seed, network, way of preprocessing and settings, and where it is
 * in a model file. */
#ifndef PARDIGITS_ENSEMBLE_MEMBERS_CONFIG_H
#define PARDIGITS_ENSEMBLE_MEMBERS_CONFIG_H

#include "cnn/network.h"

#include "core/config.h"
#include "core/status.h"
#include "store/h5io.h"

enum { MEMBER_PREPROCESS = 32 };

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

#endif
