/* pardigits: classifiers of small grey images, trained with the program `pardigits` and used from any
 * program.
 *
 *     pardigits_model *model = pardigits_open("results/mine/model.h5");
 *     if (!model || pardigits_predict(model, n, images, labels, NULL, NULL)) puts(pardigits_last_error());
 *     pardigits_close(&model);
 *
 * Compile with `cc program.c $(pkg-config --cflags --libs pardigits)`. A program needs no mpirun and no MPI
 * calls of its own; it may use MPI as it likes, for the library never calls it.
 *
 * Errors: functions that can fail return NULL or a code other than PARDIGITS_OK, and pardigits_last_error
 * tells why. Nothing is printed, and nothing ends the program but these: memory that runs out, and loading a
 * library that was built for a newer processor than this machine's; both print a sentence first.
 *
 * Threads: any number of threads may use the library, and one model, at the same time; only closing a model
 * mustn't overlap with its use. A prediction runs on OpenMP threads (pardigits_set_threads); within a
 * parallel region of the caller's it runs on the calling thread alone. A program that calls HDF5 or leptonica
 * on other threads must not open, close or digitise meanwhile.
 *
 * The rest of the program: how HDF5 reports errors is as before after each call. pardigits_digitize sends the
 * standard error of the whole process to /dev/null while it reads a picture, for the image libraries print
 * on it; from then on leptonica prints nothing, and memory that it lacks ends the program.
 *
 * Results are those of `pardigits predict` and `evaluate`, whatever the number of threads. */
#ifndef PARDIGITS_PARDIGITS_H
#define PARDIGITS_PARDIGITS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define PARDIGITS_API __attribute__((visibility("default")))
#else
#define PARDIGITS_API
#endif

/* Of this header. The first number changes when programs must be compiled anew. */
#define PARDIGITS_VERSION "1.0.0"

/* Of the library in use. */
PARDIGITS_API const char *pardigits_version(void);

/* The values are the exit codes of the program. */
typedef enum {
    PARDIGITS_OK = 0,
    PARDIGITS_FAILED = 1, /* a file that can't be read, is damaged, or shows nothing */
    PARDIGITS_USAGE = 2   /* an argument doesn't make sense */
} pardigits_code;

/* One sentence about the last call that failed on this thread: what, where, what was expected, what to do; ""
 * if none has. Valid until the thread's next call that fails. */
PARDIGITS_API const char *pardigits_last_error(void);

/* A trained model of any family, or an ensemble. */
typedef struct pardigits_model pardigits_model;

/* Opens, verifies and loads a model.h5, or that in the folder of a run. NULL after an error. Closed by
 * pardigits_close. */
PARDIGITS_API pardigits_model *pardigits_open(const char *path);

/* Frees *model and sets it to NULL; NULL, and a NULL *model, are allowed. Without a model (NULL) the
 * functions below that can fail return PARDIGITS_USAGE, the others NULL or 0. */
PARDIGITS_API void pardigits_close(pardigits_model **model);

/* OpenMP threads of a prediction: 1 to 1024; 0, as at the start: as many as OpenMP would take
 * (OMP_NUM_THREADS, or the CPUs of the process). Takes effect in predictions that begin later. */
PARDIGITS_API pardigits_code pardigits_set_threads(pardigits_model *model, int threads);

/* "knn", "svm" or "cnn". Valid as long as the model, as are class names. */
PARDIGITS_API const char *pardigits_family(const pardigits_model *model);

/* Of the images that it takes, in pixels. */
PARDIGITS_API int pardigits_height(const pardigits_model *model);
PARDIGITS_API int pardigits_width(const pardigits_model *model);

/* Labels are 0 to this - 1. */
PARDIGITS_API int pardigits_class_count(const pardigits_model *model);

/* The name of a class, or its number where the dataset had no names; NULL if there is no such class. */
PARDIGITS_API const char *pardigits_class_name(const pardigits_model *model, int label);

/* Whether pardigits_predict gives probabilities: 1, or 0 for an SVM trained without svm.probability. */
PARDIGITS_API int pardigits_has_probabilities(const pardigits_model *model);

/* Recognises n images at once; blocks of hundreds are much faster than single images.
 *   images         [n][height][width], 8 bits a pixel, as in the training's dataset (MNIST: light strokes on
 *                  black); the model does its preprocessing itself
 *   labels         [n]
 *   confidences    [n], in [0, 1]; may be NULL. Of a CNN or an SVM with probabilities the label's
 * probability, of KNN its share of the neighbours' votes, of another SVM 1 / (1 + the sum of
 * exp(6 d)) over the decision values d of the other classes against it
 *   probabilities  [n][classes]; NULL if not wanted. CNN: softmax outputs, averaged over an ensemble; KNN:
 * each class's share of the k neighbours' votes; SVM: Platt's probabilities, coupled over the pairs of
 * classes. Each row sums to 1. After an error the arrays are as they were.
 *
 * The label of an SVM is the class with the most votes, as by LIBSVM's svm_predict. With probabilities it
 * isn't always the most probable class, which svm-predict -b 1 takes. */
PARDIGITS_API pardigits_code pardigits_predict(const pardigits_model *model, size_t n, const uint8_t *images,
                                               uint8_t *labels, float *confidences, float *probabilities);

/* Makes of a picture file (PNG, JPEG, TIFF, WebP, GIF, BMP, JPEG 2000, PNM; any size and colour; dark on
 * light or light on dark), which shows one figure (a digit, a letter), an image [height][width] as the model
 * expects it: scaled to fit, centred by mass. */
PARDIGITS_API pardigits_code pardigits_digitize(const pardigits_model *model, const char *picture,
                                                uint8_t *image);

#ifdef __cplusplus
}
#endif

#endif
