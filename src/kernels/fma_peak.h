/* What one core can do at most. */
#ifndef PARDIGITS_KERNELS_FMA_PEAK_H
#define PARDIGITS_KERNELS_FMA_PEAK_H

/* Floating-point operations a second (a multiply-add is two) of a loop of multiply-adds between registers
 * alone, with this build's widest vectors: the most that any kernel could reach. Takes about 0.1 s. */
double fma_peak_flops(void);

#endif
