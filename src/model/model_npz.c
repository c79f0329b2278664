#include "model/model_npz.h"

#include "store/h5npz.h"

StatusCode model_npz_write(const Model *model, const Context *context, const char *path, Status *status) {
    static const char *const parts[] = {"/config", "/images", "/model", "/trained_on"};
    (void)context;
    NpzFile *npz;
    npz_create(&npz, status);
    h5_attributes_to_npz(model->file, "/", npz, status);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (h5_exists(model->file, parts[i])) h5_group_to_npz(model->file, parts[i], npz, status);
    return npz_write(&npz, path, status);
}
