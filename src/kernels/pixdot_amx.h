/* Dot products on AMX tiles, for builds whose baseline has them; Linux grants a process their use on demand.
 */
#ifndef PARDIGITS_KERNELS_PIXDOT_AMX_H
#define PARDIGITS_KERNELS_PIXDOT_AMX_H

#include "kernels/pixdot.h"

#include <stdbool.h>

enum {
    AMX_COLUMNS = 64, /* columns that one tile instruction takes: rows are padded to a multiple */
};

#if defined(__AMX_INT8__) && defined(__AVX512VNNI__)

/* Asks the kernel for the tiles, for all threads of the process. */
bool pixdot_amx_allowed(void);

/* As pixdot_rows; a must have lines. */
void pixdot_amx_rows(const PixRows *a, const int64_t *a_rows, int64_t a_count, const PixRows *b,
                     int64_t b_first, int64_t b_count, int32_t *out, int64_t out_stride);

#else

static inline bool pixdot_amx_allowed(void) {
    return false;
}

static inline void pixdot_amx_rows(const PixRows *a, const int64_t *a_rows, int64_t a_count, const PixRows *b,
                                   int64_t b_first, int64_t b_count, int32_t *out, int64_t out_stride) {
    (void)a, (void)a_rows, (void)a_count, (void)b, (void)b_first, (void)b_count, (void)out, (void)out_stride;
}

#endif
#endif
