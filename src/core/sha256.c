#include "core/sha256.h"

#include <stdio.h>

void sha256_begin(Sha256 *hash) {
    SHA256_Init(hash);
}

void sha256_add(Sha256 *hash, const void *bytes, size_t count) {
    SHA256_Update(hash, bytes, count);
}

void sha256_end_bytes(Sha256 *hash, unsigned char *digest) {
    SHA256_Final(digest, hash);
}

void sha256_end(Sha256 *hash, char hex[65]) {
    unsigned char digest[SHA256_BYTES];
    sha256_end_bytes(hash, digest);
    for (int i = 0; i < SHA256_BYTES; i++)
        snprintf(hex + 2 * (size_t)i, 3, "%02x", digest[i]);
}
