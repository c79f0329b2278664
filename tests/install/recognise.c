/* Recognises the images of an IDX file with a model, as any program would that uses the installed library:
 *     recognise MODEL IMAGES.idx N [PICTURE]
 * Prints a line for each of the first N images, and then for the picture: label, confidence and, where the
 * model has them, the sum of the probabilities and the label's. */
#include <pardigits/pardigits.h>

#include <stdio.h>
#include <stdlib.h>

static int fail(void) {
    fprintf(stderr, "recognise: %s\n", pardigits_last_error());
    return 1;
}

static void print(const uint8_t *labels, const float *confidences, const float *probabilities, size_t n,
                  int classes) {
    for (size_t i = 0; i < n; i++, probabilities += classes) {
        double sum = 0;
        for (int c = 0; c < classes; c++)
            sum += (double)probabilities[c];
        printf("%d %.9g %.4f %.9g\n", labels[i], (double)confidences[i], sum,
               (double)probabilities[labels[i]]);
    }
}

/* Reads n images; false: the file doesn't hold so many. */
static int read_images(const char *path, uint8_t *images, size_t pixels, size_t n) {
    FILE *file = fopen(path, "rb");
    const int good = file && !fseek(file, 16, SEEK_SET) && fread(images, pixels, n, file) == n;
    if (file) fclose(file);
    return good;
}

/* Recognises n images, and the picture if there is one, in arrays that the caller frees. */
static int recognise(const pardigits_model *model, char **argv, size_t n, uint8_t *images, uint8_t *labels,
                     float *confidences, float *probabilities) {
    const size_t pixels = (size_t)(pardigits_height(model) * pardigits_width(model));
    if (!read_images(argv[2], images, pixels, n)) return 2;
    if (argv[4] && pardigits_digitize(model, argv[4], images + n * pixels)) return fail();
    const size_t all = n + (argv[4] != NULL);
    if (pardigits_predict(model, all, images, labels, confidences,
                          pardigits_has_probabilities(model) ? probabilities : NULL))
        return fail();
    print(labels, confidences, probabilities, all, pardigits_class_count(model));
    return 0;
}

/* What a program gets that didn't look whether its model was opened: an error, not a crash. */
static int refuses_no_model(void) {
    unsigned char image[784] = {0}, label;
    pardigits_close(NULL);
    return pardigits_predict(NULL, 1, image, &label, NULL, NULL) == PARDIGITS_USAGE &&
           pardigits_predict(NULL, 0, image, &label, NULL, NULL) == PARDIGITS_USAGE &&
           pardigits_digitize(NULL, "x.png", image) == PARDIGITS_USAGE &&
           pardigits_set_threads(NULL, 1) == PARDIGITS_USAGE && !pardigits_family(NULL) &&
           !pardigits_class_name(NULL, 0) && pardigits_class_count(NULL) == 0 && *pardigits_last_error() != 0;
}

int main(int argc, char **argv) {
    if (argc < 4 || !refuses_no_model()) return 2;
    pardigits_model *model = pardigits_open(argv[1]);
    if (!model) return fail();
    const size_t n = strtoul(argv[3], NULL, 10),
                 pixels = (size_t)(pardigits_height(model) * pardigits_width(model));
    uint8_t *images = calloc(n + 1, pixels), *labels = calloc(n + 1, 1);
    float *confidences = calloc(n + 1, sizeof *confidences),
          *probabilities = calloc((n + 1) * (size_t)pardigits_class_count(model), sizeof *probabilities);
    const int code = recognise(model, argv, n, images, labels, confidences, probabilities);
    free(images), free(labels), free(confidences), free(probabilities);
    pardigits_close(&model);
    return code;
}
