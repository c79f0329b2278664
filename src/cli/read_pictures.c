#include "cli/read_pictures.h"

#include "core/mem.h"
#include "core/path.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static void list_add(PictureList *list, char *path) {
    list->paths = mem_grow(list->paths, (size_t)list->count, sizeof *list->paths);
    list->paths[list->count++] = path;
}

void picture_list_free(PictureList *list) {
    for (int i = 0; i < list->count; i++)
        mem_free(list->paths[i]);
    mem_free(list->paths);
    *list = (PictureList){0};
}

/* What a picture in a folder is known by. */
static bool has_picture_name(const char *path) {
    static const char *const ends[] = {"png", "jpg", "jpeg", "tif", "tiff", "webp", "gif",
                                       "bmp", "pnm", "pgm",  "ppm", "pbm",  "jp2"};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof ends / sizeof *ends; i++)
        if (!strcasecmp(dot + 1, ends[i])) return true;
    return false;
}

static int compare_paths(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The folders that a walk has been to, as links may lead back to them. */
typedef struct {
    int count;
    struct stat *folders; /* [count] */
} Visited;

/* False if it was there before. One that can't be found is new: opening it tells why. */
static bool visit(Visited *visited, const char *folder) {
    struct stat facts;
    if (stat(folder, &facts)) return true;
    for (int i = 0; i < visited->count; i++)
        if (visited->folders[i].st_ino == facts.st_ino && visited->folders[i].st_dev == facts.st_dev)
            return false;
    visited->folders = mem_grow(visited->folders, (size_t)visited->count, sizeof *visited->folders);
    visited->folders[visited->count++] = facts;
    return true;
}

/* passed: the files whose names aren't those of pictures. */
static void add_folder(const char *folder, Visited *visited, PictureList *list, PictureList *passed) {
    if (!visit(visited, folder)) return;
    const int first = list->count;
    PictureList folders = {0};
    DIR *stream = opendir(folder);
    if (!stream) {
        list_add(list, mem_text(folder)); /* reading it tells why */
        return;
    }
    for (const struct dirent *entry; (entry = readdir(stream));) {
        if (entry->d_name[0] == '.') continue;
        char *path = path_join(folder, entry->d_name);
        if (path_is_folder(path))
            list_add(&folders, path);
        else if (has_picture_name(path))
            list_add(list, path);
        else
            list_add(passed, path);
    }
    closedir(stream);
    if (list->count > first)
        qsort(list->paths + first, (size_t)(list->count - first), sizeof *list->paths, compare_paths);
    if (folders.count) qsort(folders.paths, (size_t)folders.count, sizeof *folders.paths, compare_paths);
    for (int i = 0; i < folders.count; i++)
        add_folder(folders.paths[i], visited, list, passed);
    picture_list_free(&folders);
}

/* Tells which files of folders aren't read, a few of them by name. */
static void tell_passed(PictureList *passed) {
    const int most = 3;
    if (!passed->count) return;
    qsort(passed->paths, (size_t)passed->count, sizeof *passed->paths, compare_paths);
    fprintf(stderr, "pardigits: passed over, as their names aren't those of pictures:");
    for (int i = 0; i < passed->count && i < most; i++)
        fprintf(stderr, "%s %s", i ? "," : "", passed->paths[i]);
    if (passed->count > most) fprintf(stderr, " and %d more", passed->count - most);
    fprintf(stderr, "\n");
}

static StatusCode list_pictures(int count, char *const *operands, PictureList *list, PictureList *passed,
                                Status *status) {
    int inputs = 0;
    for (int i = 0; i < count && !status->code; i++) {
        const int before = list->count;
        Visited visited = {0};
        if (!strcmp(operands[i], "-") && inputs++)
            return status_set(status, STATUS_USAGE,
                              "- is named twice, but there is only one standard input.");
        if (!path_is_folder(operands[i])) {
            list_add(list, mem_text(operands[i]));
        } else {
            add_folder(operands[i], &visited, list, passed);
            if (list->count == before)
                list_add(list, mem_text(operands[i])); /* reading it tells that it holds none */
        }
        mem_free(visited.folders);
    }
    return status->code;
}

/* Every rank gets rank 0's list. */
static void share_list(const Comm *comm, PictureList *list) {
    int64_t size = 0;
    for (int i = 0; i < list->count; i++)
        size += (int64_t)strlen(list->paths[i]) + 1;
    int64_t head[2] = {list->count, size};
    comm_broadcast(comm, head, sizeof head, 0);
    char *text = mem_new((size_t)head[1], 1), *at = text;
    for (int i = 0; i < list->count; i++)
        at = stpcpy(at, list->paths[i]) + 1;
    comm_broadcast(comm, text, head[1], 0);
    at = text;
    for (int i = list->count; i < head[0]; i++, at += strlen(at) + 1)
        list_add(list, mem_text(at));
    mem_free(text);
}

StatusCode picture_list_make(const Context *context, int count, char *const *operands, PictureList *list,
                             Status *status) {
    PictureList passed = {0};
    *list = (PictureList){0};
    if (comm_rank(context->comm) == 0) list_pictures(count, operands, list, &passed, status);
    tell_passed(&passed);
    picture_list_free(&passed);
    if (!comm_agree(context->comm, status)) share_list(context->comm, list);
    return status->code;
}

/* What came of one picture. */
typedef struct {
    int picture, pages;
} PictureOutcome;

/* Standard input is rank 0's, other pictures are dealt in turn, so that slow ones lying together are shared.
 */
static int owner_of(const Comm *comm, const char *path, int i) {
    return strcmp(path, "-") ? i % comm_size(comm) : 0;
}

/* This rank's pictures. One after another adds to `found` in the order of the list. */
static int read_mine(const Context *context, const PictureList *list, bool single, FoundDigits *found,
                     UnreadPages *unread, PictureOutcome *outcomes) {
    int mine = 0;
    int *numbers = mem_new((size_t)list->count + 1, sizeof *numbers);
    FoundDigits *each = mem_new((size_t)list->count + 1, sizeof *each);
    UnreadPages *failed = mem_new((size_t)list->count + 1, sizeof *failed);
    for (int i = 0; i < list->count; i++)
        if (owner_of(context->comm, list->paths[i], i) == comm_rank(context->comm)) numbers[mine++] = i;
    const int kept = digitize_silence();
#pragma omp parallel for schedule(dynamic, 1) num_threads(context->threads)
    for (int k = 0; k < mine; k++) {
        each[k].spec = found->spec;
        outcomes[k] = (PictureOutcome){
            numbers[k], digitize_pages(list->paths[numbers[k]], numbers[k], single, &each[k], &failed[k])};
    }
    digitize_unsilence(kept);
    for (int k = 0; k < mine; k++) {
        found_digits_append(found, &each[k]);
        found_digits_free(&each[k]);
        for (int64_t u = 0; u < failed[k].count; u++) {
            unread->pages = mem_grow(unread->pages, (size_t)unread->count, sizeof *unread->pages);
            unread->pages[unread->count++] = failed[k].pages[u];
        }
        mem_free(failed[k].pages);
    }
    mem_free(failed);
    mem_free(each);
    mem_free(numbers);
    return mine;
}

/* All ranks' digits, by picture: every rank's are in the order of the list. */
static void gather_digits(const Comm *comm, FoundDigits *found, int pictures) {
    const int64_t pixels = image_spec_pixels(found->spec);
    int64_t bytes, ignored;
    FoundDigit *digits =
        comm_gather_bytes(comm, found->digits, found->count * (int64_t)sizeof *digits, &bytes);
    uint8_t *images = comm_gather_bytes(comm, found->images, found->count * pixels, &ignored);
    const int64_t count = (int64_t)((size_t)bytes / sizeof *digits);
    int64_t *first = mem_new((size_t)pictures + 1, sizeof *first); /* digit of each picture in the result */
    for (int64_t d = 0; d < count; d++)
        first[digits[d].picture + 1]++;
    for (int i = 0; i < pictures; i++)
        first[i + 1] += first[i];
    found_digits_free(found);
    found->digits = mem_new((size_t)count, sizeof *digits);
    found->images = mem_new((size_t)count, (size_t)pixels);
    found->count = count;
    for (int64_t d = 0; d < count; d++) {
        const int64_t place = first[digits[d].picture]++;
        found->digits[place] = digits[d];
        memcpy(found->images + place * pixels, images + d * pixels, (size_t)pixels);
    }
    mem_free(first);
    mem_free(digits);
    mem_free(images);
}

static int compare_outcomes(const void *a, const void *b) {
    return ((const PictureOutcome *)a)->picture - ((const PictureOutcome *)b)->picture;
}

static int compare_unread(const void *a, const void *b) {
    const UnreadPage *left = a, *right = b;
    return left->picture == right->picture ? left->page - right->page : left->picture - right->picture;
}

/* Every rank's, by picture and page. */
static void gather_unread(const Comm *comm, UnreadPages *unread) {
    int64_t bytes;
    UnreadPage *all =
        comm_gather_bytes(comm, unread->pages, unread->count * (int64_t)sizeof *unread->pages, &bytes);
    mem_free(unread->pages);
    *unread = (UnreadPages){(int64_t)((size_t)bytes / sizeof *all), all};
    if (unread->count) qsort(all, (size_t)unread->count, sizeof *all, compare_unread);
}

void read_pictures(const Context *context, const PictureList *list, bool single, FoundDigits *found,
                   int *pages, UnreadPages *unread, Status *unreadable) {
    PictureOutcome *mine = mem_new((size_t)list->count, sizeof *mine);
    const int count = read_mine(context, list, single, found, unread, mine);
    int64_t bytes;
    PictureOutcome *all = comm_gather_bytes(context->comm, mine, count * (int64_t)sizeof *mine, &bytes);
    qsort(all, (size_t)list->count, sizeof *all, compare_outcomes);
    gather_digits(context->comm, found, list->count);
    gather_unread(context->comm, unread);
    for (int i = 0; i < list->count; i++)
        pages[i] = all[i].pages;
    for (int64_t u = 0; u < unread->count; u++)
        if (!unreadable->code && !unread->pages[u].is_read)
            status_set(unreadable, STATUS_FAILED, "%s", unread->pages[u].text);
        else if (comm_rank(context->comm) == 0)
            fprintf(stderr, "pardigits: %s\n", unread->pages[u].text);
    mem_free(all);
    mem_free(mine);
}
