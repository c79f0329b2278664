#include "model/onnx.h"

#include "core/mem.h"
#include "store/atomic_file.h"

#include <onnx.pb-c.h>
#include <stdio.h>
#include <string.h>

/* Messages, arrays and texts lie in memory of mem_new, which protobuf-c frees as its own. */
struct OnnxModel {
    Onnx__ModelProto proto;
};

struct OnnxNode {
    Onnx__NodeProto proto;
};

enum { IR_VERSION = 6 };

static const int32_t data_types[] = {
    [ONNX_FLOAT] = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, [ONNX_INT64] = ONNX__TENSOR_PROTO__DATA_TYPE__INT64};

/* Appends to an array of pointers, of whatever type: array_pointer is its address, and the pointers are
 * copied as bytes. */
static void append(void *array_pointer, size_t *count, void *item) {
    char *array;
    memcpy(&array, array_pointer, sizeof array);
    array = mem_grow(array, *count, sizeof item);
    memcpy(array + (*count)++ * sizeof item, &item, sizeof item);
    memcpy(array_pointer, &array, sizeof array);
}

void onnx_use_domain(OnnxModel *model, const char *domain, int version) {
    Onnx__OperatorSetIdProto *set = mem_new(1, sizeof *set);
    onnx__operator_set_id_proto__init(set);
    set->domain = mem_text(domain);
    set->has_version = 1;
    set->version = version;
    append(&model->proto.opset_import, &model->proto.n_opset_import, set);
}

OnnxModel *onnx_create(int opset) {
    OnnxModel *model = mem_new(1, sizeof *model);
    onnx__model_proto__init(&model->proto);
    model->proto.has_ir_version = 1;
    model->proto.ir_version = IR_VERSION;
    model->proto.producer_name = mem_text("pardigits");
    model->proto.graph = mem_new(1, sizeof *model->proto.graph);
    onnx__graph_proto__init(model->proto.graph);
    model->proto.graph->name = mem_text("pardigits");
    onnx_use_domain(model, "", opset);
    return model;
}

void onnx_destroy(OnnxModel **model) {
    if (*model)
        onnx__model_proto__free_unpacked(&(*model)->proto, NULL); /* and *model, whose first member it is */
    *model = NULL;
}

void onnx_note(OnnxModel *model, const char *key, const char *value) {
    Onnx__StringStringEntryProto *entry = mem_new(1, sizeof *entry);
    onnx__string_string_entry_proto__init(entry);
    entry->key = mem_text(key);
    entry->value = mem_text(value);
    append(&model->proto.metadata_props, &model->proto.n_metadata_props, entry);
}

static Onnx__TensorShapeProto__Dimension *new_dimension(int64_t size) {
    Onnx__TensorShapeProto__Dimension *dimension = mem_new(1, sizeof *dimension);
    onnx__tensor_shape_proto__dimension__init(dimension);
    if (size < 0) {
        dimension->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
        dimension->dim_param = mem_text("N");
    } else {
        dimension->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        dimension->dim_value = size;
    }
    return dimension;
}

static Onnx__ValueInfoProto *new_value(const char *name, OnnxType type, OnnxShape shape) {
    Onnx__ValueInfoProto *value = mem_new(1, sizeof *value);
    Onnx__TypeProto *whole = mem_new(1, sizeof *whole);
    Onnx__TypeProto__Tensor *tensor = mem_new(1, sizeof *tensor);
    Onnx__TensorShapeProto *dims = mem_new(1, sizeof *dims);
    onnx__value_info_proto__init(value);
    onnx__type_proto__init(whole);
    onnx__type_proto__tensor__init(tensor);
    onnx__tensor_shape_proto__init(dims);
    for (int d = 0; d < shape.rank; d++)
        append(&dims->dim, &dims->n_dim, new_dimension(shape.dims[d]));
    tensor->has_elem_type = 1;
    tensor->elem_type = data_types[type];
    tensor->shape = dims;
    whole->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    whole->tensor_type = tensor;
    value->name = mem_text(name);
    value->type = whole;
    return value;
}

bool onnx_input(OnnxModel *model, const char *name, OnnxShape shape) {
    Onnx__GraphProto *graph = model->proto.graph;
    for (size_t i = 0; i < graph->n_input; i++)
        if (!strcmp(graph->input[i]->name, name)) return false;
    append(&graph->input, &graph->n_input, new_value(name, ONNX_FLOAT, shape));
    return true;
}

void onnx_output(OnnxModel *model, const char *name, OnnxType type, OnnxShape shape) {
    append(&model->proto.graph->output, &model->proto.graph->n_output, new_value(name, type, shape));
}

/* Values of `size` bytes each. */
static void add_constant(OnnxModel *model, const char *name, OnnxType type, OnnxShape shape, size_t size,
                         const void *values) {
    Onnx__TensorProto *tensor = mem_new(1, sizeof *tensor);
    onnx__tensor_proto__init(tensor);
    size_t bytes = size;
    for (int d = 0; d < shape.rank; d++)
        bytes *= (size_t)shape.dims[d];
    tensor->n_dims = (size_t)shape.rank;
    tensor->dims = mem_copy(shape.dims, (size_t)shape.rank * sizeof *shape.dims);
    tensor->has_data_type = 1;
    tensor->data_type = data_types[type];
    tensor->has_raw_data = 1; /* little endian, as all machines that this program runs on */
    tensor->raw_data.len = bytes;
    tensor->raw_data.data = mem_copy(values, bytes);
    tensor->name = mem_text(name);
    append(&model->proto.graph->initializer, &model->proto.graph->n_initializer, tensor);
}

void onnx_constant(OnnxModel *model, const char *name, OnnxShape shape, const float *values) {
    add_constant(model, name, ONNX_FLOAT, shape, sizeof *values, values);
}

void onnx_constant_ints(OnnxModel *model, const char *name, const int64_t *values, int64_t n) {
    add_constant(model, name, ONNX_INT64, (OnnxShape){1, {n}}, sizeof *values, values);
}

OnnxNode *onnx_node(OnnxModel *model, const char *operator, const char * const * inputs, const char *output) {
    OnnxNode *node = mem_new(1, sizeof *node);
    onnx__node_proto__init(&node->proto);
    node->proto.op_type = mem_text(operator);
    node->proto.name = mem_text(output);
    for (; *inputs; inputs++)
        append(&node->proto.input, &node->proto.n_input, mem_text(*inputs));
    onnx_node_output(node, output);
    append(&model->proto.graph->node, &model->proto.graph->n_node, node);
    return node;
}

void onnx_node_domain(OnnxNode *node, const char *domain) {
    node->proto.domain = mem_text(domain);
}

void onnx_node_output(OnnxNode *node, const char *output) {
    append(&node->proto.output, &node->proto.n_output, mem_text(output));
}

static Onnx__AttributeProto *add_attribute(OnnxNode *node, const char *name,
                                           Onnx__AttributeProto__AttributeType type) {
    Onnx__AttributeProto *attribute = mem_new(1, sizeof *attribute);
    onnx__attribute_proto__init(attribute);
    attribute->name = mem_text(name);
    attribute->has_type = 1;
    attribute->type = type;
    append(&node->proto.attribute, &node->proto.n_attribute, attribute);
    return attribute;
}

void onnx_set_int(OnnxNode *node, const char *name, int64_t value) {
    Onnx__AttributeProto *attribute = add_attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    attribute->has_i = 1;
    attribute->i = value;
}

void onnx_set_ints(OnnxNode *node, const char *name, const int64_t *values, int64_t n) {
    Onnx__AttributeProto *attribute = add_attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    attribute->n_ints = (size_t)n;
    attribute->ints = mem_copy(values, (size_t)n * sizeof *values);
}

void onnx_set_real(OnnxNode *node, const char *name, float value) {
    Onnx__AttributeProto *attribute = add_attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    attribute->has_f = 1;
    attribute->f = value;
}

void onnx_set_reals(OnnxNode *node, const char *name, const float *values, int64_t n) {
    Onnx__AttributeProto *attribute =
        add_attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS);
    attribute->n_floats = (size_t)n;
    attribute->floats = mem_copy(values, (size_t)n * sizeof *values);
}

void onnx_set_text(OnnxNode *node, const char *name, const char *value) {
    Onnx__AttributeProto *attribute =
        add_attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
    attribute->has_s = 1;
    attribute->s.len = strlen(value);
    attribute->s.data = (uint8_t *)mem_text(value);
}

typedef struct {
    uint8_t *bytes; /* [count] */
    size_t count;
} Packed;

static void write_packed(FILE *file, const void *context) {
    const Packed *packed = context;
    fwrite(packed->bytes, 1, packed->count, file);
}

StatusCode onnx_write(const OnnxModel *model, const char *path, Status *status) {
    Packed packed = {.count = onnx__model_proto__get_packed_size(&model->proto)};
    if (packed.count > INT32_MAX)
        return status_set(status, STATUS_FAILED,
                          "%s would have %zu MiB, and an ONNX file can't be larger than 2048.", path,
                          packed.count >> 20);
    packed.bytes = mem_new(packed.count, 1);
    onnx__model_proto__pack(&model->proto, packed.bytes);
    atomic_file_write(path, write_packed, &packed, status);
    mem_free(packed.bytes);
    return status->code;
}
