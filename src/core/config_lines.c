#include "core/config_lines.h"

#include "core/mem.h"

#include <ctype.h>
#include <stdbool.h>
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

/* A line is cut at a blank or, where there is none, behind a backslash, which reading takes away. */
void config_write_lines(FILE *file, const char *value) {
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

/* How much of a line stands before its comment, which inih cuts off only where a key is. */
static size_t comment_begin(const char *value) {
    for (const char *at = value; *at; at++)
        if (*at == ';' && (at == value || isspace((unsigned char)at[-1]))) return (size_t)(at - value);
    return strlen(value);
}

char *config_join_lines(const char *value, const char *line) {
    const size_t length = strlen(value), size = length + strlen(line) + 2;
    const bool whole = length > 0 && value[length - 1] == '\\';
    char *joined = mem_new(size, 1);
    snprintf(joined, size, "%.*s%s%.*s", (int)length - whole, value, whole ? "" : " ",
             (int)comment_begin(line), line);
    return joined;
}
