#include "cli/cli.h"

#include "core/mem.h"
#include "data/digitize.h"
#include "data/preprocess.h"
#include "data/sheet.h"
#include "store/dataset.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The pictures that could be read, in the order of the command line. */
typedef struct {
    int64_t n;
    uint8_t *images;    /* [n][28][28] */
    const char **paths; /* [n] */
} Pictures;

/* Rank 0 reads the pictures and shares them. One that can't be read is reported and left out. */
static Pictures read_pictures(const Program *program, int count, char **paths, Status *unreadable) {
    Pictures pictures = {0, mem_new((size_t)count, IMAGE_PIXELS), mem_new((size_t)count, sizeof(char *))};
    if (comm_rank(program->comm) == 0)
        for (int i = 0; i < count; i++) {
            Status one = {0};
            if (digitize_picture(paths[i], pictures.images + pictures.n * IMAGE_PIXELS, &one) == STATUS_OK)
                pictures.paths[pictures.n++] = paths[i];
            else if (unreadable->code)
                fprintf(stderr, "pardigits: %s\n", one.text);
            else
                *unreadable = one;
        }
    comm_broadcast(program->comm, &pictures.n, sizeof pictures.n, 0);
    comm_broadcast(program->comm, pictures.images, pictures.n * IMAGE_PIXELS, 0);
    return pictures;
}

static void print_prediction(const char *path, Prediction prediction, bool json) {
    if (!json) {
        printf("%d  %5.1f %%  %s\n", prediction.label, 100 * (double)prediction.confidence, path);
        return;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "picture", path);
    cJSON_AddNumberToObject(object, "label", prediction.label);
    cJSON_AddNumberToObject(object, "confidence", (double)prediction.confidence);
    char *text = cJSON_PrintUnformatted(object);
    puts(text);
    cJSON_free(text);
    cJSON_Delete(object);
}

/* A row for each picture, as the model sees it, and beside it the training images that decide about it, each
 * with its label and, as Euclidean distances are known, the root of its distance. */
static StatusCode draw_neighbours(const Pictures *pictures, const Prediction *predictions,
                                  const NearestImages *nearest, const char *out, Status *status) {
    enum { CAPTION = 32 };
    const int64_t columns = nearest->each + 1, cells = pictures->n * columns;
    uint8_t *images = mem_new((size_t)cells, IMAGE_PIXELS);
    char(*captions)[CAPTION] = mem_new((size_t)cells, CAPTION),
    **caption = mem_new((size_t)cells, sizeof *caption);
    for (int64_t i = 0; i < cells; i++) {
        const int64_t picture = i / columns, from = picture * nearest->each + i % columns - 1;
        const bool query = i % columns == 0;
        memcpy(images + i * IMAGE_PIXELS,
               query ? pictures->images + picture * IMAGE_PIXELS : nearest->set.images + from * IMAGE_PIXELS,
               IMAGE_PIXELS);
        caption[i] = captions[i];
        if (query)
            snprintf(captions[i], CAPTION, "is %d (%.0f %%)", predictions[picture].label,
                     100 * (double)predictions[picture].confidence);
        else
            snprintf(captions[i], CAPTION, "%d at %.0f", nearest->set.labels[from],
                     sqrt((double)nearest->distances[from]));
    }
    sheet_write(out, images, cells, (int)columns, caption, status);
    mem_free(caption);
    mem_free(captions);
    mem_free(images);
    return status->code;
}

/* --neighbours: collective. */
static StatusCode show_neighbours(const Program *program, const OpenModel *open, const Pictures *pictures,
                                  const Prediction *predictions, const char *out, Status *status) {
    enum { MOST = 20 };
    NearestImages nearest = {0};
    if (!open->family->nearest)
        return status_set(status, STATUS_USAGE,
                          "--neighbours: a model of the family %s keeps no training images; use a knn model.",
                          open->family->name);
    if (pictures->n == 0) return status->code;
    if (!open->family->nearest(open->model, open->file, program->comm, program->threads, pictures->images,
                               pictures->n, MOST, &nearest, status) &&
        comm_rank(program->comm) == 0)
        draw_neighbours(pictures, predictions, &nearest, out, status);
    nearest_images_free(&nearest);
    return comm_agree(program->comm, status);
}

StatusCode cmd_predict(Program *program, int argc, char **argv, Status *status) {
    bool json = false;
    const char *neighbours = NULL;
    int operands;
    Settings settings = settings_new(argc);
    const Option options[] = {{.name = "json", .flag = &json},
                              {.name = "neighbours", .value = &neighbours},
                              {.name = "set", .take = settings_take, .context = &settings},
                              {0}};
    OpenModel open = {0};
    Status unreadable = {0};
    if (!options_parse(argc, argv, options, 2, argc, &operands, status) &&
        !(neighbours && check_output(program, neighbours, operands, argv + 1, status)) &&
        !model_open(program, argv[1], &settings, &open, status)) {
        Pictures pictures = read_pictures(program, operands - 1, argv + 2, &unreadable);
        Prediction *predictions = mem_new((size_t)pictures.n, sizeof *predictions);
        preprocess_images(config_text(open.config, "run.preprocess"), pictures.images, pictures.n);
        open.family->predict(open.model, program->comm, program->threads, pictures.images, pictures.n,
                             predictions, status);
        if (!status->code && comm_rank(program->comm) == 0)
            for (int64_t i = 0; i < pictures.n; i++)
                print_prediction(pictures.paths[i], predictions[i], json);
        if (!status->code && neighbours)
            show_neighbours(program, &open, &pictures, predictions, neighbours, status);
        mem_free(predictions);
        mem_free(pictures.paths);
        mem_free(pictures.images);
    }
    model_close(&open);
    mem_free(settings.items);
    /* the pictures that were read have their answers; the others make the command fail */
    if (unreadable.code && !status->code) *status = unreadable;
    return finish_output(status);
}
