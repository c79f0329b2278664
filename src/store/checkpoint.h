/* Model files, which are checkpoints too: /model, /optimizer, /state, /config and a digest over all of it,
 * and /trained_on, which names the images by their checksums (dataset.h). A file appears under its final name
 * whole or not at all: it is written to a temporary name in the same folder, closed, verified by its digest,
 * fsynced, renamed, and the folder is fsynced. Two are kept: NAME.h5 and NAME.prev.h5. */
#ifndef PARDIGITS_STORE_CHECKPOINT_H
#define PARDIGITS_STORE_CHECKPOINT_H

#include "core/config.h"
#include "core/status.h"
#include "parallel/comm.h"
#include "store/dataset.h"
#include "store/h5io.h"

#include <stdbool.h>

/* Fills an open file with the family's /model, /optimizer and /state. */
typedef StatusCode (*CheckpointWriter)(H5File *file, const void *context, Status *status);

/* What every model file says of itself. */
typedef struct {
    const Config *config;
    const ImageSource *source; /* of the images that it was trained on; NULL: unknown */
    bool complete;             /* whether training is finished (the attribute `complete` of /state) */
} CheckpointInfo;

/* Saves a model. Collective: rank 0 writes, all ranks return the same status. */
StatusCode checkpoint_save(const char *path, const Comm *comm, const CheckpointInfo *facts,
                           CheckpointWriter write, const void *context, Status *status);

/* Opens the newest undamaged of PATH and its predecessor, serially on this rank, to go on from it. When that
 * is the older one it says so on standard error (rank 0), and the two change names. *file is NULL, with
 * STATUS_OK, when neither exists. Collective: ranks agree. */
StatusCode checkpoint_open_newest(const char *path, const Comm *comm, H5File **file, Status *status);

/* Opens exactly PATH and verifies its digest. Collective: ranks agree. */
StatusCode checkpoint_open(const char *path, const Comm *comm, H5File **file, Status *status);

/* The same, by this rank alone. */
StatusCode checkpoint_open_alone(const char *path, H5File **file, Status *status);

/* Removes PATH and its predecessor, if they exist. Not collective. */
void checkpoint_remove(const char *path);

/* The configuration stored in a model file, destroyed by the caller. */
StatusCode checkpoint_config(const H5File *file, Config **config, Status *status);

/* Where the images came from that a model was trained on. */
StatusCode checkpoint_source(const H5File *file, ImageSource *source, Status *status);

/* Whether the training that wrote the file was finished. */
StatusCode checkpoint_is_complete(const H5File *file, bool *complete, Status *status);

#endif
