/* A picture of any format behind a byte that says whether it is of one digit: where it is small it is
 * decoded, and its digits are found. */
#include "fuzz/fuzz.h"

#include "core/mem.h"
#include "data/digitize.h"
#include "data/picture.h"

#include <tiffio.h>

enum { MAX_PIXELS = 1 << 16, MAX_PAGES = 4 }; /* so that many inputs are tried */

/* A sanitizer's report must be seen, so standard error stays open. */
static void silence_decoders(void) {
    digitize_unsilence(digitize_silence());
    TIFFSetErrorHandler(NULL);
    TIFFSetWarningHandler(NULL);
}

static bool is_small(const char *path, Status *status) {
    PictureFile *file = picture_open(path, status);
    const bool small = file && picture_pixels(file) <= MAX_PIXELS && picture_pages(file) <= MAX_PAGES;
    picture_close(&file);
    return small;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    Status status = {0};
    FoundDigits found = {.spec = {28, 28, 10, 0, false}};
    silence_decoders();
    char *path = fuzz_write("picture", data + 1, size - 1);
    if (is_small(path, &status)) {
        UnreadPages unread = {0};
        const int pages = digitize_pages(path, 0, data[0] % 2, &found, &unread);
        fuzz_require(pages > 0 || unread.count == 1, "a picture has pages, or it is told why it has none");
        mem_free(unread.pages);
        for (int64_t i = 0; i < found.count; i++)
            fuzz_require(found.digits[i].page >= 0 && found.digits[i].page < pages &&
                             found.digits[i].width > 0 && found.digits[i].height > 0,
                         "a digit has a page and a size");
    }
    fuzz_check_status(&status);
    found_digits_free(&found);
    mem_free(path);
    return 0;
}
