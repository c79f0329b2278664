/* SHA-256 (FIPS 180-4), by OpenSSL's libcrypto, which uses the processor's own instructions where it has
 * them. */
#ifndef PARDIGITS_CORE_SHA256_H
#define PARDIGITS_CORE_SHA256_H

#define OPENSSL_API_COMPAT 0x10100000L /* these functions hold no memory of their own; EVP's would */
#include <openssl/sha.h>
#include <stddef.h>

/* A hash in progress. */
typedef SHA256_CTX Sha256;

enum { SHA256_BYTES = SHA256_DIGEST_LENGTH };

void sha256_begin(Sha256 *hash);
void sha256_add(Sha256 *hash, const void *bytes, size_t count);

/* digest[SHA256_BYTES] */
void sha256_end_bytes(Sha256 *hash, unsigned char *digest);

/* hex[65]: 64 hexadecimal digits. */
void sha256_end(Sha256 *hash, char hex[65]);

#endif
