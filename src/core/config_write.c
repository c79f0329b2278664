/* A configuration as an .ini file. */
#include "core/config.h"
#include "core/config_lines.h"

#include <ctype.h>
#include <string.h>

enum { WIDTH = 100, LONGEST_RUN = 64 };

/* Whether what stands there can begin a line: neither a blank, which reading skips, nor a comment, nor the
 * middle of a character in UTF-8. */
static bool can_begin(char c) {
    return c && !strchr(" ;#", c) && ((unsigned char)c & 0xc0) != 0x80;
}

/* Whether a line can end at a blank: one that stands alone, which reading puts back. */
static bool is_fold(const char *value, size_t at) {
    return value[at] == ' ' && value[at - 1] != ' ' && value[at - 1] != '\\' && can_begin(value[at + 1]);
}

const char *config_check_lines(const char *value) {
    int run = 0;
    for (const char *at = value; *at; at++) {
        run = can_begin(*at) ? 0 : run + 1;
        if (iscntrl((unsigned char)*at)) return "a control character";
        if (*at == ';' && (at == value || at[-1] == ' '))
            return "a ; at its start or behind a blank, which begins a comment in a file";
        if (run > LONGEST_RUN) return "too many blanks, ; or # in a row for a line of a file";
    }
    return NULL;
}

/* A value and a line end; a long one goes on in lines that begin with blanks. It is cut at a blank or, where
 * there is none, behind a backslash, which reading takes away. */
static void write_folded(FILE *file, const char *value) {
    while (strlen(value) > WIDTH) {
        size_t cut = WIDTH;
        while (cut > 0 && !is_fold(value, cut))
            cut--;
        const bool at_blank = cut > 0;
        for (cut = at_blank ? cut : WIDTH; !at_blank && cut > 0 && !can_begin(value[cut]); cut--) {
        }
        if (cut == 0) break; /* a hundred blanks or the like: the line stays long */
        fprintf(file, "%.*s%s\n    ", (int)cut, value, at_blank ? "" : "\\");
        value += cut + at_blank;
    }
    fprintf(file, "%s\n", value);
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
        write_folded(file, config_value(config, key->name));
    }
}
