/* What a model says of the digits found in pictures: which reading of a shape is taken, and which is
 * doubtful. */
#ifndef PARDIGITS_CLI_READINGS_H
#define PARDIGITS_CLI_READINGS_H

#include "data/digitize.h"
#include "model/model.h"

/* What --reject is by default. */
#define READ_REJECT 0.5

/* A digit that was read. */
typedef struct {
    FoundDigit place;
    int64_t image; /* its number among the digits found */
    Prediction best;
    bool doubtful;
    float log_odds;  /* of its label, by the gate; infinite where it isn't asked */
    bool of_letters; /* what its word is */
    bool is_sign;    /* rather than a digit: a bracket, or a part of a per cent sign; so it is doubtful */
} ReadDigit;

typedef struct {
    int count;
    ReadDigit *digits;    /* [count], by picture, page, line, from the left */
    float *probabilities; /* [count][classes]; NULL where the model has none */
} ReadDigits;

/* Reads what was found. A digit is doubtful whose confidence, or that of slightly changed images of it, is
 * below `reject`. gated: the gate knows what the model was trained on (data/gate.h). Collective; the same on
 * every rank. Freed by read_digits_free, also after a failure. */
StatusCode read_digits(const Context *context, const Model *model, const FoundDigits *found, double reject,
                       bool gated, ReadDigits *read, Status *status);
void read_digits_free(ReadDigits *read);

#endif
