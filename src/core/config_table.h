/* How a table of keys is written: a line a key, bound to the variable of the same name in OPTIONS, which the
 * file defines before it includes this. */
#ifndef PARDIGITS_CORE_CONFIG_TABLE_H
#define PARDIGITS_CORE_CONFIG_TABLE_H

#include "core/config.h"

#define INT(section, name, initial, min, max, unit, help)                                                    \
    { section "." #name, CONFIG_INT, initial, min, max, "", unit, help, true, offsetof(OPTIONS, name) }
/* The word stands for 0. */
#define INT_OR(word, section, name, initial, min, max, unit, help)                                           \
    { section "." #name, CONFIG_INT, initial, min, max, word, unit, help, true, offsetof(OPTIONS, name) }
#define REAL(section, name, initial, min, max, unit, help)                                                   \
    { section "." #name, CONFIG_REAL, initial, min, max, "", unit, help, true, offsetof(OPTIONS, name) }
#define CHOICE(section, name, initial, choices, help)                                                        \
    { section "." #name, CONFIG_CHOICE, initial, 0, 0, choices, "", help, true, offsetof(OPTIONS, name) }
#define TEXT(section, name, initial, help)                                                                   \
    { section "." #name, CONFIG_TEXT, initial, 0, 0, "", "", help, true, offsetof(OPTIONS, name) }

/* A key whose value doesn't change the trained model. */
#define WORK_INT(section, name, initial, min, max, unit, help)                                               \
    { section "." #name, CONFIG_INT, initial, min, max, "", unit, help, false, offsetof(OPTIONS, name) }
#define WORK_INT_OR(word, section, name, initial, min, max, unit, help)                                      \
    { section "." #name, CONFIG_INT, initial, min, max, word, unit, help, false, offsetof(OPTIONS, name) }
#define WORK_CHOICE(section, name, initial, choices, help)                                                   \
    { section "." #name, CONFIG_CHOICE, initial, 0, 0, choices, "", help, false, offsetof(OPTIONS, name) }

#define WORK_TEXT(section, name, initial, help)                                                              \
    { section "." #name, CONFIG_TEXT, initial, 0, 0, "", "", help, false, offsetof(OPTIONS, name) }

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof *(array)))

#endif
