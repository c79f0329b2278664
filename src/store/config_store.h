/* The resolved configuration in a model or metrics file: a group /config/SECTION with one attribute a key.
 * The attribute WORK_KEYS of /config lists the keys that don't shape the model, separated by spaces. The
 * digest omits these, whatever the table of a later program says. */
#ifndef PARDIGITS_STORE_CONFIG_STORE_H
#define PARDIGITS_STORE_CONFIG_STORE_H

#include "core/config.h"
#include "store/h5io.h"

#define WORK_KEYS "work_keys"

/* Writes all keys. A failure is left in status. */
void config_store_write(H5File *file, const Config *config, Status *status);

/* Reads them. *config is destroyed by the caller; NULL after a failure. */
StatusCode config_store_read(const H5File *file, const ConfigTables *tables, Config **config, Status *status);

#endif
