#include "cli/check_output.h"

#include "cli/run_folder.h"

#include "core/mem.h"
#include "core/path.h"
#include "model/open_model.h"
#include "store/atomic_file.h"
#include "store/checkpoint.h"
#include "store/h5io.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_empty(const char *path) {
    struct stat facts;
    return stat(path, &facts) || facts.st_size == 0;
}

static bool is_configuration(const char *path) {
    const char *dot = strrchr(path, '.');
    return dot && !strcmp(dot, ".ini");
}

/* Refuses to replace an HDF5 file by another kind of file, any other file by an HDF5 file, and a
 * configuration. */
static void check_kind(const char *out, const char *format, Log *log, Status *status) {
    if (status->code || is_empty(out)) return;
    char *found = h5_format(out);
    if (!format && is_configuration(out))
        status_set(status, STATUS_USAGE,
                   "%s is a configuration, which would be lost: name another file to be written.", out);
    else if (format && (!found || !*found))
        status_set(status, STATUS_USAGE,
                   "%s isn't a file of pardigits, or it is damaged, and would be lost: remove it or name "
                   "another file to be written.",
                   out);
    else if (found && !(format && !strcmp(found, format)))
        status_set(status, STATUS_USAGE,
                   "%s is a%s%s file, which would be lost: name another file to be written.", out,
                   *found ? " " : "n HDF5", found);
    else if (format)
        log_line(log, "%s is there, and is replaced.", out);
    mem_free(found);
}

static void check_inputs(const char *out, int inputs, char *const input[], Status *status) {
    for (int i = 0; i < inputs; i++)
        if (path_is_same(out, input[i]))
            status_set(status, STATUS_USAGE,
                       "%s is the input, which would be lost: name another file to be written.", out);
}

/* Refuses what a run in the folder has, or would take for its own. */
static void check_name(const char *out, bool is_model, Status *status) {
    if (run_folder_holds(out) && access(out, F_OK) == 0)
        status_set(status, STATUS_USAGE,
                   "%s is a file of a run, which would be lost: name another file to be written.", out);
    else if (run_folder_holds(out))
        status_set(status, STATUS_USAGE,
                   "%s has the name of a file of the run in that folder: name another file to be written.",
                   out);
    else if (run_folder_would_take(out, is_model))
        status_set(status, STATUS_USAGE,
                   "%s has the name of a file of a run, and a training in that folder would take it for one: "
                   "name another file to be written.",
                   out);
}

StatusCode check_kept(const Context *context, const char *out, const char *format, int inputs,
                      char *const input[], Status *status) {
    if (comm_rank(context->comm) == 0) {
        check_inputs(out, inputs, input, status);
        check_name(out, format && !strcmp(format, CHECKPOINT_FORMAT), status);
        check_kind(out, format, context->log, status);
    }
    return comm_agree(context->comm, status);
}

StatusCode check_output(const Context *context, const char *out, const char *format, int inputs,
                        char *const input[], Status *status) {
    if (comm_rank(context->comm) == 0) atomic_file_check(out, status);
    return check_kept(context, out, format, inputs, input, status);
}

StatusCode check_not_among(const Context *context, const char *out, int inputs, char *const input[],
                           Status *status) {
    if (comm_rank(context->comm) == 0) check_inputs(out, inputs, input, status);
    return comm_agree(context->comm, status);
}

StatusCode check_outputs_differ(int count, const char *const outs[], Status *status) {
    for (int i = 0; i < count; i++)
        for (int j = 0; j < i; j++)
            if (outs[i] && outs[j] && path_names_same(outs[i], outs[j]))
                return status_set(status, STATUS_USAGE,
                                  "%s is to be written twice: give each file a name of its own.", outs[i]);
    return status->code;
}

StatusCode make_output_folder(const char *option, const char *folder, Status *status) {
    if (!folder || path_is_folder(folder) || !mkdir(folder, 0777)) return status->code;
    if (errno == EEXIST)
        status_set(status, STATUS_USAGE, "--%s %s isn't a folder: name another.", option, folder);
    else
        status_set(status, STATUS_FAILED, "The folder %s can't be made: %s.", folder, strerror(errno));
    return status->code;
}

StatusCode check_png(const char *out, Status *status) {
    const char *dot = strrchr(out, '.');
    if (dot && !strcasecmp(dot, ".png")) return status->code;
    return status_set(status, STATUS_USAGE, "%s: a PNG is written, so its name must end in .png.", out);
}

StatusCode check_models_differ(const char *where, int count, char **paths, Status *status) {
    for (int i = 0; i < count; i++)
        for (int j = 0; j < i && !status->code; j++) {
            char *path = model_path_of(paths[i]), *other = model_path_of(paths[j]);
            if (path_is_same(path, other))
                status_set(status, STATUS_USAGE, "%s%s and %s are the same file: name each model once.",
                           where, paths[j], paths[i]);
            mem_free(other);
            mem_free(path);
        }
    return status->code;
}
