/* A pair of compressed IDX files. The input is that of fuzz_idx with a byte before it, whose bits say what
 * becomes of each file: compressed here, or taken as a .gz itself; cut at its end. */
#include "fuzz/fuzz.h"

#include "core/mem.h"
#include "data/idx_parts.h"

#include <zlib.h>

enum { RAW = 1, CUT = 2, BITS = 2 };

/* A .gz of the bytes. */
static char *write_compressed(const char *name, const uint8_t *data, size_t size, int cut) {
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)size};
    const int gzip_window = 15 + 16;
    fuzz_require(deflateInit2(&stream, 1, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) == Z_OK,
                 "zlib begins");
    const uLong room = deflateBound(&stream, size);
    uint8_t *packed = mem_new(room, 1);
    stream.next_out = packed;
    stream.avail_out = (uInt)room;
    deflate(&stream, Z_FINISH);
    const size_t bytes = stream.total_out - (cut ? stream.total_out % 16 : 0);
    deflateEnd(&stream);
    char *path = fuzz_write(name, packed, bytes);
    mem_free(packed);
    return path;
}

static void write_file(const char *name, const uint8_t *data, size_t size, int how) {
    char *path = how & RAW ? fuzz_write(name, data, size) : write_compressed(name, data, size, how & CUT);
    mem_free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    Status status = {0};
    DatasetParts parts;
    const IdxOptions options = {.labels_from = -1};
    const size_t rest = size - 2, labels = data[1] * 4u < rest ? data[1] * 4u : rest;
    write_file("train-labels-idx1-ubyte.gz", data + 2, labels, data[0]);
    write_file("train-images-idx3-ubyte.gz", data + 2 + labels, rest - labels, data[0] >> BITS);
    char *base = fuzz_path("");
    idx_parts_read(base, &options, &parts, &status);
    fuzz_check_status(&status);
    dataset_parts_free(&parts);
    mem_free(base);
    return 0;
}
