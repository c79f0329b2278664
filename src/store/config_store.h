/* The resolved configuration in a model or metrics file: a group /config/SECTION with an attribute for each
 * key. The keys that don't shape the model are named, separated by spaces, in the attribute WORK_KEYS of
 * /config: the digest leaves them out, also when a later program's table says otherwise. */
#ifndef PARDIGITS_STORE_CONFIG_STORE_H
#define PARDIGITS_STORE_CONFIG_STORE_H

#include "core/config.h"
#include "store/h5io.h"

#define WORK_KEYS "work_keys"

/* Writes all keys; failures go to status. */
void config_store_write(H5File *file, const Config *config, Status *status);

/* Reads them back; *config is destroyed by the caller and NULL after a failure. */
StatusCode config_store_read(const H5File *file, Config **config, Status *status);

#endif
