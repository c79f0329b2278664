#include "core/sha256.h"

#include <string.h>

void sha256_begin(Sha256 *hash) {
    SHA256Init(hash);
}

void sha256_end(Sha256 *hash, char hex[65]) {
    SHA256End(hash, hex);
}

#ifdef __SHA__
#include <immintrin.h>

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* The words t + 16 .. t + 19 of the schedule from the 16 before them. */
static inline __m128i next_words(__m128i w0, __m128i w1, __m128i w2, __m128i w3) {
    const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));
    return _mm_sha256msg2_epu32(sum, w3);
}

/* state [8] after blocks [count][64]. The instructions want its words a..h as abef and cdgh. */
static void add_blocks(uint32_t *state, const uint8_t *bytes, size_t count) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i low = _mm_loadu_si128((const __m128i *)state), high = _mm_loadu_si128((const __m128i *)state + 1);
    low = _mm_shuffle_epi32(low, 0xb1);   /* cdab */
    high = _mm_shuffle_epi32(high, 0x1b); /* efgh */
    __m128i abef = _mm_alignr_epi8(low, high, 8), cdgh = _mm_blend_epi16(high, low, 0xf0);
    for (; count > 0; count--, bytes += 64) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i words[4];
        for (int i = 0; i < 4; i++)
            words[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)bytes + i), big_endian);
        for (int i = 0; i < 16; i++) {
            const __m128i now = words[i % 4];
            const __m128i k = _mm_add_epi32(now, _mm_loadu_si128((const __m128i *)constants + i));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, k);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(k, 0x0e));
            words[i % 4] = next_words(now, words[(i + 1) % 4], words[(i + 2) % 4], words[(i + 3) % 4]);
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    low = _mm_shuffle_epi32(abef, 0x1b);  /* feba */
    high = _mm_shuffle_epi32(cdgh, 0xb1); /* dchg */
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(low, high, 0xf0));
    _mm_storeu_si128((__m128i *)state + 1, _mm_alignr_epi8(high, low, 8));
}

/* Whole blocks go past libmd's buffer; it does the rest, and the padding at the end. */
void sha256_add(Sha256 *hash, const void *data, size_t count) {
    const uint8_t *bytes = data;
    const size_t begun = hash->bitcount[0] / 8 % SHA256_BLOCK_LENGTH;
    const size_t first = begun ? SHA256_BLOCK_LENGTH - begun : 0;
    if (count < first + SHA256_BLOCK_LENGTH) {
        SHA256Update(hash, bytes, count);
        return;
    }
    SHA256Update(hash, bytes, first);
    const size_t blocks = (count - first) / SHA256_BLOCK_LENGTH, whole = blocks * SHA256_BLOCK_LENGTH;
    add_blocks(hash->state.st32, bytes + first, blocks);
    hash->bitcount[0] += whole * 8;
    SHA256Update(hash, bytes + first + whole, count - first - whole);
}

#else

void sha256_add(Sha256 *hash, const void *bytes, size_t count) {
    SHA256Update(hash, bytes, count);
}

#endif
