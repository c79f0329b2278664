/* The keys of [run] that all model families have; run.model is declared beside the list of families. */
#ifndef PARDIGITS_MODEL_RUN_OPTIONS_H
#define PARDIGITS_MODEL_RUN_OPTIONS_H

#include "core/config.h"
#include "parallel/comm.h"

typedef struct {
    int64_t seed;
    int64_t valid;
    int64_t train;
    const char *data;
    const char *init_digest;
    const char *fallback_dir;
    int64_t lock_wait_s; /* 0: auto */
    int64_t stall_warn_s;
    int64_t stall_abort_s;
    int preprocess;
    int balance;
} RunOptions;

enum { RUN_BALANCE_SPEED, RUN_BALANCE_EVEN }; /* values of RunOptions.balance */

extern const ConfigTable run_keys;

/* The options of a configuration, whose texts they point to. */
RunOptions run_options(const Config *config);

/* Whether a key, by its name or an assignment to it, is for models of another family than run.model, so that
 * it has no effect. */
bool run_key_is_unused(const Config *config, const char *name);

/* Gives such keys their defaults, so that models don't differ by them. */
void run_forget_unused(Config *config);

/* The first key with an effect that shapes the model and whose values differ, or NULL. */
const ConfigKey *run_difference(const Config *a, const Config *b);

/* Sets what the options say of how ranks work together. Not collective; the same on all ranks. */
void run_options_apply(const Config *config, const Comm *comm);

#endif
