/* The files of an ensemble's members under way, beside the model (members.h): MODEL.member-<m>.h5, its
 * metrics, and what was found damaged. By one rank alone. */
#ifndef PARDIGITS_ENSEMBLE_MEMBER_FILES_H
#define PARDIGITS_ENSEMBLE_MEMBER_FILES_H

#include "core/config.h"
#include "model/train_job.h"
#include "store/h5io.h"
#include "store/image_set.h"
#include "store/metrics.h"

#include <stdbool.h>

/* MODEL.member-<m>SUFFIX for the model MODEL.h5; freed by the caller. */
char *member_path(const char *model_path, int member, const char *suffix);

/* The suffixes. */
extern const char member_model[], member_metrics[];

/* Whether a member's training is finished, as its file, whole and undamaged, says. */
bool member_is_finished(const char *model_path, int member);

/* Copies the networks of the finished members into an ensemble's file. left_out [members]: a missing one
 * that isn't left out is a failure; NULL: any may be missing. */
StatusCode member_files_copy(H5File *out, const Config *config, ImageSpec spec, const char *model_path,
                             const uint64_t *left_out, Status *status);

/* Declares the run's tables: those of a network, with a column `member` in front. */
void member_tables_declare(Metrics *metrics);

/* Fills them with the metrics of all members. */
void member_tables_merge(Metrics *metrics, const Config *config, const char *model_path);

/* These leave what was set aside as damaged or of another run: it is kept until a person removes it. */
void member_files_remove(const Config *config, const char *model_path);

/* Removes those of any ensemble that was trained to this model. */
void member_files_remove_all(const char *model_path);

/* Renames them, in the same folder, to those of another model there, as run folders set old runs aside. False
 * if one can't be renamed: errno says why. */
bool member_files_move(const char *model_path, const char *to);

/* The metrics of the member that were written last, and that member; NULL: there are none. Freed by the
 * caller. */
char *member_files_newest_metrics(const char *model_path, int *member);

/* Whether there is a member's model among them. */
bool member_files_exist(const char *model_path);

/* The builds of the member that most of them have trained (checkpoint_builds): every start of a run adds its
 * own, so that this is the run's whole history. "" without members' files. Freed by the caller. */
char *member_files_builds(const char *model_path, const Config *config);

/* Refuses members' files that were begun with another configuration, other images, another model of --init or
 * by another build than this run's; damaged ones don't count. And refuses to begin a member without the model
 * of --init that the run was begun with. */
StatusCode member_files_check(const TrainJob *job, Status *status);

#endif
