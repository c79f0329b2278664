#include "cli/same_start.h"

#include "core/fingerprint.h"
#include "core/mem.h"
#include "core/text_buffer.h"

#include <string.h>

StatusCode require_same_build(const Comm *comm, Status *status) {
    char mine[65], first[65];
    if (comm_size(comm) == 1) return status->code;
    fingerprint_hex(mine);
    memcpy(first, mine, sizeof first);
    comm_broadcast(comm, first, sizeof first, 0);
    if (strcmp(mine, first))
        status_set(status, STATUS_FAILED,
                   "Rank %d runs another build of pardigits than rank 0, or on another kind of processor, so "
                   "results would "
                   "differ: start the same file on nodes of one kind.",
                   comm_rank(comm));
    return comm_agree(comm, status);
}

/* Texts, each ended by a 0. */
typedef struct {
    int64_t bytes;
    char *text; /* [bytes] */
} TextList;

/* Rank 0's list. */
static TextList broadcast_list(const Comm *comm, const TextBuffer *mine) {
    const char *text = text_buffer_text(mine);
    TextList first = {(int64_t)mine->count, NULL};
    comm_broadcast(comm, &first.bytes, sizeof first.bytes, 0);
    first.text = mem_new((size_t)first.bytes + 1, 1);
    if (comm_rank(comm) == 0) memcpy(first.text, text, mine->count);
    comm_broadcast(comm, first.text, first.bytes, 0);
    return first;
}

/* Whether this rank's list isn't rank 0's; then *own and *other are the first texts that differ. */
static bool differs(const TextBuffer *mine, const TextList *first, const char **own, const char **other) {
    const char *a = text_buffer_text(mine), *b = first->text;
    const char *const a_end = a + mine->count, *const b_end = b + first->bytes;
    while (a < a_end && b < b_end && !strcmp(a, b)) {
        a += strlen(a) + 1;
        b += strlen(b) + 1;
    }
    *own = a < a_end ? a : "nothing";
    *other = b < b_end ? b : "nothing";
    return a < a_end || b < b_end;
}

StatusCode require_same_arguments(const Comm *comm, int argc, char *const *argv, Status *status) {
    const char *own, *other;
    TextBuffer mine;
    if (comm_size(comm) == 1) return status->code;
    text_buffer_init(&mine);
    for (int i = 1; i < argc; i++)
        fprintf(mine.file, "%s%c", argv[i], 0);
    TextList first = broadcast_list(comm, &mine);
    if (differs(&mine, &first, &own, &other))
        status_set(
            status, STATUS_USAGE,
            "Rank %d was started with other arguments than rank 0 (%.200s instead of %.200s): give all "
            "ranks the same.",
            comm_rank(comm), own, other);
    mem_free(first.text);
    text_buffer_free(&mine);
    return comm_agree(comm, status);
}

StatusCode require_same_config(const Comm *comm, const char *path, const Config *config, Status *status) {
    const char *own, *other;
    TextBuffer mine;
    if (comm_size(comm) == 1) return status->code;
    text_buffer_init(&mine);
    for (int i = 0; i < config_count(config); i++) {
        const char *name = config_key(config, i)->name;
        if (strcmp(name, "run.data")) fprintf(mine.file, "%s = %s%c", name, config_value(config, name), 0);
    }
    TextList first = broadcast_list(comm, &mine);
    if (differs(&mine, &first, &own, &other))
        status_set(status, STATUS_USAGE,
                   "Rank %d reads another %s than rank 0 (%.200s instead of %.200s): let all hosts have the "
                   "same file.",
                   comm_rank(comm), path, own, other);
    mem_free(first.text);
    text_buffer_free(&mine);
    return comm_agree(comm, status);
}
