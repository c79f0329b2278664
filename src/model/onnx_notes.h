/* What an exported ONNX model says about itself. */
#ifndef PARDIGITS_MODEL_ONNX_NOTES_H
#define PARDIGITS_MODEL_ONNX_NOTES_H

#include "model/model.h"
#include "model/onnx.h"

/* Notes family, digest and classes, and that images go through run.preprocess first: in the file, and in the
 * log where that isn't `none`. */
void onnx_note_model(OnnxModel *onnx, const Model *model, const Context *context, const char *path,
                     Status *status);

#endif
