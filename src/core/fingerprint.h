/* What must be equal on all ranks for their results to be the same bits: the program and its arithmetic. */
#ifndef PARDIGITS_CORE_FINGERPRINT_H
#define PARDIGITS_CORE_FINGERPRINT_H

/* SHA-256 over the running executable and the bits of sample results of the C library's mathematics (which
 * picks its code by the processor), and whether matrix tiles are granted. hex[65]. */
void fingerprint_hex(char hex[65]);

#endif
