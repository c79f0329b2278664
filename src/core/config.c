#include "core/config.h"

#include "core/config_lines.h"
#include "core/mem.h"
#include "core/regular_file.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_TEXT = 60000 }; /* an attribute of HDF5 holds 65,535 bytes */

struct Config {
    const ConfigTables *tables;
    int count;
    const ConfigKey **keys; /* [count] of all tables */
    char **values;          /* [count], as written in a file */
    char *notice;           /* config_notice */
};

static int count_keys(const ConfigTables *tables) {
    int count = 0;
    for (int t = 0; t < tables->count; t++)
        count += tables->items[t]->count;
    return count;
}

Config *config_create(const ConfigTables *tables) {
    Config *config = mem_new(1, sizeof *config);
    config->tables = tables;
    const int count = count_keys(tables);
    config->keys = mem_new((size_t)count, sizeof *config->keys);
    config->values = mem_new((size_t)count, sizeof *config->values);
    for (int t = 0; t < tables->count; t++)
        for (int i = 0; i < tables->items[t]->count; i++)
            config->keys[config->count++] = &tables->items[t]->keys[i];
    for (int i = 0; i < count; i++)
        config->values[i] = mem_text(config->keys[i]->initial);
    return config;
}

Config *config_copy(const Config *config) {
    Config *copy = config_create(config->tables);
    for (int i = 0; i < config->count; i++) {
        mem_free(copy->values[i]);
        copy->values[i] = mem_text(config->values[i]);
    }
    return copy;
}

void config_destroy(Config **config) {
    if (!*config) return;
    for (int i = 0; i < (*config)->count; i++)
        mem_free((*config)->values[i]);
    mem_free((*config)->values);
    mem_free((*config)->keys);
    mem_free((*config)->notice);
    mem_free(*config);
    *config = NULL;
}

int config_count(const Config *config) {
    return config->count;
}

const ConfigKey *config_key(const Config *config, int i) {
    return config->keys[i];
}

const char *config_notice(const Config *config) {
    return config->notice;
}

/* Levenshtein's distance of two short words. */
static int edit_distance(const char *a, const char *b) {
    enum { LONGEST = 63 };
    int row[LONGEST + 1], n = (int)strnlen(b, LONGEST);
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; a[i - 1] && i <= LONGEST; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int changed = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            int one_more = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = changed < one_more ? changed : one_more;
        }
    }
    return row[n];
}

/* Whether two words are the same but for capitals, hyphens and underscores. */
static bool is_same_word(const char *a, const char *b) {
    for (;; a++, b++) {
        a += strspn(a, "-_");
        b += strspn(b, "-_");
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b)) return false;
        if (!*a) return true;
    }
}

/* The part of a name behind its section. */
static const char *bare_name(const char *name) {
    const char *dot = strchr(name, '.');
    return dot ? dot + 1 : name;
}

/* The synonym that a name is, whatever its section and however it is written: LearningRate, learning-rate. */
static const ConfigSynonym *find_synonym(const Config *config, const char *name, bool former) {
    for (int t = 0; t < config->tables->count; t++) {
        const ConfigTable *table = config->tables->items[t];
        for (int i = 0; i < table->synonym_count; i++) {
            const ConfigSynonym *synonym = &table->synonyms[i];
            if (synonym->former == former &&
                (former ? !strcmp(synonym->word, name) : is_same_word(synonym->word, bare_name(name))))
                return synonym;
        }
    }
    return NULL;
}

/* The key whose name is most like `name`; one that differs by its section alone comes first. */
static const ConfigKey *nearest_key(const Config *config, const char *name) {
    const ConfigKey *best = NULL;
    int best_distance = 0;
    for (int i = 0; i < config->count; i++) {
        int distance = edit_distance(name, config->keys[i]->name);
        if (!strcmp(bare_name(config->keys[i]->name), bare_name(name))) distance = 0;
        if (!best || distance < best_distance) {
            best = config->keys[i];
            best_distance = distance;
        }
    }
    return best;
}

/* The place of a key; negative if there is none. */
static int find_exact(const Config *config, const char *name) {
    for (int i = 0; i < config->count; i++)
        if (!strcmp(config->keys[i]->name, name)) return i;
    return -1;
}

/* The same, also of a former name. */
static int find_key(const Config *config, const char *name) {
    const ConfigSynonym *former = find_synonym(config, name, true);
    return find_exact(config, former ? former->key : name);
}

const ConfigKey *config_find(const Config *config, const char *name) {
    const int i = find_key(config, name);
    return i < 0 ? NULL : config->keys[i];
}

const char *config_former_name(const Config *config, const ConfigKey *key) {
    for (int t = 0; t < config->tables->count; t++)
        for (int i = 0; i < config->tables->items[t]->synonym_count; i++) {
            const ConfigSynonym *synonym = &config->tables->items[t]->synonyms[i];
            if (synonym->former && !strcmp(synonym->key, key->name)) return synonym->word;
        }
    return NULL;
}

/* Takes note of a key that was set by a former name. */
static void note_former(Config *config, const char *name, const char *where) {
    const ConfigSynonym *former = find_synonym(config, name, true);
    if (!former || config->notice) return;
    const size_t size = strlen(where) + strlen(name) + strlen(former->key) + 64;
    config->notice = mem_new(size, 1);
    snprintf(config->notice, size, "%s: %s is the old name of %s, which does the same.", where, name,
             former->key);
}

static StatusCode refuse_key(const Config *config, const char *name, const char *where, Status *status) {
    const ConfigSynonym *synonym = find_synonym(config, name, false);
    const ConfigKey *near =
        synonym ? config->keys[find_exact(config, synonym->key)] : nearest_key(config, name);
    if (synonym && synonym->meaning)
        return status_set(status, STATUS_USAGE, "%s: there is no key %s; use %s: %s.", where, name,
                          near->name, synonym->meaning);
    return status_set(status, STATUS_USAGE, "%s: there is no key %s; did you mean %s (%s)?", where, name,
                      near->name, near->help);
}

static bool is_choice(const char *choices, const char *value) {
    size_t length = strlen(value);
    for (const char *at = choices; *at; at += strcspn(at, "|"), at += *at == '|')
        if (length && strcspn(at, "|") == length && !strncmp(at, value, length)) return true;
    return false;
}

static StatusCode check_number(const ConfigKey *key, const char *value, const char *where, Status *status) {
    char *end;
    if (*value && !strcmp(key->choices, value)) return STATUS_OK;
    errno = 0;
    double number = strtod(value, &end);
    bool whole = key->type == CONFIG_INT;
    bool good = end != value && !*end && isfinite(number) && number >= key->min && number <= key->max &&
                (!whole || number == floor(number));
    if (good) return STATUS_OK;
    return status_set(status, STATUS_USAGE, "%s: %s = %s isn't %s%s%s from %.10g to %.10g%s%s.", where,
                      key->name, value, key->choices, *key->choices ? " or " : "",
                      whole ? "a whole number" : "a number", key->min, key->max, *key->unit ? " " : "",
                      key->unit);
}

/* Refuses a text that a file couldn't hold. */
static StatusCode check_text(const ConfigKey *key, const char *value, const char *where, Status *status) {
    if (strlen(value) > LONGEST_TEXT)
        return status_set(status, STATUS_USAGE, "%s: %s is longer than %d characters.", where, key->name,
                          LONGEST_TEXT);
    const char *found = config_check_lines(value);
    if (found) return status_set(status, STATUS_USAGE, "%s: %s holds %s.", where, key->name, found);
    return STATUS_OK;
}

static StatusCode check_value(const ConfigKey *key, const char *value, const char *where, Status *status) {
    switch (key->type) {
    case CONFIG_INT:
    case CONFIG_REAL:
        return check_number(key, value, where, status);
    case CONFIG_CHOICE:
        if (is_choice(key->choices, value)) return STATUS_OK;
        return status_set(status, STATUS_USAGE, "%s: %s = %s isn't one of %s.", where, key->name, value,
                          key->choices);
    case CONFIG_TEXT:
        return check_text(key, value, where, status);
    }
    return STATUS_OK;
}

/* A copy without blanks at its ends, which a file couldn't keep. */
static char *trimmed(const char *value) {
    value += strspn(value, " \t");
    char *copy = mem_text(value);
    for (size_t length = strlen(copy); length > 0 && strchr(" \t", copy[length - 1]); length--)
        copy[length - 1] = 0;
    return copy;
}

StatusCode config_set_value(Config *config, const char *name, const char *value, const char *where,
                            Status *status) {
    const int i = find_key(config, name);
    if (i < 0) return refuse_key(config, name, where, status);
    char *copy = trimmed(value);
    if (check_value(config->keys[i], copy, where, status)) {
        mem_free(copy);
        return status->code;
    }
    mem_free(config->values[i]);
    config->values[i] = copy;
    note_former(config, name, where);
    return STATUS_OK;
}

StatusCode config_set(Config *config, const char *assignment, const char *where, Status *status) {
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment)
        return status_set(status, STATUS_USAGE, "%s: %s isn't section.key=value, such as run.seed=7.", where,
                          assignment);
    char *name = mem_text(assignment);
    name[equals - assignment] = 0;
    config_set_value(config, name, equals + 1, where, status);
    mem_free(name);
    return status->code;
}

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

/* How much of a line stands before its comment, which inih cuts off only where a key is. */
static size_t comment_begin(const char *value) {
    for (const char *at = value; *at; at++)
        if (*at == ';' && (at == value || isspace((unsigned char)at[-1]))) return (size_t)(at - value);
    return strlen(value);
}

/* A value and the line that goes on with it: a blank comes between them, or nothing in place of a backslash
 * at the value's end. */
static char *join(const char *value, const char *line) {
    const size_t length = strlen(value), size = length + strlen(line) + 2;
    const bool whole = length > 0 && value[length - 1] == '\\';
    char *joined = mem_new(size, 1);
    snprintf(joined, size, "%.*s%s%.*s", (int)length - whole, value, whole ? "" : " ",
             (int)comment_begin(line), line);
    return joined;
}

static int take_value(void *context, const char *section, const char *key, const char *value) {
    Reading *reading = context;
    char name[256], where[1024];
    snprintf(name, sizeof name, "%s.%s", section, key);
    snprintf(where, sizeof where, "%.900s:%d", reading->path, reading->line);
    const int i = find_key(reading->config, name);
    char *joined = NULL;
    if (i >= 0 && reading->seen[i] && !reading->continues)
        status_set(reading->status, STATUS_USAGE, "%s: %s is set twice.", where, name);
    if (i >= 0 && reading->seen[i]) joined = join(reading->config->values[i], value);
    if (!reading->status->code)
        config_set_value(reading->config, name, joined ? joined : value, where, reading->status);
    if (i >= 0) reading->seen[i] = true;
    mem_free(joined);
    if (reading->status->code && !reading->refused) reading->refused = reading->line;
    return reading->status->code == STATUS_OK;
}

StatusCode config_read_file(Config *config, const char *path, Status *status) {
    const char *reason;
    FILE *file = regular_file_open(path, &reason);
    if (!file)
        return status_set(status, STATUS_USAGE, "The configuration %s can't be read: %s.", path, reason);
    Reading reading = {config, path, status, file, .seen = mem_new((size_t)config->count, sizeof(bool))};
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

static const char *get(const Config *config, const char *name, bool is_text, bool is_int) {
    const int i = find_key(config, name);
    if (i < 0) fatal("config: there is no key %s", name);
    ConfigType type = config->keys[i]->type;
    bool right =
        is_text ? type == CONFIG_CHOICE || type == CONFIG_TEXT : type == (is_int ? CONFIG_INT : CONFIG_REAL);
    if (!right) fatal("config: %s is asked for as another type", name);
    return config->values[i];
}

int64_t config_int(const Config *config, const char *name) {
    return (int64_t)strtod(get(config, name, false, true), NULL);
}

double config_real(const Config *config, const char *name) {
    return strtod(get(config, name, false, false), NULL);
}

const char *config_text(const Config *config, const char *name) {
    return get(config, name, true, false);
}

/* The number of a choice among "a|b|c". */
static int choice_number(const char *choices, const char *value) {
    const size_t length = strlen(value);
    int number = 0;
    for (const char *at = choices; strncmp(at, value, length) || strcspn(at, "|") != length; number++) {
        at += strcspn(at, "|");
        if (!*at++) fatal("config: %s isn't one of %s", value, choices);
    }
    return number;
}

static void fill(const Config *config, const ConfigKey *key, void *variable) {
    switch (key->type) {
    case CONFIG_INT:
        *(int64_t *)variable = config_int(config, key->name);
        break;
    case CONFIG_REAL:
        *(double *)variable = config_real(config, key->name);
        break;
    case CONFIG_CHOICE:
        *(int *)variable = choice_number(key->choices, config_text(config, key->name));
        break;
    case CONFIG_TEXT:
        *(const char **)variable = config_text(config, key->name);
        break;
    }
}

void config_fill(const Config *config, const ConfigTable *table, void *options) {
    for (int i = 0; i < table->count; i++)
        fill(config, &table->keys[i], (char *)options + table->keys[i].offset);
}

const char *config_value(const Config *config, const char *name) {
    const int i = find_key(config, name);
    if (i < 0) fatal("config: there is no key %s", name);
    return config->values[i];
}

void config_describe_range(const ConfigKey *key, char *text, size_t size) {
    text[0] = 0;
    if (key->type == CONFIG_CHOICE) snprintf(text, size, "%s", key->choices);
    if (key->type == CONFIG_INT || key->type == CONFIG_REAL)
        snprintf(text, size, "%s%s%.10g to %.10g%s%s", key->choices, *key->choices ? " or " : "", key->min,
                 key->max, *key->unit ? " " : "", key->unit);
}

const ConfigKey *config_difference(const Config *a, const Config *b) {
    for (int i = 0; i < a->count; i++) {
        const ConfigKey *key = a->keys[i];
        if (!key->shapes_model) continue;
        bool number = key->type == CONFIG_INT || key->type == CONFIG_REAL;
        bool same = number ? strtod(a->values[i], NULL) == strtod(b->values[i], NULL)
                           : !strcmp(a->values[i], b->values[i]);
        if (!same) return key;
    }
    return NULL;
}
