#include "model/onnx_notes.h"

#include "core/mem.h"

#include <stdio.h>
#include <string.h>

/* The classes' names or numbers, one a line. */
static char *list_classes(const Model *model) {
    const size_t size = (size_t)model->spec.classes * (CLASS_NAME_BYTES + 1) + 1;
    char *text = mem_new(size, 1), number[12];
    size_t used = 0;
    for (int c = 0; c < model->spec.classes; c++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", c ? "\n" : "",
                                 class_name(&model->class_names, c, number));
    return text;
}

void onnx_note_model(OnnxModel *onnx, const Model *model, const Context *context, const char *path,
                     Status *status) {
    const char *preprocess = config_text(model->config, "run.preprocess");
    char *digest = NULL, *classes = list_classes(model);
    if (!h5_get_text(model->file, "/", "digest", &digest, status)) onnx_note(onnx, "digest", digest);
    onnx_note(onnx, "family", model->family->name);
    onnx_note(onnx, "classes", classes);
    onnx_note(onnx, "preprocess", preprocess);
    if (strcmp(preprocess, "none"))
        log_line(context->log, "%s takes images that went through run.preprocess = %s, which ONNX can't say",
                 path, preprocess);
    mem_free(classes);
    mem_free(digest);
}
