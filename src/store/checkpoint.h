/* Model files. A checkpoint is a model file too: it has /model, /optimizer, /state, /config, /images (height,
 * width, classes and class_names of what it takes), a digest of all this, and /trained_on, the checksums of
 * the training images (dataset.h). A file is written under a temporary name in the same folder, closed,
 * verified by its digest, fsynced and renamed, and the folder is fsynced; so nobody ever sees a partial one.
 * Two copies are kept: NAME.h5 and NAME.prev.h5. */
#ifndef PARDIGITS_STORE_CHECKPOINT_H
#define PARDIGITS_STORE_CHECKPOINT_H

#include "core/config.h"
#include "core/status.h"
#include "parallel/comm.h"
#include "store/class_names.h"
#include "store/dataset.h"
#include "store/h5io.h"

#include <stdbool.h>

#define CHECKPOINT_FORMAT "pardigits model" /* the attribute `format` of the file */

/* Writes the family's /model, /optimizer and /state into an open file. Writing does nothing once status holds
 * a failure; ranks that send something go on, so that none is left waiting. */
typedef StatusCode (*CheckpointWriter)(H5File *file, const void *context, Status *status);

/* What every model file contains, whatever its family. */
typedef struct {
    const Config *config;
    const ImageSource *source;     /* the origin of its training images; NULL: unknown */
    ImageSpec spec;                /* of these images; {0}: not said */
    const ClassNames *class_names; /* NULL: none */
    const char *init;              /* digest of the model whose weights it began with; NULL or "": none */
    const char
        *builds;   /* fingerprints of the programs that trained it, separated by spaces; NULL: not said */
    bool complete; /* whether training is finished (the attribute `complete` of /state) */
    int64_t streamed_bytes; /* of the arrays of a file that isn't built in memory: the writer is called by all
                               ranks, which send rank 0 what it writes, and file is NULL elsewhere. 0: rank 0
                               has everything, and it alone calls the writer */
} CheckpointInfo;

/* Saves a model. Collective: rank 0 writes; all ranks return the same status. */
StatusCode checkpoint_save(const char *path, const Comm *comm, const CheckpointInfo *info,
                           CheckpointWriter write, const void *context, Status *status);

/* The two halves of saving on one rank, of a file that isn't streamed. The first is a copy, in memory, of all
 * that write wrote; *file = NULL after a failure. The second, which may run on another thread, writes it to
 * disk, verifies it, puts it in place and clears *file; no other thread may use HDF5 meanwhile. */
StatusCode checkpoint_build(const char *path, const CheckpointInfo *info, CheckpointWriter write,
                            const void *context, H5File **file, Status *status);
StatusCode checkpoint_put(H5File **file, const char *path, Status *status);

/* STATUS_FAILED if the file at path or its previous copy is there and this user may not read it: then it
 * isn't damaged. Serial. */
StatusCode checkpoint_check_readable(const char *path, Status *status);

/* Opens the checkpoint to resume from: path, or its previous copy if path is damaged. In the latter case rank
 * 0 says so on standard error. *file = NULL with STATUS_OK if neither exists.
 * Collective: each rank opens the file by itself; all return the same status. */
StatusCode checkpoint_open_newest(const char *path, const Comm *comm, H5File **file, Status *status);

/* Before a run goes on with a file that checkpoint_open_newest opened: where that is the previous copy, the
 * two swap names, or the next save would keep the damaged file as the previous copy. Not collective. */
void checkpoint_make_newest(const H5File *file, const char *path);

/* Opens path itself and verifies its digest; the caller tells its user of a missing checksum (h5_lacks_sum).
 * Collective: all ranks return the same status. */
StatusCode checkpoint_open(const char *path, const Comm *comm, H5File **file, Status *status);

/* The same on this rank only; not collective. */
StatusCode checkpoint_open_alone(H5File **file, const char *path, Status *status);

/* Removes path, its previous copy and what a killed run left of either, if they exist. Not collective. */
void checkpoint_remove(const char *path);

/* The configuration stored in a model file; destroyed by the caller. */
StatusCode checkpoint_config(const H5File *file, const ConfigTables *tables, Config **config, Status *status);

/* The origin of the images that a model was trained on; empty texts if the file doesn't say. */
StatusCode checkpoint_source(const H5File *file, ImageSource *source, Status *status);

/* What images the model takes and what their classes are called; files that don't say are of MNIST. *names is
 * freed by the caller. */
StatusCode checkpoint_images(const H5File *file, ImageSpec *spec, ClassNames *names, Status *status);

/* The fingerprints of the programs that trained a model, the last one last; "" if the file doesn't say. Freed
 * by the caller (mem_free). */
StatusCode checkpoint_builds(const H5File *file, char **builds, Status *status);

/* The digest of the model whose weights the training began with (--init); "" if there was none. Freed by the
 * caller (mem_free). */
StatusCode checkpoint_init(const H5File *file, char **digest, Status *status);

/* Whether the file holds a fully trained model, not a checkpoint of an unfinished run. */
StatusCode checkpoint_is_complete(const H5File *file, bool *complete, Status *status);

#endif
