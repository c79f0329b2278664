#include "store/image_source.h"

#include "core/mem.h"

#include <stdio.h>
#include <string.h>

static const char images_name[] = "images_sha256", labels_name[] = "labels_sha256";

StatusCode image_source_write(H5File *file, const char *group, const ImageSource *source, Status *status) {
    h5_set_text(file, group, images_name, source->images_sha256, status);
    return h5_set_text(file, group, labels_name, source->labels_sha256, status);
}

static void read_hash(const H5File *file, const char *group, const char *name, char hash[65],
                      Status *status) {
    char *text = NULL;
    if (h5_has_attribute(file, group, name)) h5_get_text(file, group, name, &text, status);
    snprintf(hash, 65, "%s", text ? text : "");
    mem_free(text);
}

StatusCode image_source_read(const H5File *file, const char *group, ImageSource *source, Status *status) {
    read_hash(file, group, images_name, source->images_sha256, status);
    read_hash(file, group, labels_name, source->labels_sha256, status);
    return status->code;
}

static const char from_name[] = "pictures";
static const char *const from_texts[][2] = {
    {"digits", "digits, inverted"}, {"figures", "figures, inverted"}, {"whole", "whole, inverted"}};

StatusCode image_from_write(H5File *file, const char *group, ImageSpec spec, Status *status) {
    if (spec.from != IMAGE_FROM_DIGITS || spec.inverted)
        h5_set_text(file, group, from_name, from_texts[spec.from][spec.inverted], status);
    return status->code;
}

static bool find_from(const char *text, ImageSpec *spec) {
    for (int i = 0; i < 2 * (IMAGE_FROM_WHOLE + 1); i++) {
        spec->from = (ImageFrom)(i / 2);
        spec->inverted = i % 2;
        if (!strcmp(text, from_texts[spec->from][spec->inverted])) return true;
    }
    return false;
}

StatusCode image_from_read(const H5File *file, const char *group, ImageSpec *spec, Status *status) {
    char *text = NULL;
    spec->from = IMAGE_FROM_DIGITS;
    spec->inverted = false;
    if (h5_has_attribute(file, group, from_name)) h5_get_text(file, group, from_name, &text, status);
    if (text && !find_from(text, spec))
        status_set(status, STATUS_FAILED,
                   "%s: the attribute %s of %s is \"%.40s\", expected \"digits\", \"figures\" or \"whole\", "
                   "followed "
                   "by \", inverted\" or nothing.",
                   h5_path(file), from_name, group, text);
    mem_free(text);
    return status->code;
}
