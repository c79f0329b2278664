/* Building an ONNX model: a graph of nodes over named tensors (https://onnx.ai), serialised by protobuf-c
 * from onnx.proto. Names and values are copied. Nothing here is collective. */
#ifndef PARDIGITS_MODEL_ONNX_H
#define PARDIGITS_MODEL_ONNX_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct OnnxModel OnnxModel;
typedef struct OnnxNode OnnxNode; /* belongs to its model */

/* Of a tensor; a negative dimension is that of the images, "N". */
enum { ONNX_MOST_DIMS = 4 };
typedef struct {
    int rank;
    int64_t dims[ONNX_MOST_DIMS];
} OnnxShape;

typedef enum { ONNX_FLOAT, ONNX_INT64 } OnnxType;

/* Empty, of this operator set of ONNX itself; destroyed by onnx_destroy. */
OnnxModel *onnx_create(int opset);
void onnx_destroy(OnnxModel **model);

/* Also takes operators of a domain such as ai.onnx.ml. */
void onnx_use_domain(OnnxModel *model, const char *domain, int version);

/* Text for whoever loads the model. */
void onnx_note(OnnxModel *model, const char *key, const char *value);

/* The graph's own inputs and outputs. onnx_input does nothing, and returns false, if there is one of that
 * name already. */
bool onnx_input(OnnxModel *model, const char *name, OnnxShape shape);
void onnx_output(OnnxModel *model, const char *name, OnnxType type, OnnxShape shape);

/* A constant tensor: values of the shape, row by row. */
void onnx_constant(OnnxModel *model, const char *name, OnnxShape shape, const float *values);

/* A constant list of integers, such as the shape that a Reshape takes; negative ones stay what they are. */
void onnx_constant_ints(OnnxModel *model, const char *name, const int64_t *values, int64_t n);

/* A node in the order of computation; inputs end with NULL. */
OnnxNode *onnx_node(OnnxModel *model, const char *operator, const char * const * inputs, const char *output);
void onnx_node_domain(OnnxNode *node, const char *domain);
void onnx_node_output(OnnxNode *node, const char *output); /* another one */
void onnx_set_int(OnnxNode *node, const char *name, int64_t value);
void onnx_set_ints(OnnxNode *node, const char *name, const int64_t *values, int64_t n);
void onnx_set_real(OnnxNode *node, const char *name, float value);
void onnx_set_reals(OnnxNode *node, const char *name, const float *values, int64_t n);
void onnx_set_text(OnnxNode *node, const char *name, const char *value);

/* Writes the file, whole or not at all. */
StatusCode onnx_write(const OnnxModel *model, const char *path, Status *status);

#endif
