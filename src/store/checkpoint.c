#include "store/checkpoint.h"

#include "core/mem.h"
#include "store/atomic_file.h"
#include "store/config_store.h"
#include "store/image_source.h"
#include "store/run_lock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Version 2 has attributes in /model that only explain it, which the digest of version 1 took in. */
enum { FORMAT_VERSION = 2, OLDEST_VERSION = 1 };

static const char source_group[] = "/trained_on", images_group[] = "/images";

static void write_images(H5File *file, const CheckpointInfo *info, Status *status) {
    if (info->spec.classes == 0) return;
    h5_set_i64(file, images_group, "height", info->spec.height, status);
    h5_set_i64(file, images_group, "width", info->spec.width, status);
    h5_set_i64(file, images_group, "classes", info->spec.classes, status);
    image_from_write(file, images_group, info->spec, status);
    if (info->class_names) class_names_write(file, images_group, info->class_names, status);
}

static StatusCode read_between(const H5File *file, const char *name, int least, int most, int *value,
                               Status *status) {
    int64_t number = 0;
    if (h5_get_i64(file, images_group, name, &number, status)) return status->code;
    if (number < least || number > most)
        return status_set(status, STATUS_FAILED,
                          "%s: %s of %s is %lld, expected %d to %d: the file is damaged.", h5_path(file),
                          name, images_group, (long long)number, least, most);
    *value = (int)number;
    return status->code;
}

StatusCode checkpoint_images(const H5File *file, ImageSpec *spec, ClassNames *names, Status *status) {
    *spec = image_spec_mnist();
    *names = (ClassNames){0};
    if (!h5_exists(file, images_group)) return status->code;
    read_between(file, "height", SIDE_MIN, SIDE_MAX, &spec->height, status);
    read_between(file, "width", SIDE_MIN, SIDE_MAX, &spec->width, status);
    read_between(file, "classes", CLASSES_MIN, CLASSES_MAX, &spec->classes, status);
    if (status->code || image_from_read(file, images_group, spec, status) ||
        class_names_read_latin1(file, images_group, names, status))
        return status->code;
    if (names->names && names->count != spec->classes)
        status_set(status, STATUS_FAILED, "%s: %s has %d names for %d classes: the file is damaged.",
                   h5_path(file), images_group, names->count, spec->classes);
    return status->code;
}

/* Creates the file, with all but what its writer writes; NULL if it can't be. */
static H5File *begin_file(const char *path, const char *temporary, const CheckpointInfo *info,
                          Status *status) {
    H5File *file = NULL;
    if (run_lock_check(path, status)) return NULL;
    if (info->streamed_bytes)
        h5_create_streamed(&file, temporary, info->streamed_bytes, status);
    else
        h5_create(&file, temporary, status);
    if (!file) return NULL;
    h5_set_text(file, "/", "format", CHECKPOINT_FORMAT, status);
    h5_set_i64(file, "/", "version", FORMAT_VERSION, status);
    h5_set_text(file, "/", "model", config_text(info->config, "run.model"), status);
    if (info->builds) h5_set_text(file, "/", "builds", info->builds, status);
    if (info->init && *info->init) h5_set_text(file, "/", "init", info->init, status);
    config_store_write(file, info->config, status);
    h5_set_i64(file, "/state", "complete", info->complete, status);
    if (info->source && *info->source->images_sha256)
        image_source_write(file, source_group, info->source, status);
    write_images(file, info, status);
    return file;
}

/* Checks the attributes that every model file has, and its digest. */
StatusCode checkpoint_open_alone(H5File **file, const char *path, Status *status) {
    char *format = NULL, *stored = NULL, digest[65] = "";
    int64_t version = 0;
    h5_open(file, path, status);
    if (!status->code && !h5_has_attribute(*file, "/", "format"))
        status_set(status, STATUS_FAILED,
                   "%s wasn't written by pardigits: expected a model.h5 of `pardigits train`.", path);
    if (!status->code) h5_get_text(*file, "/", "format", &format, status);
    if (!status->code && strcmp(format, CHECKPOINT_FORMAT))
        status_set(status, STATUS_FAILED,
                   "%s is a %s file, expected a model file (model.h5 of a run folder).", path, format);
    if (!status->code) h5_get_i64(*file, "/", "version", &version, status);
    if (!status->code && (version < OLDEST_VERSION || version > FORMAT_VERSION))
        status_set(
            status, STATUS_FAILED,
            "%s has the format version %lld, this program reads versions %d to %d: use the program that "
            "wrote it, or a newer one.",
            path, (long long)version, OLDEST_VERSION, FORMAT_VERSION);
    if (!status->code) h5_get_text(*file, "/", "digest", &stored, status);
    if (!status->code) h5_digest(*file, digest, status);
    if (!status->code && strcmp(stored, digest))
        status_set(
            status, STATUS_FAILED,
            "%s is damaged, or another program changed it: its content doesn't match its digest; use the "
            "copy before it (.prev.h5) or train again.",
            path);
    mem_free(stored);
    mem_free(format);
    Status ignored = {0};
    if (status->code) h5_close(file, &ignored);
    return status->code;
}

/* Closes and verifies the file and puts it in place; after a failure nothing is left of it. */
static StatusCode end_file(H5File *file, const char *temporary, const char *path, Status *status) {
    char digest[65] = "";
    run_lock_check(path, status);
    if (file) {
        h5_digest(file, digest, status);
        h5_set_text(file, "/", "digest", digest, status);
    }
    h5_close(&file, status);
    if (!status->code) {
        checkpoint_open_alone(&file, temporary, status);
        h5_close(&file, status);
    }
    if (!status->code) atomic_file_commit(temporary, path, true, status);
    if (status->code) atomic_file_discard(temporary);
    return status->code;
}

StatusCode checkpoint_build(const char *path, const CheckpointInfo *info, CheckpointWriter write,
                            const void *context, H5File **file, Status *status) {
    char *temporary = atomic_file_temporary(path);
    *file = begin_file(path, temporary, info, status);
    mem_free(temporary);
    if (*file) write(*file, context, status);
    Status ignored = *status;
    if (status->code) h5_close(file, &ignored);
    return status->code;
}

StatusCode checkpoint_put(H5File **file, const char *path, Status *status) {
    char *temporary = atomic_file_temporary(path);
    end_file(*file, temporary, path, status);
    *file = NULL;
    mem_free(temporary);
    return status->code;
}

StatusCode checkpoint_save(const char *path, const Comm *comm, const CheckpointInfo *info,
                           CheckpointWriter write, const void *context, Status *status) {
    const bool root = comm_rank(comm) == 0;
    char *temporary = atomic_file_temporary(path);
    H5File *file = root ? begin_file(path, temporary, info, status) : NULL;
    if (info->streamed_bytes) comm_agree(comm, status);
    if (!status->code && (root || info->streamed_bytes)) write(file, context, status);
    if (root) end_file(file, temporary, path, status);
    mem_free(temporary);
    return comm_agree(comm, status);
}

StatusCode checkpoint_open(const char *path, const Comm *comm, H5File **file, Status *status) {
    return h5_open_together(checkpoint_open_alone, file, path, comm, status);
}

StatusCode checkpoint_check_readable(const char *path, Status *status) {
    char *previous = atomic_file_previous(path);
    const char *const candidates[] = {path, previous};
    for (int i = 0; i < 2; i++)
        if (access(candidates[i], F_OK) == 0 && access(candidates[i], R_OK))
            status_set(status, STATUS_FAILED, "%s can't be read: %s. Make it readable to go on with the run.",
                       candidates[i], strerror(errno));
    mem_free(previous);
    return status->code;
}

StatusCode checkpoint_open_newest(const char *path, const Comm *comm, H5File **file, Status *status) {
    const bool first = comm_rank(comm) == 0;
    char *previous = atomic_file_previous(path);
    const char *const candidates[] = {path, previous};
    Status failure = {0};
    *file = NULL;
    for (int i = 0; i < 2 && !*file; i++) {
        /* only rank 0 looks: ranks may see a shared file system in different states */
        int there = first && access(candidates[i], F_OK) == 0;
        comm_broadcast(comm, &there, sizeof there, 0);
        if (!there) continue;
        Status attempt = {0};
        if (!h5_open_together(checkpoint_open_alone, file, candidates[i], comm, &attempt)) continue;
        if (first) fprintf(stderr, "pardigits: %s\n", attempt.text);
        if (!failure.code) failure = attempt;
    }
    if (*file && failure.code && first)
        fprintf(stderr, "pardigits: resuming from the previous checkpoint, %s.\n", previous);
    if (*file && first && h5_lacks_sum(*file)) h5_note_missing_sum(h5_path(*file));
    if (!*file && failure.code)
        status_set(
            status, STATUS_FAILED,
            "No checkpoint at %s can be read (why stands above): mend that, or start again with --overwrite.",
            path);
    mem_free(previous);
    return status->code;
}

void checkpoint_make_newest(const H5File *file, const char *path) {
    if (!strcmp(h5_path(file), path)) return;
    if (access(path, F_OK))
        rename(h5_path(file), path);
    else
        atomic_file_swap_previous(path);
}

void checkpoint_remove(const char *path) {
    char *previous = atomic_file_previous(path);
    unlink(path);
    unlink(previous);
    char *names[] = {atomic_file_temporary(path), atomic_file_temporary(previous), previous};
    atomic_file_discard(names[0]);
    atomic_file_discard(names[1]);
    for (int i = 0; i < 3; i++)
        mem_free(names[i]);
}

StatusCode checkpoint_config(const H5File *file, const ConfigTables *tables, Config **config,
                             Status *status) {
    return config_store_read(file, tables, config, status);
}

StatusCode checkpoint_source(const H5File *file, ImageSource *source, Status *status) {
    *source = (ImageSource){0};
    return h5_exists(file, source_group) ? image_source_read(file, source_group, source, status)
                                         : status->code;
}

StatusCode checkpoint_builds(const H5File *file, char **builds, Status *status) {
    if (h5_has_attribute(file, "/", "builds")) return h5_get_text(file, "/", "builds", builds, status);
    *builds = mem_text("");
    return status->code;
}

StatusCode checkpoint_init(const H5File *file, char **digest, Status *status) {
    if (h5_has_attribute(file, "/", "init")) return h5_get_text(file, "/", "init", digest, status);
    *digest = mem_text("");
    return status->code;
}

StatusCode checkpoint_is_complete(const H5File *file, bool *complete, Status *status) {
    int64_t value = 0;
    h5_get_i64(file, "/state", "complete", &value, status);
    *complete = value != 0;
    return status->code;
}
