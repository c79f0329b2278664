#include "core/utf8.h"

#include "core/mem.h"

#include <stdint.h>
#include <string.h>

/* Bytes of the character that begins here; 0 if it isn't valid (too long a form, a surrogate, beyond
 * U+10FFFF). */
static int character_bytes(const unsigned char *at) {
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
    return code < least[bytes] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : bytes;
}

char *utf8_copy(const char *text) {
    static const char unknown[] = "\xef\xbf\xbd";
    char *copy = mem_new(3 * strlen(text) + 1, 1), *out = copy;
    while (*text) {
        const int bytes = character_bytes((const unsigned char *)text);
        memcpy(out, bytes ? text : unknown, bytes ? (size_t)bytes : 3);
        out += bytes ? bytes : 3;
        text += bytes ? bytes : 1;
    }
    return copy;
}

bool utf8_is_valid(const char *text) {
    int bytes;
    while (*text && (bytes = character_bytes((const unsigned char *)text)))
        text += bytes;
    return !*text;
}

char *utf8_from_latin1(const char *text) {
    char *copy = mem_new(2 * strlen(text) + 1, 1), *out = copy;
    while (*text) {
        const unsigned char byte = (unsigned char)*text;
        int bytes = character_bytes((const unsigned char *)text);
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
        const int bytes = character_bytes((const unsigned char *)text);
        text += bytes ? bytes : 1;
    }
    return length;
}
