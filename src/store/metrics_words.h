/* Columns of words in tables of metrics. Private to the metrics. */
#ifndef PARDIGITS_STORE_METRICS_WORDS_H
#define PARDIGITS_STORE_METRICS_WORDS_H

#include "store/h5internal.h"
#include "store/metrics.h"

/* The place of a word, which is added if it isn't there; -1: there is no room. */
int metrics_words_place(MetricsWords *words, const char *word);

/* The type of a word in a file: METRICS_WORD_BYTES, filled up with zeros. Closed by the caller. */
hid_t metrics_words_type(void);

#endif
