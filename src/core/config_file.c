#include "core/config_file.h"

#include "core/config_lines.h"
#include "core/mem.h"
#include "core/regular_file.h"

#include <errno.h>
#include <ini.h>
#include <string.h>

/* What reading a file carries along. inih doesn't tell its handler the line, so its reader counts. */
typedef struct {
    Config *config;
    const char *path;
    Status *status;
    FILE *file;
    int line;
    bool continues; /* this line begins with a blank: it goes on with the value above */
    bool *seen;     /* [count] keys that the file has set */
    int refused;    /* the first line whose value was refused, or 0 */
} Reading;

static char *read_line(char *buffer, int size, void *context) {
    Reading *reading = context;
    if (reading->status->code) return NULL;
    char *line = fgets(buffer, size, reading->file);
    if (!line) return NULL;
    reading->line++;
    reading->continues = line[0] == ' ' || line[0] == '\t';
    if (!strchr(line, '\n') && !feof(reading->file))
        status_set(
            reading->status, STATUS_USAGE,
            "%s:%d: the line is longer than %d characters: go on in a next line that begins with blanks.",
            reading->path, reading->line, size - 2);
    return line;
}

/* The place of a key among all; -1 if there is none of that name. */
static int find_place(const Config *config, const char *name) {
    const ConfigKey *key = config_find(config, name);
    int i = key ? config_count(config) - 1 : -1;
    while (i >= 0 && config_key(config, i) != key)
        i--;
    return i;
}

static int take_value(void *context, const char *section, const char *key, const char *value) {
    Reading *reading = context;
    char name[256], where[1024];
    snprintf(name, sizeof name, "%s.%s", section, key);
    snprintf(where, sizeof where, "%.900s:%d", reading->path, reading->line);
    if (!*section)
        status_set(reading->status, STATUS_USAGE,
                   "%s: '%s' is in no section: expected a line with one, such as [run], above it.", where,
                   key);
    const int i = find_place(reading->config, name);
    char *joined = NULL;
    if (i >= 0 && reading->seen[i] && !reading->continues)
        status_set(reading->status, STATUS_USAGE, "%s: %s is set twice.", where, name);
    if (i >= 0 && reading->seen[i]) joined = config_join_lines(config_value(reading->config, name), value);
    if (!reading->status->code)
        config_set_value(reading->config, name, joined ? joined : value, where, reading->status);
    if (i >= 0) reading->seen[i] = true;
    mem_free(joined);
    if (reading->status->code && !reading->refused) reading->refused = reading->line;
    return reading->status->code == STATUS_OK;
}

StatusCode config_read_file(Config *config, const char *path, Status *status) {
    const char *reason;
    FILE *file = regular_file_open_text(path, &reason);
    if (!file)
        return status_set(status, STATUS_USAGE, "The configuration %s can't be read: %s.", path, reason);
    Reading reading = {config, path, status, file,
                       .seen = mem_new((size_t)config_count(config), sizeof(bool))};
    int bad_line = ini_parse_stream(read_line, &reading, take_value, &reading);
    if (ferror(file))
        status_set(status, STATUS_USAGE, "The configuration %s can't be read: %s.", path, strerror(errno));
    if (bad_line && (!reading.refused || bad_line < reading.refused)) {
        *status = (Status){0}; /* what inih didn't understand comes before what was refused */
        status_set(status, STATUS_USAGE,
                   "%s:%d: expected [section], key = value, or a comment that begins with ; or #.", path,
                   bad_line);
    }
    mem_free(reading.seen);
    fclose(file);
    return status->code;
}

void config_write(const Config *config, FILE *file) {
    size_t section = 0;
    for (int i = 0; i < config_count(config); i++) {
        const ConfigKey *key = config_key(config, i);
        size_t length = strcspn(key->name, ".");
        if (length != section || strncmp(key->name, config_key(config, i ? i - 1 : 0)->name, length)) {
            fprintf(file, "%s[%.*s]\n", i ? "\n" : "", (int)length, key->name);
            section = length;
        }
        char range[256];
        config_describe_range(key, range, sizeof range);
        fprintf(file, "# %s%s%s", key->help, *range ? ": " : "", range);
        fprintf(file, "\n%s = ", key->name + length + 1);
        config_write_lines(file, config_value(config, key->name));
    }
}
