/* A hash of the program and its arithmetic. It must be equal on all ranks; otherwise their results could
 * differ in the last bits. */
#ifndef PARDIGITS_CORE_FINGERPRINT_H
#define PARDIGITS_CORE_FINGERPRINT_H

/* SHA-256 of the running executable, of sample results of the C library's math functions (which choose their
 * code by processor), and of whether matrix tiles are granted. hex[65]. Found once; not for several threads.
 */
void fingerprint_hex(char hex[65]);

#endif
