#include "data/picture.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_PIXELS = 100000000 }; /* takes up to 1 GB to decode */

/* Replaces *pix by the result of a conversion, which is NULL if the conversion failed. */
static void replace(PIX **pix, PIX *converted) {
    pixDestroy(pix);
    *pix = converted;
}

/* Refuses, before anything is decoded, what isn't a picture of a size that one can work with, or not in one
 * of the common formats where these alone are wanted. */
static StatusCode check_file(const char *path, bool common, int *format, Status *status) {
    struct stat info;
    if (stat(path, &info) || access(path, R_OK))
        return status_set(status, STATUS_FAILED, "%s can't be read: %s.", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return status_set(status, STATUS_FAILED, "%s isn't a file; name a PNG, JPEG or PNM picture.", path);
    const bool known = findFileFormat(path, format) == 0 && *format != IFF_UNKNOWN;
    if (!known || (common && *format != IFF_PNG && *format != IFF_JFIF_JPEG && *format != IFF_PNM))
        return status_set(status, STATUS_FAILED, "%s isn't a %s picture; save it as one of these.", path,
                          common ? "PNG, JPEG or PNM" : "PNG, JPEG, PNM, TIFF, WebP, GIF or BMP");
    l_int32 width, height;
    if (pixReadHeader(path, NULL, &width, &height, NULL, NULL, NULL) || width <= 0 || height <= 0)
        return status_set(status, STATUS_FAILED, "%s is damaged: its header can't be read.", path);
    if ((int64_t)width * height > MAX_PIXELS)
        return status_set(status, STATUS_FAILED,
                          "%s has %" PRId32 " x %" PRId32 " pixels, more than %d million; scale it down.",
                          path, width, height, MAX_PIXELS / 1000000);
    return STATUS_OK;
}

static double variance_of(PIX *grey) {
    l_float32 variance = 0;
    pixGetAverageMasked(grey, NULL, 0, 0, 1, L_VARIANCE, &variance);
    return variance;
}

/* Grey from colour: as the eye sees it, unless the digit differs from its ground in colour more than in
 * brightness; then the channel in which it shows best. */
static PIX *grey_of_colour(PIX *colour) {
    PIX *grey = pixConvertRGBToLuminance(colour);
    double shows = 4 * variance_of(grey);
    for (int channel = COLOR_RED; channel <= COLOR_BLUE; channel++) {
        PIX *single = pixGetRGBComponent(colour, channel);
        double variance = variance_of(single);
        if (variance > shows) {
            shows = variance;
            replace(&grey, single);
        } else
            pixDestroy(&single);
    }
    return grey;
}

/* Shuts standard error and gives what stderr_reopen needs. libpng and libjpeg print lines of their own there,
 * and leptonica has no way to stop them. */
static int stderr_shut(void) {
    fflush(stderr);
    int kept = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY);
    if (kept >= 0 && nowhere >= 0) dup2(nowhere, STDERR_FILENO);
    if (nowhere >= 0) close(nowhere);
    return kept;
}

static void stderr_reopen(int kept) {
    fflush(stderr);
    if (kept < 0) return;
    dup2(kept, STDERR_FILENO);
    close(kept);
}

static PIX *decode(const char *path, bool common, Status *status) {
    int format;
    if (check_file(path, common, &format, status)) return NULL;
    PIX *pix = format == IFF_JFIF_JPEG ? pixReadJpeg(path, 0, 1, NULL, 0) : pixRead(path);
    if (!pix) status_set(status, STATUS_FAILED, "%s is damaged or truncated: it can't be decoded.", path);
    return pix;
}

/* As grey of 8 bits; colour goes through to_grey. */
static StatusCode read_grey(const char *path, bool common, PIX *(*to_grey)(PIX *), PIX **grey,
                            Status *status) {
    setMsgSeverity(L_SEVERITY_NONE); /* leptonica would print lines of its own */
    int kept = stderr_shut();
    PIX *pix = decode(path, common, status);
    stderr_reopen(kept);
    if (!pix) return status->code;
    if (pixGetColormap(pix)) replace(&pix, pixRemoveColormap(pix, REMOVE_CMAP_BASED_ON_SRC));
    if (pix && pixGetSpp(pix) == 4) replace(&pix, pixAlphaBlendUniform(pix, 0xffffff00));
    if (pix && pixGetDepth(pix) == 32)
        replace(&pix, to_grey(pix));
    else if (pix)
        replace(&pix, pixConvertTo8(pix, FALSE));
    if (!pix) return status_set(status, STATUS_FAILED, "%s can't be converted to grey.", path);
    *grey = pix;
    return STATUS_OK;
}

StatusCode picture_read(const char *path, PIX **grey, Status *status) {
    return read_grey(path, true, grey_of_colour, grey, status);
}

StatusCode picture_read_luminance(const char *path, PIX **grey, Status *status) {
    return read_grey(path, false, pixConvertRGBToLuminance, grey, status);
}
