/* Saves a training's checkpoints beside the training: rank 0 makes a copy in memory, which a thread of its
 * own writes with the metrics, these first, so that no checkpoint lacks them. At most one save is under way.
 * HDF5 bears one thread at a time: between saver_save or saver_flush and the next saver_wait or saver_save no
 * other thread of rank 0 may use it. These are for the main thread, or for the watchdog's while the main
 * thread is held.
 *
 * A save that fails is logged, and the training goes on: it is tried again after 10 s, then after 20 s and so
 * on, up to the usual time between saves.
 *
 * On ranks other than 0 a saver is NULL, for which every function does nothing. None is collective. */
#ifndef PARDIGITS_MODEL_SAVER_H
#define PARDIGITS_MODEL_SAVER_H

#include "model/train_job.h"

#include <stdbool.h>
#include <stdint.h>

/* When to save. */
typedef struct {
    double seconds; /* since the last save; 0: at ends of epochs */
    int64_t steps;  /* and after each so many; 0: not by steps */
} SaveRhythm;

typedef struct Saver Saver;

/* For the model, metrics and comm of the job, which outlives it. */
Saver *saver_create(const TrainJob *job, SaveRhythm rhythm);

/* Waits for the save that is under way. */
void saver_destroy(Saver **saver);

/* Whether to save now, after so many steps of the run. */
bool saver_is_due(Saver *saver, int64_t steps_done, bool epoch_ends);

/* Waits for the save before, copies what write writes, and has it written. */
void saver_save(Saver *saver, CheckpointWriter write, const void *context);

/* Has the metrics alone written; where a save is under way, that is left to a later one. */
void saver_flush(Saver *saver);

/* The same, but every 10 s at most: long epochs can be watched, too. Takes 1/200 of the time at most. */
void saver_flush_sometimes(Saver *saver);

/* Waits for the save that is under way. */
void saver_wait(Saver *saver);

/* For how long the training has waited for saves, their copies included, since the last call. */
double saver_take_waited_s(Saver *saver);

#endif
