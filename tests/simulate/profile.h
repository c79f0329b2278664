/* What a micro-batch and the update of a step cost, measured by `pardigits bench step`. */
#ifndef SIMULATE_PROFILE_H
#define SIMULATE_PROFILE_H

enum { PROFILE_PHASES = 512 };

typedef struct {
    char kind[16]; /* load, forward, loss, backward */
    int groups;    /* of images, that pass through it one after the other */
    double seconds;
} ProfilePhase;

typedef struct {
    int count;
    ProfilePhase phases[PROFILE_PHASES]; /* of a micro-batch */
    double micro_batch_s;                /* all of them */
    double update_s;                     /* once a step */
} Profile;

/* Reads the file that the environment variable SIMULATE_PROFILE names: the table "phases" as CSV. A file that
 * isn't one ends the program with a sentence. */
void profile_read(Profile *profile);

/* Lets so many seconds pass on this rank of the simulated machine. */
void simulate_work(double seconds);

#endif
