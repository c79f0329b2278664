#include "cli/cli.h"

#include "core/mem.h"
#include "data/digitize.h"
#include "data/sheet.h"
#include "store/dataset.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The pictures that could be read, in the order of the command line. */
typedef struct {
    ImageSet set;
    const char **paths; /* [set.n] */
} Pictures;

/* Rank 0 reads the pictures and shares them. One that can't be read is reported and left out. */
static Pictures read_pictures(const Context *context, ImageSpec spec, int count, char **paths,
                              Status *unreadable) {
    Pictures pictures = {image_set_new(count, spec), mem_new((size_t)count, sizeof(char *))};
    ImageSet *set = &pictures.set;
    const int64_t pixels = image_spec_pixels(spec);
    set->n = 0;
    if (comm_rank(context->comm) == 0)
        for (int i = 0; i < count; i++) {
            Status one = {0};
            if (digitize_picture(paths[i], spec, set->images + set->n * pixels, &one) == STATUS_OK)
                pictures.paths[set->n++] = paths[i];
            else if (unreadable->code)
                fprintf(stderr, "pardigits: %s\n", one.text);
            else
                *unreadable = one;
        }
    comm_broadcast(context->comm, &set->n, sizeof set->n, 0);
    comm_broadcast(context->comm, set->images, set->n * pixels, 0);
    return pictures;
}

/* A line for each picture. */
static void print_predictions(const Pictures *pictures, const Model *model, const Prediction *predictions,
                              int64_t n, OutputFormat format) {
    Output *output = output_create(format, OUTPUT_TABLE);
    for (int64_t i = 0; i < n; i++) {
        char number[12];
        const char *name = class_name(&model->class_names, predictions[i].label, number);
        output_record(output);
        if (format == OUTPUT_TEXT) output_text(output, "class", "", name);
        output_text(output, "picture", NULL, pictures->paths[i]);
        output_integer(output, "label", NULL, predictions[i].label);
        output_real(output, "confidence", NULL, (double)predictions[i].confidence, "%.3f");
        if (format == OUTPUT_TEXT) {
            output_real(output, "percent", "", 100 * (double)predictions[i].confidence, "%.1f %%");
            output_text(output, "path", "", pictures->paths[i]);
        } else if (model->class_names.names) {
            output_text(output, "class", NULL, name);
        }
    }
    output_print(output);
    output_destroy(&output);
}

/* A row for each picture, as the model sees it, and beside it the training images that decide about it, each
 * with its label and, as Euclidean distances are known, the root of its distance. */
static StatusCode draw_neighbours(const Model *model, const ImageSet *pictures, const Prediction *predictions,
                                  const NearestImages *nearest, const char *out, Status *status) {
    enum { CAPTION = 32 };
    const int64_t columns = nearest->each + 1, cells = pictures->n * columns;
    const int64_t pixels = image_spec_pixels(pictures->spec);
    ImageSet sheet = image_set_new(cells, pictures->spec);
    char(*captions)[CAPTION] = mem_new((size_t)cells, CAPTION),
    **caption = mem_new((size_t)cells, sizeof *caption);
    for (int64_t i = 0; i < cells; i++) {
        const int64_t picture = i / columns, from = picture * nearest->each + i % columns - 1;
        const bool query = i % columns == 0;
        char number[12];
        memcpy(sheet.images + i * pixels,
               query ? pictures->images + picture * pixels : nearest->set.images + from * pixels,
               (size_t)pixels);
        caption[i] = captions[i];
        if (query)
            snprintf(captions[i], CAPTION, "is %.14s (%.0f %%)",
                     class_name(&model->class_names, predictions[picture].label, number),
                     100 * (double)predictions[picture].confidence);
        else
            snprintf(captions[i], CAPTION, "%.14s at %.0f",
                     class_name(&model->class_names, nearest->set.labels[from], number),
                     sqrt((double)nearest->distances[from]));
    }
    sheet_write(out, &sheet, (int)columns, caption, status);
    mem_free(caption);
    mem_free(captions);
    image_set_free(&sheet);
    return status->code;
}

/* --neighbours: collective. */
static StatusCode show_neighbours(const Context *context, const Model *model, const ModelImages *images,
                                  const Prediction *predictions, const char *out, Status *status) {
    enum { MOST = 20 };
    NearestImages nearest = {0};
    if (!model->family->nearest)
        return status_set(status, STATUS_USAGE,
                          "--neighbours: a model of the family %s keeps no training images to show.",
                          model->family->name);
    if (images->set.n == 0) return status->code;
    if (!model->family->nearest(model, context, images, MOST, &nearest, status) &&
        comm_rank(context->comm) == 0)
        draw_neighbours(model, &images->set, predictions, &nearest, out, status);
    nearest_images_free(&nearest);
    return comm_agree(context->comm, status);
}

/* Rank 0 prints. Collective. */
static StatusCode predict(const Context *context, const Model *model, Pictures *pictures, OutputFormat format,
                          const char *neighbours, Status *status) {
    ModelImages images;
    if (!model_images_create(model, &pictures->set, &images, status)) {
        const int64_t n = images.set.n;
        Prediction *predictions = mem_new((size_t)n, sizeof *predictions);
        model->family->predict(model, context, &images, predictions, NULL);
        if (comm_rank(context->comm) == 0) print_predictions(pictures, model, predictions, n, format);
        if (neighbours) show_neighbours(context, model, &images, predictions, neighbours, status);
        mem_free(predictions);
    }
    model_images_free(&images);
    return status->code;
}

StatusCode cmd_predict(const Context *context, int argc, char **argv, Status *status) {
    OutputFormat format = OUTPUT_TEXT;
    static const char *const names[] = {"MODEL.h5 or the folder of a run", "PICTURE"};
    const Operands wanted = {2, argc, names};
    const char *neighbours = NULL;
    int operands;
    Settings settings = settings_new(argc);
    const Option options[] = {OPTIONS_OF_FORMAT(&format),
                              {.name = "neighbours", .value = &neighbours},
                              {.name = "set", .take = settings_take, .context = &settings},
                              {0}};
    Model model = {0};
    Status unreadable = {0};
    char *path = NULL;
    if (!options_parse(argc, argv, options, &wanted, &operands, status) &&
        !(neighbours && check_output(context, neighbours, operands, argv + 1, status)) &&
        !model_open(context, &model_families, path = model_path_of(argv[1]), &settings, &model, status)) {
        Pictures pictures = read_pictures(context, model.spec, operands - 1, argv + 2, &unreadable);
        predict(context, &model, &pictures, format, neighbours, status);
        mem_free(pictures.paths);
    }
    model_close(&model);
    mem_free(path);
    mem_free(settings.items);
    /* the pictures that were read have their answers; the others make the command fail */
    if (unreadable.code && !status->code) *status = unreadable;
    return finish_output(status);
}
