#include "cli/predict_output.h"

#include "core/mem.h"
#include "core/text_buffer.h"
#include "data/annotate.h"
#include "data/caption.h"
#include "data/sheet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The digits of a page: read.digits[first .. end - 1]. */
typedef struct {
    int picture, page, first, end;
} Page;

static const char *name_of(const PredictResults *results, int picture) {
    const char *path = results->list.paths[picture];
    return strcmp(path, "-") ? path : "standard input";
}

/* Control characters of a file's name would break the line. */
static char *printable(const char *path) {
    char *copy = mem_text(path);
    for (char *at = copy; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 127) *at = '?';
    return copy;
}

static bool is_unread(const PredictResults *results, const Page *page) {
    for (int64_t u = 0; u < results->unread.count; u++)
        if (results->unread.pages[u].picture == page->picture &&
            results->unread.pages[u].page == page->page && !results->unread.pages[u].is_read)
            return true;
    return false;
}

/* The next page that was read, which begins with digit page->end; false after the last one. */
static bool next_page(const PredictResults *results, Page *page) {
    do {
        page->page++;
        while (page->picture < results->list.count && page->page >= results->pages[page->picture]) {
            page->picture++;
            page->page = 0;
        }
        if (page->picture >= results->list.count) return false;
    } while (is_unread(results, page));
    page->first = page->end;
    while (page->end < results->read.count &&
           results->read.digits[page->end].place.picture == page->picture &&
           results->read.digits[page->end].place.page == page->page)
        page->end++;
    return true;
}

static const Page before_first_page = {0, -1, 0, 0};

/* Whether the classes' names run together to one word, as digits do. */
static bool are_letters(const Model *model) {
    return class_names_width(&model->class_names, model->spec.classes) == 1;
}

/* What was read of some digits. Numbers are parted by blanks, lines by `line_end`; a doubtful digit is
 * followed by ? where mark is set. */
static char *text_of(const Model *model, const ReadDigit *digits, int count, const char *line_end,
                     bool mark) {
    TextBuffer text;
    char number[12];
    text_buffer_init(&text);
    for (int i = 0; i < count; i++) {
        const FoundDigit *place = &digits[i].place, *before = i ? &digits[i - 1].place : place;
        if (place->line != before->line)
            fputs(line_end, text.file);
        else if (place->number != before->number || (i && !are_letters(model)))
            fputs(" ", text.file);
        fputs(class_name(&model->class_names, digits[i].best.label, number), text.file);
        if (mark && digits[i].doubtful) fputs("?", text.file);
    }
    return text_buffer_take(&text);
}

/* The least sure digit; the first of those that aren't doubtful if there are any. NULL if there is none. */
static const ReadDigit *least_sure(const PredictResults *results, const Page *page) {
    const ReadDigit *least = NULL;
    for (int i = page->first; i < page->end; i++)
        if (!least || results->read.digits[i].best.confidence < least->best.confidence)
            least = &results->read.digits[i];
    return least;
}

static bool is_doubtful(const PredictResults *results, const Page *page) {
    bool doubtful = false;
    for (int i = page->first; i < page->end; i++)
        doubtful = doubtful || results->read.digits[i].doubtful;
    return doubtful;
}

static bool any_doubtful(const PredictResults *results) {
    return is_doubtful(results, &(Page){.end = results->read.count});
}

/* One page of several is named as FILE[2]. */
static char *page_name(const PredictResults *results, const Page *page) {
    char *name = printable(name_of(results, page->picture));
    if (results->pages[page->picture] < 2) return name;
    char *whole = mem_format("%s[%d]", name, page->page + 1);
    mem_free(name);
    return whole;
}

static void print_line(const PredictResults *results, const Model *model, const Page *page, Output *output) {
    const ReadDigit *least = least_sure(results, page);
    char *name = page_name(results, page);
    char *text = text_of(model, results->read.digits + page->first, page->end - page->first, " / ", true);
    output_record(output);
    output_text(output, "text", "", least ? text : "no digit found");
    output_real(output, "percent", "", least ? 100 * (double)least->best.confidence : NAN, "%.1f %%");
    if (any_doubtful(results)) output_text(output, "doubt", "", is_doubtful(results, page) ? "doubtful" : "");
    output_text(output, "path", "", name);
    mem_free(text);
    mem_free(name);
}

/* Of digit i. */
static void add_probabilities(const PredictResults *results, const Model *model, int i, OutputFormat format,
                              Output *output) {
    const int classes = model->spec.classes;
    double values[CLASSES_MAX];
    for (int c = 0; c < classes; c++)
        values[c] = i < 0 ? NAN : (double)results->read.probabilities[(int64_t)i * classes + c];
    if (format == OUTPUT_JSON) {
        output_reals(output, "probabilities", values, classes);
        return;
    }
    for (int c = 0; c < classes; c++) {
        char name[16];
        snprintf(name, sizeof name, "p_%d", c);
        output_real(output, name, NULL, values[c], "%.6f");
    }
}

static void add_label(const Model *model, const ReadDigit *digit, Output *output) {
    char number[12];
    output_real(output, "label", NULL, digit ? digit->best.label : NAN, "%.0f");
    output_real(output, "confidence", NULL, digit ? (double)digit->best.confidence : NAN, "%.3f");
    if (model->class_names.names)
        output_text(output, "class", NULL,
                    digit ? class_name(&model->class_names, digit->best.label, number) : "");
}

static void print_json_digit(const PredictResults *results, const Model *model, int i, bool probabilities,
                             Output *output) {
    const ReadDigit *digit = &results->read.digits[i];
    const FoundDigit *place = &digit->place;
    output_record(output);
    add_label(model, digit, output);
    output_bool(output, "doubtful", NULL, digit->doubtful);
    output_integer(output, "line", NULL, place->line + 1);
    output_integer(output, "number", NULL, place->number + 1);
    output_integers(output, "box", (int64_t[]){place->x, place->y, place->width, place->height}, 4);
    if (probabilities) add_probabilities(results, model, i, OUTPUT_JSON, output);
}

/* The numbers of a page, each as text. */
static void add_numbers(const PredictResults *results, const Model *model, const Page *page, Output *output) {
    char **numbers = mem_new((size_t)(page->end - page->first) + 1, sizeof *numbers);
    int count = 0;
    for (int i = page->first, end; i < page->end; i = end) {
        for (end = i; end < page->end &&
                      results->read.digits[end].place.number == results->read.digits[i].place.number;)
            end++;
        numbers[count++] = text_of(model, results->read.digits + i, end - i, "", false);
    }
    output_texts(output, "numbers", numbers, count);
    for (int k = 0; k < count; k++)
        mem_free(numbers[k]);
    mem_free(numbers);
}

static void print_json(const PredictResults *results, const Model *model, const Page *page,
                       bool probabilities, Output *output) {
    char *text = text_of(model, results->read.digits + page->first, page->end - page->first, "\n", false);
    const ReadDigit *only = page->end - page->first == 1 ? &results->read.digits[page->first] : NULL;
    output_record(output);
    output_text(output, "picture", NULL, name_of(results, page->picture));
    add_label(model, only, output);
    output_integer(output, "page", NULL, page->page + 1);
    output_text(output, "text", NULL, text);
    add_numbers(results, model, page, output);
    output_bool(output, "doubtful", NULL, is_doubtful(results, page));
    output_begin(output, "digits", NULL, OUTPUT_TABLE);
    for (int i = page->first; i < page->end; i++)
        print_json_digit(results, model, i, probabilities, output);
    output_end(output);
    mem_free(text);
}

/* i: of the digit; -1 for a page without any. */
static void print_csv_digit(const PredictResults *results, const Model *model, const Page *page, int i,
                            bool probabilities, Output *output) {
    const ReadDigit *digit = i < 0 ? NULL : &results->read.digits[i];
    const FoundDigit *place = digit ? &digit->place : NULL;
    output_record(output);
    output_text(output, "picture", NULL, name_of(results, page->picture));
    add_label(model, digit, output);
    output_integer(output, "page", NULL, page->page + 1);
    output_bool(output, "doubtful", NULL, digit && digit->doubtful);
    output_real(output, "line", NULL, place ? place->line + 1 : NAN, "%.0f");
    output_real(output, "number", NULL, place ? place->number + 1 : NAN, "%.0f");
    output_real(output, "x", NULL, place ? place->x : NAN, "%.0f");
    output_real(output, "y", NULL, place ? place->y : NAN, "%.0f");
    output_real(output, "width", NULL, place ? place->width : NAN, "%.0f");
    output_real(output, "height", NULL, place ? place->height : NAN, "%.0f");
    if (probabilities) add_probabilities(results, model, i, OUTPUT_CSV, output);
}

static void print_csv(const PredictResults *results, const Model *model, const Page *page, bool probabilities,
                      Output *output) {
    for (int i = page->first; i < page->end; i++)
        print_csv_digit(results, model, page, i, probabilities, output);
    if (page->first == page->end) print_csv_digit(results, model, page, -1, probabilities, output);
}

/* Where people see no line for each digit, its probabilities follow as notes. */
static void note_probabilities(const PredictResults *results, const Model *model, const Page *page,
                               Output *output) {
    const int classes = model->spec.classes;
    char number[12];
    if (page->first == page->end) return;
    TextBuffer text;
    text_buffer_init(&text);
    for (int i = page->first; i < page->end; i++)
        for (int c = 0; c < classes; c++)
            fprintf(text.file, "%s%s: %.4f",
                    c                 ? "  "
                    : i > page->first ? "\n    "
                                      : "    ",
                    class_name(&model->class_names, c, number),
                    (double)results->read.probabilities[(int64_t)i * classes + c]);
    output_note(output, "%s", text_buffer_text(&text));
    text_buffer_free(&text);
}

void predict_add_pages(const PredictResults *results, const Model *model, bool probabilities,
                       Output *output) {
    const OutputFormat format = output_format(output);
    for (Page page = before_first_page; next_page(results, &page);)
        if (format == OUTPUT_JSON) {
            print_json(results, model, &page, probabilities, output);
        } else if (format == OUTPUT_CSV) {
            print_csv(results, model, &page, probabilities, output);
        } else {
            print_line(results, model, &page, output);
            if (probabilities) note_probabilities(results, model, &page, output);
        }
}

StatusCode predict_draw_seen(const PredictResults *results, const Model *model, const char *out,
                             Status *status) {
    const int count = results->read.count, columns = 16;
    const int64_t pixels = image_spec_pixels(model->spec);
    ImageSet raw = image_set_new(count, model->spec);
    ModelImages seen = {0};
    SheetCaption *captions = mem_new((size_t)count + 1, sizeof *captions);
    for (int i = 0; i < count; i++) {
        memcpy(raw.images + i * pixels, results->found.images + results->read.digits[i].image * pixels,
               (size_t)pixels);
        const ReadDigit *digit = &results->read.digits[i];
        char number[12];
        snprintf(captions[i].name, sizeof captions[i].name, "%s",
                 caption_class(&model->class_names, digit->best.label, number));
        snprintf(captions[i].end, sizeof captions[i].end, "%s", digit->doubtful ? "?" : "");
    }
    if (!model_images_create(model, &raw, &seen, status))
        sheet_write(out, &seen.set, count < columns ? (count ? count : 1) : columns, captions, status);
    model_images_free(&seen);
    mem_free(captions);
    return status->code;
}

StatusCode predict_draw_boxes(const PredictResults *results, const Model *model, const char *out,
                              Status *status) {
    AnnotatedBox *boxes = mem_new((size_t)results->read.count + 1, sizeof *boxes);
    for (int i = 0; i < results->read.count; i++) {
        const ReadDigit *digit = &results->read.digits[i];
        char number[12];
        boxes[i].place = digit->place;
        boxes[i].doubtful = digit->doubtful;
        snprintf(boxes[i].caption, sizeof boxes[i].caption, "%.14s%s",
                 caption_class(&model->class_names, digit->best.label, number), digit->doubtful ? "?" : "");
    }
    annotate_pictures(out, results->list.paths, results->pages, results->list.count, boxes,
                      results->read.count, status);
    mem_free(boxes);
    return status->code;
}
