#include "data/picture_folder.h"

#include "core/mem.h"
#include "core/path.h"
#include "core/rng.h"
#include "core/sha256.h"
#include "core/utf8.h"
#include "data/picture.h"
#include "data/survey.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names in a folder. */
typedef struct {
    int64_t count;
    char **names; /* [count] */
} Names;

static void names_free(Names *names) {
    for (int64_t i = 0; i < names->count; i++)
        mem_free(names->names[i]);
    mem_free(names->names);
    *names = (Names){0};
}

static void names_add(Names *names, const char *name) {
    names->names = mem_grow(names->names, (size_t)names->count, sizeof *names->names);
    names->names[names->count++] = mem_text(name);
}

static int compare_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int compare_numbers(const void *a, const void *b) {
    const long left = strtol(*(char *const *)a, NULL, 10), right = strtol(*(char *const *)b, NULL, 10);
    return left == right ? compare_bytes(a, b) : left < right ? -1 : 1;
}

/* What a folder holds but for hidden files, in the order of bytes. */
static StatusCode list_folder(const char *folder, Names *names, Status *status) {
    *names = (Names){0};
    DIR *stream = opendir(folder);
    if (!stream) return status_set(status, STATUS_FAILED, "%s can't be read: %s.", folder, strerror(errno));
    for (const struct dirent *entry; (entry = readdir(stream));)
        if (entry->d_name[0] != '.') names_add(names, entry->d_name);
    closedir(stream);
    if (names->count) qsort(names->names, (size_t)names->count, sizeof *names->names, compare_bytes);
    return STATUS_OK;
}

static bool are_numbers(const Names *names) {
    for (int64_t i = 0; i < names->count; i++)
        if (strspn(names->names[i], "0123456789") != strlen(names->names[i]) || strlen(names->names[i]) > 9)
            return false;
    return true;
}

/* A class is called as its folder. */
static StatusCode check_class_name(const char *name, const char *path, Status *status) {
    const size_t length = strlen(name);
    if (length >= CLASS_NAME_BYTES)
        return status_set(status, STATUS_FAILED,
                          "%s: the name of this folder, which is that of a class, has %zu bytes: expected at "
                          "most %d.",
                          path, length, CLASS_NAME_BYTES - 1);
    for (const char *at = name; *at; at++)
        if (iscntrl((unsigned char)*at))
            return status_set(status, STATUS_FAILED,
                              "%s: the name of this folder, which is that of a class, holds a control "
                              "character.",
                              path);
    if (!utf8_is_valid(name))
        status_set(status, STATUS_FAILED,
                   "%s: the name of this folder, which is that of a class, isn't in UTF-8: rename it.", path);
    return status->code;
}

/* The folders of the classes, in their order. */
static StatusCode list_classes(const char *folder, ClassNames *classes, Status *status) {
    Names names;
    if (list_folder(folder, &names, status)) return status->code;
    for (int64_t i = 0; i < names.count && !status->code; i++) {
        char *path = path_join(folder, names.names[i]);
        if (!path_is_folder(path))
            status_set(status, STATUS_FAILED, "%s isn't a folder: expected one for each class in %s.", path,
                       folder);
        else
            check_class_name(names.names[i], path, status);
        mem_free(path);
    }
    if (!status->code && (names.count < CLASSES_MIN || names.count > CLASSES_MAX))
        status_set(status, STATUS_FAILED, "%s holds %lld folder%s, expected one for each class, %d to %d.",
                   folder, (long long)names.count, names.count == 1 ? "" : "s", CLASSES_MIN, CLASSES_MAX);
    if (!status->code) {
        if (are_numbers(&names))
            qsort(names.names, (size_t)names.count, sizeof *names.names, compare_numbers);
        size_t size = 1, used = 0;
        for (int64_t i = 0; i < names.count; i++)
            size += strlen(names.names[i]) + 1;
        char *text = mem_new(size, 1);
        for (int64_t i = 0; i < names.count; i++)
            used += (size_t)snprintf(text + used, size - used, "%s\n", names.names[i]);
        class_names_parse(text, folder, classes, status);
        mem_free(text);
    }
    names_free(&names);
    return status->code;
}

/* A part's pictures and their labels. */
typedef struct {
    Names paths;
    uint8_t *labels; /* [paths.count] */
} Pictures;

/* A folder among the pictures of a class would be taken for a picture. */
static StatusCode check_no_folders(const char *folder, const Names *files, Status *status) {
    for (int64_t i = 0; i < files->count && !status->code; i++) {
        char *path = path_join(folder, files->names[i]);
        if (path_is_folder(path))
            status_set(status, STATUS_FAILED,
                       "%s is a folder within the folder of a class, which may hold pictures alone: move its "
                       "pictures up, or it out of there.",
                       path);
        mem_free(path);
    }
    return status->code;
}

static StatusCode list_class(const char *folder, int label, Pictures *pictures, Status *status) {
    Names files;
    if (list_folder(folder, &files, status)) return status->code;
    if (check_no_folders(folder, &files, status)) return names_free(&files), status->code;
    const int64_t before = pictures->paths.count, all = before + files.count;
    uint8_t *labels = mem_new((size_t)all, 1);
    if (before) memcpy(labels, pictures->labels, (size_t)before);
    memset(labels + before, label, (size_t)files.count);
    mem_free(pictures->labels);
    pictures->labels = labels;
    for (int64_t i = 0; i < files.count; i++) {
        char *path = path_join(folder, files.names[i]);
        names_add(&pictures->paths, path);
        mem_free(path);
    }
    names_free(&files);
    return STATUS_OK;
}

static StatusCode list_part(const char *folder, const ClassNames *classes, Pictures *pictures,
                            Status *status) {
    Names names;
    if (list_folder(folder, &names, status)) return STATUS_FAILED;
    for (int64_t i = 0; i < names.count && !status->code; i++) {
        const int label = class_names_find(classes, names.names[i]);
        char *path = path_join(folder, names.names[i]);
        if (label < 0)
            status_set(status, STATUS_FAILED, "%s: there is no class %s among the training pictures.", path,
                       names.names[i]);
        else
            list_class(path, label, pictures, status);
        mem_free(path);
    }
    names_free(&names);
    if (!status->code && !pictures->paths.names)
        status_set(status, STATUS_FAILED,
                   "%s holds no picture: expected some in a folder for each class, or no such folder.",
                   folder);
    return status->code;
}

/* What lies beside train/ and test/, such as valid/. */
static void note_unread(const char *folder, bool tested) {
    Names names;
    Status ignored = {0};
    int64_t others = 0;
    const char *first = NULL;
    if (list_folder(folder, &names, &ignored)) return;
    for (int64_t i = 0; i < names.count; i++)
        if (strcmp(names.names[i], "train") && !(tested && !strcmp(names.names[i], "test")) && !others++)
            first = names.names[i];
    if (others)
        fprintf(stderr, "pardigits: note: %s/%s%s isn't read: only train/ and test/ are.\n", folder, first,
                others > 1 ? " and what else is beside it" : "");
    names_free(&names);
}

/* What is found out about the pictures as they are read. */
typedef struct {
    bool stretched;      /* one has another shape than the images */
    int64_t paged;       /* how many have more than one page */
    const char *a_paged; /* one of them */
    int64_t failed;
} Findings;

enum { FAILURES_SHOWN = 20 };

/* The first picture that can't be taken is the command's failure; others are told, so that all can be mended
 * at once. */
static void note_failure(const Status *failure, Findings *found, Status *status) {
    if (!found->failed++)
        *status = *failure;
    else if (found->failed <= FAILURES_SHOWN)
        fprintf(stderr, "pardigits: %s\n", failure->text);
}

static StatusCode take_picture(const char *path, ImageSpec spec, Findings *found, uint8_t *image,
                               Status *status) {
    PIX *grey = NULL;
    int pages = 1;
    if (picture_read_first(path, &grey, &pages, status)) return status->code;
    if (pages > 1 && !found->paged++) found->a_paged = path;
    found->stretched =
        found->stretched || pixGetWidth(grey) != spec.width || pixGetHeight(grey) != spec.height;
    if (!picture_stretch(grey, spec, image)) status_set(status, STATUS_FAILED, "%s can't be scaled.", path);
    pixDestroy(&grey);
    return status->code;
}

/* The size that the options leave to the first picture. */
static StatusCode find_shape(const Pictures *pictures, const PictureOptions *options, ImageSpec *spec,
                             Status *status) {
    PIX *grey = NULL;
    spec->height = options->height;
    spec->width = options->width;
    if (spec->height) return STATUS_OK;
    if (picture_read_luminance(pictures->paths.names[0], &grey, status)) return status->code;
    spec->height = pixGetHeight(grey);
    spec->width = pixGetWidth(grey);
    pixDestroy(&grey);
    if (spec->height >= SIDE_MIN && spec->height <= SIDE_MAX && spec->width >= SIDE_MIN &&
        spec->width <= SIDE_MAX)
        return STATUS_OK;
    return status_set(
        status, STATUS_FAILED,
        "%s has %d x %d pixels, but images have a height and width of %d to %d: say with --shape "
        "HxW to which it is to be scaled.",
        pictures->paths.names[0], spec->height, spec->width, SIDE_MIN, SIDE_MAX);
}

static void hash_bytes(const uint8_t *bytes, int64_t count, char hex[65]) {
    Sha256 sha;
    sha256_begin(&sha);
    sha256_add(&sha, bytes, (size_t)count);
    sha256_end(&sha, hex);
}

static StatusCode take_part(const Pictures *pictures, ImageSpec spec, Findings *found, ImageSet *set,
                            ImageSource *source, char ***paths, Status *status) {
    const int64_t n = pictures->paths.count, pixels = image_spec_pixels(spec);
    uint32_t *order = mem_new((size_t)n, sizeof *order);
    rng_permutation(1, 0, order, (uint32_t)n);
    *set = image_set_new(n, spec);
    *paths = mem_new((size_t)n + 1, sizeof **paths);
    for (int64_t i = 0; i < n; i++) {
        Status failure = {0};
        set->labels[i] = pictures->labels[order[i]];
        (*paths)[i] = mem_text(pictures->paths.names[order[i]]);
        if (take_picture((*paths)[i], spec, found, set->images + i * pixels, &failure))
            note_failure(&failure, found, status);
    }
    if (found->failed > FAILURES_SHOWN)
        fprintf(stderr, "pardigits: %lld more pictures can't be taken.\n",
                (long long)found->failed - FAILURES_SHOWN);
    mem_free(order);
    hash_bytes(set->images, n * pixels, source->images_sha256);
    hash_bytes(set->labels, n, source->labels_sha256);
    return status->code;
}

/* Whether most images, which are pictures as they were, were made as MNIST's were: then pictures that are
 * predicted have to be made so, too. */
static bool are_normalised(const ImageSet *set) {
    int64_t normalised = 0;
    for (int64_t i = 0; i < set->n; i++)
        normalised += survey_is_normalised(set->images + i * image_spec_pixels(set->spec), set->spec);
    return 10 * normalised > 8 * set->n;
}

static void pictures_free(Pictures *pictures) {
    names_free(&pictures->paths);
    mem_free(pictures->labels);
}

StatusCode picture_folder_read(const char *folder, const PictureOptions *options, DatasetParts *parts,
                               Status *status) {
    Pictures train = {0}, test = {0};
    ImageSpec spec = {0};
    char *train_folder = path_join(folder, "train"), *test_folder = path_join(folder, "test");
    *parts = (DatasetParts){0};
    const bool parted = path_is_folder(train_folder), tested = parted && path_is_folder(test_folder);
    const char *first = parted ? train_folder : folder;
    if (!list_classes(first, &parts->class_names, status) &&
        !list_part(first, &parts->class_names, &train, status) &&
        !(tested && list_part(test_folder, &parts->class_names, &test, status)) &&
        !find_shape(&train, options, &spec, status)) {
        Findings found = {0};
        if (parted) note_unread(folder, tested);
        spec.classes = parts->class_names.count;
        spec.from = IMAGE_FROM_WHOLE;
        spec.inverted = options->invert;
        if (!take_part(&train, spec, &found, &parts->train, &parts->train_source, &parts->train_paths,
                       status) &&
            tested)
            take_part(&test, spec, &found, &parts->test, &parts->test_source, &parts->test_paths, status);
        if (found.paged && !status->code)
            fprintf(stderr,
                    "pardigits: note: only the first page is taken of %lld picture%s of several pages, such "
                    "as %s.\n",
                    (long long)found.paged, found.paged == 1 ? "" : "s", found.a_paged);
        if (!found.stretched && are_normalised(&parts->train))
            parts->train.spec.from = parts->test.spec.from = IMAGE_FROM_DIGITS;
    }
    pictures_free(&train);
    pictures_free(&test);
    mem_free(train_folder);
    mem_free(test_folder);
    return status->code;
}
