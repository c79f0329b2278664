#include "core/fingerprint.h"

#include "core/cpu.h"
#include "core/sha256.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void add_executable(Sha256 *sha) {
    FILE *self = fopen("/proc/self/exe", "rb");
    if (!self) return;
    unsigned char block[65536];
    for (size_t n; (n = fread(block, 1, sizeof block, self)) > 0;)
        sha256_add(sha, block, n);
    fclose(self);
}

static void add_mathematics(Sha256 *sha) {
    for (volatile double x = 0.1; x < 3; x += 0.37) {
        double results[] = {sin(x), cos(x), exp(x), log(x), sqrt(x)};
        sha256_add(sha, (const unsigned char *)results, sizeof results);
    }
}

/* Sums on matrix tiles have other bits than those without. */
static void add_processor(Sha256 *sha) {
    const unsigned char tiles = cpu_tiles_granted();
    sha256_add(sha, &tiles, 1);
}

void fingerprint_hex(char hex[65]) {
    static char found[65];
    Sha256 sha;
    if (!*found) {
        sha256_begin(&sha);
        add_executable(&sha);
        add_mathematics(&sha);
        add_processor(&sha);
        sha256_end(&sha, found);
    }
    memcpy(hex, found, sizeof found);
}
