#include "cnn/layer.h"

#include <errno.h>
#include <stdlib.h>

StatusCode layer_refuse(const LayerText *text, const char *reason) {
    return status_set(text->status, STATUS_USAGE, "cnn.layers: layer '%s': %s.", text->text, reason);
}

StatusCode layer_parse_number(const LayerText *text, const char *digits, const char *what, int min, int max,
                              int *value) {
    char *end;
    errno = 0;
    long number = strtol(digits, &end, 10);
    if (end == digits || *end || errno || number < min || number > max)
        return status_set(text->status, STATUS_USAGE,
                          "cnn.layers: layer '%s': %s is '%s' but must be a whole number from %d to %d.",
                          text->text, what, digits, min, max);
    *value = (int)number;
    return STATUS_OK;
}

enum { MAX_STRIDE = 64 };

StatusCode layer_parse_options(const LayerText *text, int first, int window, int *stride, int *pad) {
    for (int f = first; f < text->field_count; f++) {
        const char *field = text->field[f];
        StatusCode code;
        if (field[0] == 's')
            code = layer_parse_number(text, field + 1, "the stride", 1, MAX_STRIDE, stride);
        else if (field[0] == 'p' && pad)
            code =
                layer_parse_number(text, field + 1, "the padding (less than the kernel)", 0, window - 1, pad);
        else
            code = layer_refuse(
                text, pad ? "after the kernel only sSTRIDE and pPAD are allowed, as in conv:32:5:s2:p2"
                          : "after the window only sSTRIDE is allowed, as in pool:3:s2");
        if (code) return code;
    }
    return STATUS_OK;
}
