/* Training runs of a tiny network on made-up images, for the tests over ranks. A call fails its test if what
 * it promises isn't so. */
#ifndef PARDIGITS_TESTS_REF_CNN_RUN_H
#define PARDIGITS_TESTS_REF_CNN_RUN_H

#include "core/config.h"
#include "parallel/comm.h"
#include "store/dataset.h"

#include <stdint.h>

/* Training images, held-out images, and steps of 48 images in an epoch, the last one of 11. */
enum { CNN_RUN_TRAIN = 203, CNN_RUN_VALID = 30, CNN_RUN_STEPS = 5 };

/* The images of a run: not square, and not ten classes. */
extern const ImageSpec cnn_run_spec;

/* The files of a run, in a folder of their own whose name all ranks know. */
typedef struct {
    const Comm *comm;
    char folder[200];
    char model[256], metrics[256];
} CnnRun;

/* Collective. The folder is removed by cnn_run_free. */
CnnRun cnn_run_new(const Comm *comm);
void cnn_run_free(const CnnRun *run);

/* Collective. Removes the files, once all ranks are done with them. */
void cnn_run_clear(const CnnRun *run);

/* Images number `first` to first + n - 1: noise with a bright bar at a height that depends on the label.
 * Freed by image_set_free. */
ImageSet cnn_run_images(int64_t first, int64_t n);

/* A small network trained for 3 epochs, with these changes. Destroyed by config_destroy. */
Config *cnn_run_config(const char *const *changes, int count);

/* Collective. Trains on the first `count` images, as run.preprocess makes them; goes on from the file that is
 * there if resume. Returns and sets the status of the training, without failing the test. */
StatusCode cnn_run_train(const CnnRun *run, const Config *config, int threads, int64_t count, bool resume,
                         Status *status);

/* Collective. The digest of the model that is there, whose training must be finished. */
void cnn_run_digest(const CnnRun *run, char hex[65]);

/* Collective. A finished training from the start on CNN_RUN_TRAIN images, and its digest. */
void cnn_run_train_whole(const CnnRun *run, const Config *config, int threads, char hex[65]);

/* Collective. After a signal, trains from the start in as many resumed pieces as it takes, with 1 and 2
 * threads in turn. Gives the number of stops and the digest of the result. */
int cnn_run_train_pieces(const CnnRun *run, const Config *config, char hex[65]);

/* Collective. The configuration with these changes, or training by it, is refused: with this code and, in the
 * message, this part. */
void cnn_run_expect_refusal(const CnnRun *run, const char *const *changes, int count, StatusCode code,
                            const char *part);

#endif
