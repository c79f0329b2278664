#include "core/fingerprint.h"

#include "core/cpu.h"

#include <math.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>

static void add_executable(SHA2_CTX *sha) {
    FILE *self = fopen("/proc/self/exe", "rb");
    if (!self) return;
    unsigned char block[65536];
    for (size_t n; (n = fread(block, 1, sizeof block, self)) > 0;)
        SHA256Update(sha, block, n);
    fclose(self);
}

static void add_mathematics(SHA2_CTX *sha) {
    for (volatile double x = 0.1; x < 3; x += 0.37) {
        double results[] = {sin(x), cos(x), exp(x), log(x), sqrt(x)};
        SHA256Update(sha, (const unsigned char *)results, sizeof results);
    }
}

/* Sums on matrix tiles have other bits than those without. */
static void add_processor(SHA2_CTX *sha) {
    const unsigned char tiles = cpu_tiles_granted();
    SHA256Update(sha, &tiles, 1);
}

void fingerprint_hex(char hex[65]) {
    SHA2_CTX sha;
    SHA256Init(&sha);
    add_executable(&sha);
    add_mathematics(&sha);
    add_processor(&sha);
    SHA256End(&sha, hex);
}
