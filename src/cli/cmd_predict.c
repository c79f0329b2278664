#include "cli/check_output.h"
#include "cli/cli.h"
#include "cli/model_data.h"
#include "cli/options.h"
#include "cli/predict_output.h"
#include "cli/settings.h"

#include "core/integers.h"
#include "core/mem.h"
#include "data/caption.h"
#include "data/gate.h"
#include "data/sheet.h"
#include "ensemble/families.h"
#include "model/open_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The files that are drawn. */
enum { NEIGHBOURS, SEEN, ANNOTATE, OUTS };

/* What predict is asked for. */
typedef struct {
    OutputFormat format;
    bool single, whole, probabilities;
    bool gated; /* the gate knows what the model was trained on, however pictures are taken */
    double reject;
    const char *outs[OUTS]; /* or NULL */
    Settings settings;
} PredictArguments;

/* A row for each picture, as the model sees it, and beside it the training images that decide about it, each
 * with its label and, as Euclidean distances are known, the root of its distance. */
static StatusCode draw_neighbours(const Model *model, const ImageSet *pictures, const Prediction *predictions,
                                  const NearestImages *nearest, const char *out, Status *status) {
    const int64_t columns = nearest->each + 1, cells = pictures->n * columns;
    const int64_t pixels = image_spec_pixels(pictures->spec);
    ImageSet sheet = image_set_new(cells, pictures->spec);
    SheetCaption *captions = mem_new((size_t)cells, sizeof *captions);
    for (int64_t i = 0; i < cells; i++) {
        const int64_t picture = i / columns, from = picture * nearest->each + i % columns - 1;
        const bool query = i % columns == 0;
        char number[12];
        memcpy(sheet.images + i * pixels,
               query ? pictures->images + picture * pixels : nearest->set.images + from * pixels,
               (size_t)pixels);
        SheetCaption *caption = &captions[i];
        const int label = query ? predictions[picture].label : nearest->set.labels[from];
        snprintf(caption->name, sizeof caption->name, "%s%s", query ? "is " : "",
                 caption_class(&model->class_names, label, number));
        if (query)
            snprintf(caption->end, sizeof caption->end, " (%.0f %%)",
                     100 * (double)predictions[picture].confidence);
        else
            snprintf(caption->end, sizeof caption->end, " at %.0f", sqrt((double)nearest->distances[from]));
    }
    sheet_write(out, &sheet, (int)columns, captions, status);
    mem_free(captions);
    image_set_free(&sheet);
    return status->code;
}

/* --neighbours: collective. */
static StatusCode show_neighbours(const Context *context, const Model *model, const ModelImages *images,
                                  const Prediction *predictions, const char *out, Status *status) {
    enum { MOST = 20 };
    NearestImages nearest = {0};
    const bool some = images->set.n > 0; /* or the sheet is empty */
    if (!(some && model->family->nearest(model, context, images, MOST, &nearest, status)) &&
        comm_rank(context->comm) == 0)
        draw_neighbours(model, &images->set, predictions, &nearest, out, status);
    nearest_images_free(&nearest);
    return comm_agree(context->comm, status);
}

/* The images of the digits read, in their order. */
static ImageSet images_read(const PredictResults *results) {
    const int64_t pixels = image_spec_pixels(results->found.spec);
    ImageSet set = image_set_new(results->read.count, results->found.spec);
    for (int i = 0; i < results->read.count; i++)
        memcpy(set.images + i * pixels, results->found.images + results->read.digits[i].image * pixels,
               (size_t)pixels);
    return set;
}

/* Collective. */
static StatusCode draw_neighbours_of(const Context *context, const Model *model,
                                     const PredictResults *results, const char *out, Status *status) {
    ModelImages images = {0};
    ImageSet set = images_read(results);
    Prediction *predictions = mem_new((size_t)results->read.count, sizeof *predictions);
    for (int i = 0; i < results->read.count; i++)
        predictions[i] = results->read.digits[i].best;
    if (!model_images_create(model, &set, &images, status))
        show_neighbours(context, model, &images, predictions, out, status);
    model_images_free(&images);
    mem_free(predictions);
    return status->code;
}

static bool are_drawn(const PredictArguments *arguments) {
    return arguments->outs[SEEN] || arguments->outs[ANNOTATE] || arguments->outs[NEIGHBOURS];
}

/* Rank 0 draws. Collective. */
static StatusCode draw_results(const Context *context, const Model *model, const PredictResults *results,
                               const PredictArguments *arguments, Status *status) {
    if (comm_rank(context->comm) == 0) {
        if (arguments->outs[SEEN]) predict_draw_seen(results, model, arguments->outs[SEEN], status);
        if (arguments->outs[ANNOTATE]) predict_draw_boxes(results, model, arguments->outs[ANNOTATE], status);
        if (are_drawn(arguments)) caption_hint_at_numbers(&model->class_names, context->log);
    }
    if (!comm_agree(context->comm, status) && arguments->outs[NEIGHBOURS])
        draw_neighbours_of(context, model, results, arguments->outs[NEIGHBOURS], status);
    return status->code;
}

/* Who has classes of their own may have whole images of them. */
static void say_what_is_taken(const Context *context, const Model *model, const PredictArguments *arguments) {
    if (model->spec.from == IMAGE_FROM_WHOLE)
        log_line(context->log, "pictures are taken whole%s, as those that the model was trained on",
                 model->spec.inverted ? " and inverted" : "");
    else if (model->class_names.names || model->spec.from == IMAGE_FROM_FIGURES)
        log_line(context->log,
                 "what is drawn %s is cut out, scaled and centred, as MNIST's makers did; add --whole for "
                 "pictures that are images as the model was trained on",
                 arguments->single ? "on each picture" : "on the pictures");
    if (model->spec.from == IMAGE_FROM_WHOLE && arguments->single)
        log_line(context->log, "hint: --single has no effect, as nothing is cut out of the pictures");
}

/* A folder's pictures are inputs too. Collective. */
static StatusCode check_pictures(const Context *context, const PredictArguments *arguments,
                                 const PictureList *list, Status *status) {
    for (int i = 0; i < OUTS && !status->code; i++)
        if (arguments->outs[i])
            check_not_among(context, arguments->outs[i], list->count, list->paths, status);
    return status->code;
}

/* How many pictures are read before their digits are printed: so many that threads hardly wait for the
 * slowest. Collective. */
static int pictures_at_once(const Context *context) {
    const uint64_t a_thread = 32, most = 1 << 20;
    uint64_t threads = (uint64_t)context->threads;
    comm_sum_u64(context->comm, &threads, 1);
    return (int)(threads < most / a_thread ? threads * a_thread : most);
}

/* Adds the digits read on pictures `first` and further, with their images, to all that are drawn. */
static void keep_digits(const PredictResults *batch, int first, PredictResults *all) {
    const int64_t pixels = image_spec_pixels(batch->found.spec);
    for (int d = 0; d < batch->read.count; d++) {
        ReadDigit digit = batch->read.digits[d];
        const uint8_t *image = batch->found.images + digit.image * pixels;
        digit.place.picture += first;
        digit.image = all->found.count;
        found_digits_add(&all->found, &digit.place, image);
        all->read.digits = mem_grow(all->read.digits, (size_t)all->read.count, sizeof digit);
        all->read.digits[all->read.count++] = digit;
    }
}

/* Reads `count` pictures from `first` on, and prints what they show. Collective. */
static StatusCode predict_batch(const Context *context, const Model *model, const PredictArguments *arguments,
                                int first, int count, PredictResults *all, Output *output, Status *unreadable,
                                Status *status) {
    PredictResults batch = {
        .list = {count, all->list.paths + first}, .pages = all->pages + first, .found.spec = model->spec};
    read_pictures(context, &batch.list, arguments->single, &batch.found, batch.pages, &batch.unread,
                  unreadable);
    if (!read_digits(context, model, &batch.found, arguments->reject, arguments->gated, &batch.read,
                     status) &&
        comm_rank(context->comm) == 0) {
        predict_add_pages(&batch, model, arguments->probabilities, output);
        output_flush(output);
    }
    if (!status->code && are_drawn(arguments)) keep_digits(&batch, first, all);
    read_digits_free(&batch.read);
    found_digits_free(&batch.found);
    mem_free(batch.unread.pages);
    return status->code;
}

/* Collective. */
static StatusCode predict(const Context *context, const Model *model, const PredictArguments *arguments,
                          int count, char *const *operands, Status *unreadable, Status *status) {
    PredictResults all = {.found.spec = model->spec};
    Output *output = output_create(arguments->format, OUTPUT_TABLE);
    say_what_is_taken(context, model, arguments);
    if (!picture_list_make(context, count, operands, &all.list, status) &&
        !check_pictures(context, arguments, &all.list, status)) {
        const int at_once = pictures_at_once(context);
        all.pages = mem_new((size_t)all.list.count, sizeof *all.pages);
        for (int first = 0; first < all.list.count && !status->code; first += at_once)
            predict_batch(context, model, arguments, first, (int)smaller(at_once, all.list.count - first),
                          &all, output, unreadable, status);
        if (!status->code) draw_results(context, model, &all, arguments, status);
    }
    output_destroy(&output);
    read_digits_free(&all.read);
    found_digits_free(&all.found);
    picture_list_free(&all.list);
    mem_free(all.pages);
    return status->code;
}

/* What depends on the command line alone. */
static StatusCode check_arguments(const Context *context, const char *reject, int operands,
                                  char *const *operand, PredictArguments *arguments, Status *status) {
    const char *const *outs = arguments->outs;
    if (arguments->single && arguments->whole)
        return status_set(status, STATUS_USAGE,
                          "--single cuts a digit out of each picture, --whole takes all of it: choose one.");
    if (reject && option_real("reject", reject, 0, 1, &arguments->reject, status)) return status->code;
    for (int i = 0; i < operands && arguments->outs[ANNOTATE]; i++)
        if (!strcmp(operand[i], "-"))
            return status_set(status, STATUS_USAGE,
                              "--annotate needs a file: standard input can't be read twice.");
    if (comm_rank(context->comm) == 0) check_outputs_differ(OUTS, outs, status);
    if (comm_agree(context->comm, status)) return status->code;
    for (int i = 0; i < OUTS && !status->code; i++)
        if (outs[i] && !check_output(context, outs[i], NULL, operands, operand, status))
            check_png(outs[i], status);
    return status->code;
}

static StatusCode check_model(const Model *model, const PredictArguments *arguments, Status *status) {
    if (arguments->probabilities && model->family->has_probabilities &&
        !model->family->has_probabilities(model))
        status_set(status, STATUS_USAGE,
                   "--probabilities: this model has none; train it with svm.probability = yes.");
    if (arguments->outs[NEIGHBOURS] && !model->family->nearest)
        status_set(status, STATUS_USAGE,
                   "--neighbours: a model of the family %s keeps no training images to show.",
                   model->family->name);
    return status->code;
}

static StatusCode cmd_predict(const Context *context, int argc, char **argv, Status *status) {
    PredictArguments arguments = {
        .format = OUTPUT_TEXT, .reject = READ_REJECT, .settings = settings_new(argc)};
    static const char *const names[] = {"MODEL.h5 or the folder of a run", "PICTURE"};
    const Operands wanted = {2, argc, names};
    const char *reject = NULL;
    int operands;
    const Option options[] = {OPTIONS_OF_FORMAT(&arguments.format),
                              {.name = "single", .flag = &arguments.single},
                              {.name = "whole", .flag = &arguments.whole},
                              {.name = "probabilities", .flag = &arguments.probabilities},
                              {.name = "reject", .value = &reject},
                              {.name = "neighbours", .value = &arguments.outs[NEIGHBOURS]},
                              {.name = "seen", .value = &arguments.outs[SEEN]},
                              {.name = "annotate", .value = &arguments.outs[ANNOTATE]},
                              {.name = "set", .take = settings_take, .context = &arguments.settings},
                              {0}};
    Model model = {0};
    Status unreadable = {0};
    char *path = NULL;
    if (!options_parse(argc, argv, options, &wanted, &operands, status) &&
        !check_arguments(context, reject, operands, argv + 1, &arguments, status))
        path = model_path_of(argv[1]);
    if (path && !model_open(context, &model_families, path, &arguments.settings, &model, status) &&
        !check_model(&model, &arguments, status)) {
        settings_hint_at_unused(&arguments.settings, model.config, context->log);
        note_unfinished_model(&model, context->log);
        arguments.gated = gate_knows(model.spec) && !model.class_names.names;
        if (arguments.whole) model.spec.from = IMAGE_FROM_WHOLE;
        predict(context, &model, &arguments, operands - 1, argv + 2, &unreadable, status);
    }
    model_close(&model);
    mem_free(path);
    mem_free(arguments.settings.items);
    /* the pictures that were read have their answers; the others make the command fail */
    if (unreadable.code && !status->code) *status = unreadable;
    return status->code;
}

const Command command_predict = {
    .name = "predict",
    .run = cmd_predict,
    .usage = "predict MODEL.h5 PICTURE|FOLDER|-... [--single | --whole] [--reject R] [--probabilities] "
             "[--seen SHEET.png] [--annotate OUT.png] [--neighbours SHEET.png] [--set section.key=value]... "
             "[--json | --csv]",
    .help =
        "Reads the digits in pictures (PNG, JPEG, TIFF, WebP, GIF, BMP, JPEG 2000, PNM; any size; dark on "
        "light or light on dark).\n"
        "A line for each picture, or page of a TIFF: its digits in reading order, and the confidence of the "
        "least sure one.\n"
        "A digit that the model may not know is followed by ?. Of a FOLDER all pictures are read; - is "
        "standard input.\n"
        "  --single      takes each picture as one digit, whatever is on it\n"
        "  --whole       takes each picture as one image as the model was trained on: scaled to its shape, "
        "nothing cut\n"
        "                out or centred, light where the training images are\n"
        "  --reject      how sure the model has to be of a digit that isn't doubtful, 0 to 1; default: 0.5\n"
        "  --probabilities  of all classes for each digit\n"
        "  --seen        draws each digit as the model sees it\n"
        "  --annotate    draws the pictures with a box and label at each digit\n"
        "  --neighbours  draws each digit, as a KNN model sees it, beside its nearest training images (up to "
        "20),\n"
        "                each with its label and distance (the square root of what is compared)\n"
        "  --set         changes a key that says how the model is used, such as cnn.test_shifts",
};
