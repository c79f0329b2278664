#define _GNU_SOURCE /* wcwidth */
#include "core/utf8.h"

#include "core/mem.h"

#include <locale.h>
#include <pthread.h>
#include <string.h>
#include <wchar.h>

/* Bytes of the character that begins here; 0 if it isn't valid (too long a form, a surrogate, beyond
 * U+10FFFF). *character is its number. */
static int decode(const unsigned char *at, uint32_t *character) {
    *character = at[0];
    if (at[0] < 0x80) return 1;
    const int bytes = at[0] >= 0xf0 && at[0] < 0xf5   ? 4
                      : at[0] >= 0xe0 && at[0] < 0xf0 ? 3
                      : at[0] >= 0xc2 && at[0] < 0xe0 ? 2
                                                      : 0;
    uint32_t code = at[0] & (0xffu >> (bytes + 1));
    for (int i = 1; i < bytes; i++) {
        if ((at[i] & 0xc0) != 0x80) return 0;
        code = code << 6 | (at[i] & 0x3f);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    *character = code;
    return code < least[bytes] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : bytes;
}

static int character_bytes(const char *at) {
    uint32_t character;
    return decode((const unsigned char *)at, &character);
}

char *utf8_copy(const char *text) {
    static const char unknown[] = "\xef\xbf\xbd";
    char *copy = mem_new(3 * strlen(text) + 1, 1), *out = copy;
    while (*text) {
        const int bytes = character_bytes(text);
        memcpy(out, bytes ? text : unknown, bytes ? (size_t)bytes : 3);
        out += bytes ? bytes : 3;
        text += bytes ? bytes : 1;
    }
    return copy;
}

bool utf8_is_valid(const char *text) {
    int bytes;
    while (*text && (bytes = character_bytes(text)))
        text += bytes;
    return !*text;
}

char *utf8_from_latin1(const char *text) {
    char *copy = mem_new(2 * strlen(text) + 1, 1), *out = copy;
    while (*text) {
        const unsigned char byte = (unsigned char)*text;
        int bytes = character_bytes(text);
        if (bytes) {
            memcpy(out, text, (size_t)bytes);
            out += bytes;
        } else {
            *out++ = (char)(0xc0 | byte >> 6);
            *out++ = (char)(0x80 | (byte & 0x3f));
            bytes = 1;
        }
        text += bytes;
    }
    return copy;
}

int utf8_length(const char *text) {
    int length = 0;
    for (; *text; length++) {
        const int bytes = character_bytes(text);
        text += bytes ? bytes : 1;
    }
    return length;
}

int utf8_points(const char *text, uint32_t *points) {
    int length = 0;
    for (; *text; length++)
        text += decode((const unsigned char *)text, &points[length]);
    return length;
}

static locale_t unicode; /* 0: this system has none */

static void open_unicode(void) {
    unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* The C library knows the widths in a locale of Unicode alone. */
static int character_width(uint32_t character) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (character < 0x80 || pthread_once(&once, open_unicode) || !unicode) return 1;
    const locale_t before = uselocale(unicode);
    const int width = wcwidth((wchar_t)character);
    uselocale(before);
    return width < 0 ? 1 : width;
}

/* Of the character that begins here, which takes *bytes. */
static int width_at(const char *text, int *bytes) {
    uint32_t character;
    const int valid = decode((const unsigned char *)text, &character);
    *bytes = valid ? valid : 1;
    return valid ? character_width(character) : 1;
}

int utf8_width(const char *text) {
    int width = 0;
    for (int bytes; *text; text += bytes)
        width += width_at(text, &bytes);
    return width;
}

int utf8_line_within(const char *line, int columns) {
    const char *at = line;
    for (int bytes, width = 0; *at && *at != '\n'; at += bytes) {
        width += width_at(at, &bytes);
        if (width > columns) break;
    }
    return (int)(at - line);
}
