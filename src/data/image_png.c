#include "data/image_png.h"

#include "core/mem.h"
#include "core/status.h"

#include <allheaders.h>
#include <string.h>

/* leptonica breaks base64 into lines. */
static char *join_lines(const char *base64, l_int32 size) {
    static const char head[] = "data:image/png;base64,";
    char *uri = mem_new(sizeof head + (size_t)size, 1), *end = stpcpy(uri, head);
    for (l_int32 i = 0; i < size; i++)
        if (base64[i] != '\n') *end++ = base64[i];
    return uri;
}

char *image_png_uri(const uint8_t *image, ImageSpec spec) {
    PIX *pix = pixCreate(spec.width, spec.height, 8);
    l_uint8 *png = NULL;
    size_t size = 0;
    l_int32 characters = 0;
    for (int y = 0; pix && y < spec.height; y++)
        for (int x = 0; x < spec.width; x++)
            pixSetPixel(pix, x, y, 255u - image[y * spec.width + x]);
    if (!pix || pixWriteMem(&png, &size, pix, IFF_PNG)) fatal("an image couldn't be encoded as PNG");
    char *base64 = encodeBase64(png, (l_int32)size, &characters);
    if (!base64) fatal("an image couldn't be encoded as base64");
    char *uri = join_lines(base64, characters);
    lept_free(base64);
    lept_free(png);
    pixDestroy(&pix);
    return uri;
}
