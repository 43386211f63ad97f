/* BSATN to Python values. Any bytes are met with a value or an exception. */
#include "codec.h"

#include <pycore_dict.h>
#include <pycore_object.h>

static PyObject *fail_null(const Place *place, const char *what)
{
    fail_at(PyExc_ValueError, place, "%s", what);
    return NULL;
}

static inline const uint8_t *take(Reader *in, uint32_t size, const Place *place)
{
    if (reader_left(in) < size) {
        fail_at(PyExc_ValueError, place, "%u bytes are needed and %u are left", size,
                reader_left(in));
        return NULL;
    }
    const uint8_t *at = in->next;
    in->next += size;
    return at;
}

static const uint8_t *take_sized(Reader *in, uint32_t *size, const Place *place)
{
    const uint8_t *at = take(in, 4, place);
    if (at == NULL) {
        return NULL;
    }
    memcpy(size, at, 4);
    return take(in, *size, place);
}

/* ------------------------------------------------------------------ scalars */

static PyObject *decode_int(const Codec *codec, Reader *in, const Place *place)
{
    const uint8_t *at = take(in, codec->width, place);
    if (at == NULL) {
        return NULL;
    }
    uint64_t bits = 0;
    switch (codec->width) {
    case 1: return PyLong_FromLong(codec->is_signed ? (int8_t)*at : *at);
    case 2: memcpy(&bits, at, 2); return PyLong_FromLong(codec->is_signed ? (int16_t)bits : (long)bits);
    case 4:
        memcpy(&bits, at, 4);
        return codec->is_signed ? PyLong_FromLong((int32_t)bits)
                                : PyLong_FromUnsignedLong((uint32_t)bits);
    case 8:
        memcpy(&bits, at, 8);
        return codec->is_signed ? PyLong_FromLongLong((int64_t)bits)
                                : PyLong_FromUnsignedLongLong(bits);
    default: return _PyLong_FromByteArray(at, codec->width, 1, codec->is_signed);
    }
}

static PyObject *decode_f32(Reader *in, const Place *place)
{
    const uint8_t *at = take(in, 4, place);
    if (at == NULL) {
        return NULL;
    }
    uint32_t narrow;
    memcpy(&narrow, at, 4);
    double number;
    if ((narrow & 0x7fffffff) > 0x7f800000) { /* a NaN keeps its payload */
        uint64_t bits = (uint64_t)(narrow >> 31) << 63 | 0x7ff0000000000000u |
                        (uint64_t)(narrow & 0x007fffff) << 29;
        memcpy(&number, &bits, 8);
    } else {
        float single;
        memcpy(&single, &narrow, 4);
        number = single;
    }
    return PyFloat_FromDouble(number);
}

static PyObject *decode_f64(Reader *in, const Place *place)
{
    const uint8_t *at = take(in, 8, place);
    if (at == NULL) {
        return NULL;
    }
    double number;
    memcpy(&number, at, 8);
    return PyFloat_FromDouble(number);
}

static PyObject *decode_bool(Reader *in, const Place *place)
{
    const uint8_t *at = take(in, 1, place);
    if (at == NULL) {
        return NULL;
    }
    return *at > 1 ? fail_null(place, "a bool that is neither 0 nor 1") : PyBool_FromLong(*at);
}

static PyObject *decode_str(Reader *in, const Place *place)
{
    uint32_t size;
    const uint8_t *at = take_sized(in, &size, place);
    if (at == NULL) {
        return NULL;
    }
    PyObject *text = PyUnicode_DecodeUTF8((const char *)at, size, NULL);
    if (text == NULL && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        return fail_null(place, "a str that is not UTF-8");
    }
    return text;
}

static PyObject *decode_bytes(Reader *in, const Place *place)
{
    uint32_t size;
    const uint8_t *at = take_sized(in, &size, place);
    return at == NULL ? NULL : PyBytes_FromStringAndSize((const char *)at, size);
}

/* ------------------------------------------------------------------ composite types */

static PyObject *decode_list(const Codec *codec, Reader *in, const Place *up)
{
    const uint8_t *at = take(in, 4, up);
    if (at == NULL) {
        return NULL;
    }
    uint32_t count, least = codec_min_size(codec->parts[0]);
    memcpy(&count, at, 4);
    /* Checked before anything is allocated for the count. */
    if (least == 0 ? count > MAX_EMPTY : count > reader_left(in) / least) {
        fail_at(PyExc_ValueError, up, "%u elements do not fit in the %u bytes that are left", count,
                reader_left(in));
        return NULL;
    }
    PyObject *list = PyList_New(count);
    for (uint32_t i = 0; list != NULL && i < count; i++) {
        Place place = {up, NULL, i};
        PyObject *item = decode_value(codec->parts[0], in, &place);
        if (item == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, i, item);
        }
    }
    return list;
}

int set_field(PyObject *object, PyObject *name, Py_ssize_t slot, PyObject *value)
{
    if (slot > 0) {
        PyObject **field = (PyObject **)((char *)object + slot);
        Py_XSETREF(*field, Py_NewRef(value));
        return 0;
    }
    if (slot == PLAIN_ATTRIBUTE) {
        PyDictValues *values = *_PyObject_ValuesPointer(object);
        if (values != NULL) { /* else it has a dict by now */
            return _PyObject_StoreInstanceAttribute(object, values, name, value);
        }
    }
    return PyObject_GenericSetAttr(object, name, value);
}

PyObject *new_plain(PyTypeObject *class)
{
    PyObject *object = class->tp_alloc(class, 0);
    if (object != NULL && _PyObject_InitializeDict(object) < 0) {
        Py_CLEAR(object);
    }
    return object;
}

static PyObject *new_instance(PyTypeObject *class, int plain)
{
    if (plain) {
        return new_plain(class);
    }
    PyObject *object = PyObject_CallMethod((PyObject *)class, "__new__", "O", class);
    if (object != NULL && !Py_IS_TYPE(object, class)) { /* whose slots are elsewhere */
        PyErr_Format(PyExc_TypeError, "%s.__new__ made a %s", class->tp_name,
                     Py_TYPE(object)->tp_name);
        Py_CLEAR(object);
    }
    return object;
}

static PyObject *decode_tuple(const Codec *codec, Reader *in, const Place *up)
{
    PyObject *tuple = PyTuple_New(codec->count);
    for (uint32_t i = 0; tuple != NULL && i < codec->count; i++) {
        Place place = {up, codec->labels[i], 0};
        PyObject *value = decode_value(codec->parts[i], in, &place);
        if (value == NULL) {
            Py_CLEAR(tuple);
        } else {
            PyTuple_SET_ITEM(tuple, i, value);
        }
    }
    return tuple;
}

static PyObject *decode_product(const Codec *codec, Reader *in, const Place *up)
{
    if (codec->class == NULL) {
        return decode_tuple(codec, in, up);
    }
    PyObject *object = new_instance(codec->class, codec->plain_new);
    for (uint32_t i = 0; object != NULL && i < codec->count; i++) {
        Place place = {up, codec->labels[i], 0};
        PyObject *value = decode_value(codec->parts[i], in, &place);
        if (value == NULL || set_field(object, codec->labels[i], codec->slots[i], value) < 0) {
            Py_CLEAR(object);
        }
        Py_XDECREF(value);
    }
    return object;
}

static int decode_tag(const Codec *codec, Reader *in, const Place *place)
{
    const uint8_t *at = take(in, 1, place);
    if (at == NULL) {
        return -1;
    }
    if (*at >= codec->count) {
        return fail_at(PyExc_ValueError, place, "there is no variant %d", *at);
    }
    return *at;
}

/* An instance with its one attribute `value`. */
static PyObject *boxed(PyTypeObject *class, Py_ssize_t slot, PyObject *value)
{
    int plain = class->tp_new == PyBaseObject_Type.tp_new;
    PyObject *object = value == NULL ? NULL : new_instance(class, plain);
    if (object != NULL && set_field(object, value_name, slot, value) < 0) {
        Py_CLEAR(object);
    }
    Py_XDECREF(value);
    return object;
}

static PyObject *decode_sum(const Codec *codec, Reader *in, const Place *up)
{
    int tag = decode_tag(codec, in, up);
    if (tag < 0) {
        return NULL;
    }
    if (codec->kind == KIND_ENUM) {
        return Py_NewRef(codec->labels[tag]);
    }
    if (codec->units[tag] != NULL) {
        return Py_NewRef(codec->units[tag]);
    }
    if (codec->kind == KIND_UNION) {
        return decode_value(codec->parts[tag], in, up);
    }
    Place place = {up, value_name, 0};
    PyObject *value = decode_value(codec->parts[tag], in, &place);
    return boxed((PyTypeObject *)codec->labels[tag], codec->slots[tag], value);
}

static PyObject *decode_option(const Codec *codec, Reader *in, const Place *place)
{
    const uint8_t *at = take(in, 1, place);
    if (at == NULL) {
        return NULL;
    }
    if (*at > 1) {
        return fail_null(place, "an option that is neither 0 (some) nor 1 (none)");
    }
    if (*at == 1) {
        Py_RETURN_NONE;
    }
    PyObject *value = decode_value(codec->parts[0], in, place);
    if (!codec_is_boxed(codec)) {
        return value;
    }
    if (some_class == NULL) {
        Py_XDECREF(value);
        return fail_null(place, "an option of an option before configure(Some=...)");
    }
    return boxed(some_class, some_slot, value);
}

static PyObject *decode_forward(const Codec *codec, Reader *in, const Place *place)
{
    const Codec *target = codec_resolve(codec);
    if (target == NULL) {
        return NULL;
    }
    int levels = 1 + (int)target->depth;
    if (nesting + levels > MAX_NESTING) {
        fail_at(PyExc_ValueError, place, "too deeply nested");
        return NULL;
    }
    if (Py_EnterRecursiveCall(" while a value is decoded")) {
        return NULL;
    }
    nesting += levels;
    PyObject *value = decode_value(target, in, place);
    nesting -= levels;
    Py_LeaveRecursiveCall();
    return value;
}

PyObject *decode_value(const Codec *codec, Reader *in, const Place *place)
{
    switch (codec->kind) {
    case KIND_BOOL: return decode_bool(in, place);
    case KIND_INT: return decode_int(codec, in, place);
    case KIND_F32: return decode_f32(in, place);
    case KIND_F64: return decode_f64(in, place);
    case KIND_STR: return decode_str(in, place);
    case KIND_BYTES: return decode_bytes(in, place);
    case KIND_LIST: return decode_list(codec, in, place);
    case KIND_OPTION: return decode_option(codec, in, place);
    case KIND_PRODUCT: return decode_product(codec, in, place);
    case KIND_ENUM:
    case KIND_SUM:
    case KIND_UNION: return decode_sum(codec, in, place);
    default: return decode_forward(codec, in, place);
    }
}

/* ------------------------------------------------------------------ whole values */

PyObject *decode_root(const Codec *codec, Reader *in)
{
    if (codec->kind == KIND_PRODUCT && codec->class != NULL &&
        codec->class->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        Place root = {NULL, ((PyHeapTypeObject *)codec->class)->ht_name, 0};
        return decode_value(codec, in, &root);
    }
    return decode_value(codec, in, NULL);
}

int decode_fields(const Codec *codec, Reader *in, PyObject **fields)
{
    for (uint32_t i = 0; i < codec->count; i++) {
        Place place = {NULL, codec->labels[i], 0};
        fields[i] = decode_value(codec->parts[i], in, &place);
        if (fields[i] == NULL) {
            while (i > 0) {
                Py_DECREF(fields[--i]);
            }
            return -1;
        }
    }
    return 0;
}

int reader_finish(const Codec *codec, const Reader *in)
{
    if (in->next == in->end) {
        return 0;
    }
    PyErr_Format(PyExc_ValueError, "%s: %u bytes too many", codec_title(codec), reader_left(in));
    return -1;
}
