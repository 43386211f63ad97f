/* Descriptions to codecs. */
#include "codec.h"

#include <structmember.h>

#define SIZE_UNKNOWN UINT32_MAX

static PyObject *compile(PyObject *description);

/* ------------------------------------------------------------------ the object */

static Codec *new_codec(enum Kind kind, Py_ssize_t count)
{
    Codec *codec = PyObject_GC_New(Codec, &Codec_Type);
    if (codec == NULL) {
        return NULL;
    }
    memset((char *)codec + sizeof(PyObject), 0, sizeof(Codec) - sizeof(PyObject));
    codec->kind = kind;
    codec->min_size = SIZE_UNKNOWN;
    if (count > 0) {
        codec->parts = PyMem_Calloc(count, sizeof *codec->parts);
        codec->labels = PyMem_Calloc(count, sizeof *codec->labels);
        codec->slots = PyMem_Calloc(count, sizeof *codec->slots);
        codec->units = PyMem_Calloc(count, sizeof *codec->units);
        if (!codec->parts || !codec->labels || !codec->slots || !codec->units) {
            Py_DECREF(codec);
            PyErr_NoMemory();
            return NULL;
        }
        codec->count = (uint32_t)count;
    }
    PyObject_GC_Track(codec);
    return codec;
}

static int codec_traverse(Codec *codec, visitproc visit, void *arg)
{
    for (uint32_t i = 0; i < codec->count; i++) {
        Py_VISIT(codec->parts[i]);
        Py_VISIT(codec->labels[i]);
        Py_VISIT(codec->units[i]);
    }
    Py_VISIT(codec->class);
    return 0;
}

static int codec_clear(Codec *codec)
{
    for (uint32_t i = 0; i < codec->count; i++) {
        Py_CLEAR(codec->parts[i]);
        Py_CLEAR(codec->labels[i]);
        Py_CLEAR(codec->units[i]);
    }
    Py_CLEAR(codec->class);
    return 0;
}

static void codec_dealloc(Codec *codec)
{
    PyObject_GC_UnTrack(codec);
    codec_clear(codec);
    PyMem_Free(codec->parts);
    PyMem_Free(codec->labels);
    PyMem_Free(codec->slots);
    PyMem_Free(codec->units);
    PyObject_GC_Del(codec);
}

const char *codec_title(const Codec *codec)
{
    switch (codec->kind) {
    case KIND_LIST: return "list";
    case KIND_OPTION: return "option";
    case KIND_PRODUCT: return codec->class ? codec->class->tp_name : "tuple";
    case KIND_ENUM: return "enum";
    case KIND_SUM: return "sum";
    case KIND_UNION: return "union";
    case KIND_FORWARD: return "forward";
    default: return codec->name;
    }
}

static PyObject *codec_repr(Codec *codec)
{
    return PyUnicode_FromFormat("<Codec %s>", codec_title(codec));
}

PyTypeObject Codec_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_spacetime.Codec",
    .tp_basicsize = sizeof(Codec),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = (destructor)codec_dealloc,
    .tp_traverse = (traverseproc)codec_traverse,
    .tp_clear = (inquiry)codec_clear,
    .tp_repr = (reprfunc)codec_repr,
    .tp_doc = "A type, compiled from its description.",
};

/* ------------------------------------------------------------------ scalars */

static const struct {
    const char *name;
    uint8_t kind, width, is_signed;
    uint32_t min_size;
} scalars[] = {
    {"bool", KIND_BOOL, 1, 0, 1},   {"i8", KIND_INT, 1, 1, 1},     {"u8", KIND_INT, 1, 0, 1},
    {"i16", KIND_INT, 2, 1, 2},     {"u16", KIND_INT, 2, 0, 2},    {"i32", KIND_INT, 4, 1, 4},
    {"u32", KIND_INT, 4, 0, 4},     {"i64", KIND_INT, 8, 1, 8},    {"u64", KIND_INT, 8, 0, 8},
    {"i128", KIND_INT, 16, 1, 16},  {"u128", KIND_INT, 16, 0, 16}, {"i256", KIND_INT, 32, 1, 32},
    {"u256", KIND_INT, 32, 0, 32},  {"f32", KIND_F32, 4, 0, 4},    {"f64", KIND_F64, 8, 0, 8},
    {"str", KIND_STR, 0, 0, 4},     {"bytes", KIND_BYTES, 0, 0, 4},
};
#define SCALARS (sizeof scalars / sizeof *scalars)

static PyObject *compile_scalar(PyObject *name)
{
    static Codec *made[SCALARS];
    for (size_t i = 0; i < SCALARS; i++) {
        if (PyUnicode_CompareWithASCIIString(name, scalars[i].name) != 0) {
            continue;
        }
        if (made[i] == NULL) {
            Codec *codec = new_codec(scalars[i].kind, 0);
            if (codec == NULL) {
                return NULL;
            }
            codec->width = scalars[i].width;
            codec->is_signed = scalars[i].is_signed;
            codec->min_size = scalars[i].min_size;
            codec->name = scalars[i].name;
            made[i] = codec;
        }
        return Py_NewRef(made[i]);
    }
    PyErr_Format(PyExc_ValueError, "codec: there is no type %R", name);
    return NULL;
}

/* ------------------------------------------------------------------ composite types */

static int set_part(Codec *codec, uint32_t i, PyObject *description)
{
    Codec *part = (Codec *)compile(description);
    if (part == NULL) {
        return -1;
    }
    codec->parts[i] = part;
    if (part->depth + 1 > codec->depth) {
        codec->depth = part->depth + 1;
    }
    if (codec->depth > MAX_DEPTH) {
        PyErr_Format(PyExc_ValueError, "codec: types nested deeper than %d levels", MAX_DEPTH);
        return -1;
    }
    return 0;
}

static PyObject *finish(Codec *codec, int status)
{
    if (status < 0) {
        Py_CLEAR(codec);
    }
    return (PyObject *)codec;
}

static PyObject *compile_wrapper(enum Kind kind, PyObject *description)
{
    Codec *codec = new_codec(kind, 1);
    if (codec == NULL || set_part(codec, 0, description) < 0) {
        return finish(codec, -1);
    }
    return (PyObject *)codec;
}

Py_ssize_t slot_of(PyTypeObject *class, PyObject *name)
{
    PyObject *found = _PyType_Lookup(class, name);
    if (found == NULL || Py_TYPE(found)->tp_descr_set == NULL) {
        return class->tp_flags & Py_TPFLAGS_MANAGED_DICT ? PLAIN_ATTRIBUTE : 0;
    }
    if (!Py_IS_TYPE(found, &PyMemberDescr_Type)) {
        return 0;
    }
    const PyMemberDef *member = ((PyMemberDescrObject *)found)->d_member;
    return member->type == T_OBJECT_EX && !(member->flags & READONLY) ? member->offset : 0;
}

static int set_field_of_product(Codec *codec, uint32_t i, PyObject *field)
{
    PyObject *name, *description;
    if (!PyTuple_Check(field) || !PyArg_ParseTuple(field, "UO", &name, &description)) {
        PyErr_Format(PyExc_ValueError, "codec: expected (name, description), got %R", field);
        return -1;
    }
    codec->labels[i] = Py_NewRef(name);
    PyUnicode_InternInPlace(&codec->labels[i]);
    if (codec->class != NULL) {
        codec->slots[i] = slot_of(codec->class, name);
    }
    return set_part(codec, i, description);
}

static PyObject *compile_product(PyObject *class, PyObject *fields)
{
    if (!PyTuple_Check(fields) || (class != Py_None && !PyType_Check(class))) {
        PyErr_SetString(PyExc_ValueError, "codec: a product is (\"product\", class, fields)");
        return NULL;
    }
    Codec *codec = new_codec(KIND_PRODUCT, PyTuple_GET_SIZE(fields));
    if (codec == NULL) {
        return NULL;
    }
    if (class != Py_None) {
        codec->class = (PyTypeObject *)Py_NewRef(class);
        codec->plain_new = codec->class->tp_new == PyBaseObject_Type.tp_new;
    }
    int status = 0;
    for (uint32_t i = 0; status == 0 && i < codec->count; i++) {
        status = set_field_of_product(codec, i, PyTuple_GET_ITEM(fields, i));
    }
    return finish(codec, status);
}

static PyObject *compile_enum(PyObject *members)
{
    if (!PyTuple_Check(members) || PyTuple_GET_SIZE(members) > MAX_VARIANTS) {
        PyErr_Format(PyExc_ValueError, "codec: an enum has a tuple of up to %d members",
                     MAX_VARIANTS);
        return NULL;
    }
    Codec *codec = new_codec(KIND_ENUM, PyTuple_GET_SIZE(members));
    for (uint32_t i = 0; codec != NULL && i < codec->count; i++) {
        codec->labels[i] = Py_NewRef(PyTuple_GET_ITEM(members, i));
    }
    return (PyObject *)codec;
}

static int set_variant(Codec *codec, uint32_t i, PyObject *variant)
{
    PyObject *class, *description;
    if (!PyTuple_Check(variant) ||
        !PyArg_ParseTuple(variant, "O!O", &PyType_Type, &class, &description)) {
        PyErr_Format(PyExc_ValueError, "codec: expected (class, description), got %R", variant);
        return -1;
    }
    codec->labels[i] = Py_NewRef(class);
    if (description == Py_None && codec->kind == KIND_SUM) {
        codec->units[i] = PyObject_CallNoArgs(class);
        return codec->units[i] == NULL ? -1 : 0;
    }
    codec->slots[i] = slot_of((PyTypeObject *)class, value_name);
    return set_part(codec, i, description);
}

static PyObject *compile_sum(enum Kind kind, PyObject *variants)
{
    if (!PyTuple_Check(variants) || PyTuple_GET_SIZE(variants) > MAX_VARIANTS) {
        PyErr_Format(PyExc_ValueError, "codec: a sum has a tuple of up to %d variants",
                     MAX_VARIANTS);
        return NULL;
    }
    Codec *codec = new_codec(kind, PyTuple_GET_SIZE(variants));
    int status = codec == NULL ? -1 : 0;
    for (uint32_t i = 0; status == 0 && i < codec->count; i++) {
        status = set_variant(codec, i, PyTuple_GET_ITEM(variants, i));
    }
    return finish(codec, status);
}

static PyObject *compile_tuple(PyObject *description)
{
    Py_ssize_t size = PyTuple_GET_SIZE(description);
    PyObject *kind = size > 0 ? PyTuple_GET_ITEM(description, 0) : Py_None;
    if (PyUnicode_Check(kind)) {
        PyObject *first = size > 1 ? PyTuple_GET_ITEM(description, 1) : NULL;
#define IS(name, length) (size == length && PyUnicode_CompareWithASCIIString(kind, name) == 0)
        if (IS("list", 2)) return compile_wrapper(KIND_LIST, first);
        if (IS("option", 2)) return compile_wrapper(KIND_OPTION, first);
        if (IS("product", 3)) return compile_product(first, PyTuple_GET_ITEM(description, 2));
        if (IS("enum", 2)) return compile_enum(first);
        if (IS("sum", 2)) return compile_sum(KIND_SUM, first);
        if (IS("union", 2)) return compile_sum(KIND_UNION, first);
#undef IS
    }
    PyErr_Format(PyExc_ValueError, "codec: no description of a type: %R", description);
    return NULL;
}

static PyObject *compile(PyObject *description)
{
    if (Codec_Check(description)) {
        return Py_NewRef(description);
    }
    if (PyUnicode_Check(description)) {
        return compile_scalar(description);
    }
    if (!PyTuple_Check(description)) {
        PyErr_Format(PyExc_TypeError, "codec: expected a description, got %R", description);
        return NULL;
    }
    if (Py_EnterRecursiveCall(" while a type is compiled")) {
        return NULL;
    }
    PyObject *codec = compile_tuple(description);
    Py_LeaveRecursiveCall();
    return codec;
}

PyObject *codec_compile(PyObject *description)
{
    return compile(description);
}

/* ------------------------------------------------------------------ forward references */

PyObject *codec_forward(void)
{
    return (PyObject *)new_codec(KIND_FORWARD, 1);
}

int codec_define(Codec *codec, PyObject *description)
{
    if (codec->kind != KIND_FORWARD || codec->parts[0] != NULL) {
        PyErr_SetString(PyExc_ValueError, "codec_define: not an undefined codec_forward()");
        return -1;
    }
    Codec *target = (Codec *)compile(description);
    if (target == NULL) {
        return -1;
    }
    for (Codec *at = target; at != NULL && at->kind == KIND_FORWARD; at = at->parts[0]) {
        if (at == codec) {
            Py_DECREF(target);
            PyErr_SetString(PyExc_ValueError, "codec_define: a type that is only itself");
            return -1;
        }
    }
    codec->parts[0] = target;
    return 0;
}

const Codec *codec_resolve(const Codec *codec)
{
    while (codec != NULL && codec->kind == KIND_FORWARD) {
        codec = codec->parts[0];
    }
    if (codec == NULL) {
        PyErr_SetString(PyExc_ValueError, "codec: a codec_forward() that was never defined");
    }
    return codec;
}

/* ------------------------------------------------------------------ sizes */

static uint32_t compute_min_size(const Codec *codec)
{
    uint64_t sum = 0;
    uint32_t least = SIZE_UNKNOWN;
    for (uint32_t i = 0; i < codec->count; i++) {
        uint32_t size = codec->parts[i] == NULL ? 0 : codec_min_size(codec->parts[i]);
        sum += size;
        least = size < least ? size : least;
    }
    switch (codec->kind) {
    case KIND_LIST: return 4;
    case KIND_OPTION:
    case KIND_ENUM: return 1;
    case KIND_SUM:
    case KIND_UNION: return 1 + (codec->count == 0 ? 0 : least);
    default: return sum > INT32_MAX ? INT32_MAX : (uint32_t)sum;
    }
}

int codec_is_boxed(const Codec *option)
{
    const Codec *inner = option->parts[0];
    while (inner != NULL && inner->kind == KIND_FORWARD) {
        inner = inner->parts[0];
    }
    return inner != NULL && inner->kind == KIND_OPTION;
}

uint32_t codec_min_size(Codec *codec)
{
    if (codec->min_size == SIZE_UNKNOWN) {
        codec->min_size = 0; /* what a type adds to itself */
        codec->min_size = compute_min_size(codec);
    }
    return codec->min_size;
}
