/* Python values to BSATN. */
#include "codec.h"

#include <math.h>
#include <stdarg.h>

#include <pycore_dict.h>
#include <pycore_object.h>

int nesting;
PyObject *value_name;
PyTypeObject *some_class;
Py_ssize_t some_slot;

/* ------------------------------------------------------------------ errors */

static PyObject *place_text(const Place *place)
{
    if (place == NULL) {
        return PyUnicode_FromString("");
    }
    PyObject *text = place_text(place->up);
    if (text != NULL) {
        const char *dot = PyUnicode_GET_LENGTH(text) > 0 ? "." : "";
        PyObject *longer = place->name != NULL
            ? PyUnicode_FromFormat("%U%s%U", text, dot, place->name)
            : PyUnicode_FromFormat("%U[%zd]", text, place->index);
        Py_SETREF(text, longer);
    }
    return text;
}

int fail_at(PyObject *exception, const Place *place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    PyErr_Clear();
    PyObject *text = PyUnicode_FromFormatV(format, arguments);
    va_end(arguments);
    PyObject *where = text == NULL ? NULL : place_text(place);
    if (where != NULL) {
        if (PyUnicode_GET_LENGTH(where) > 0) {
            PyErr_Format(exception, "%U: %U", where, text);
        } else {
            PyErr_SetObject(exception, text);
        }
    }
    Py_XDECREF(where);
    Py_XDECREF(text);
    return -1;
}

static int expected(const char *what, PyObject *value, const Place *place)
{
    PyErr_Clear();
    PyObject *repr = PyObject_Repr(value);
    if (repr == NULL) {
        return fail_at(PyExc_TypeError, place, "expected %s, got %s", what,
                       Py_TYPE(value)->tp_name);
    }
    PyObject *shown = PyUnicode_Substring(repr, 0, 80);
    Py_DECREF(repr);
    if (shown == NULL) {
        return -1;
    }
    fail_at(PyExc_TypeError, place, "expected %s, got %s %U", what, Py_TYPE(value)->tp_name, shown);
    Py_DECREF(shown);
    return -1;
}

/* ------------------------------------------------------------------ scalars */

static int out_of_range(const Codec *codec, PyObject *value, const Place *place)
{
    static const char *const ranges[2][4] = {
        {" (0 to 255)", " (0 to 65535)", " (0 to 4294967295)", " (0 to 18446744073709551615)"},
        {" (-128 to 127)", " (-32768 to 32767)", " (-2147483648 to 2147483647)",
         " (-9223372036854775808 to 9223372036854775807)"},
    };
    int log2 = __builtin_ctz(codec->width);
    const char *range = log2 < 4 ? ranges[codec->is_signed][log2] : "";
    PyErr_Clear();
    /* Hexadecimal, and short: decimal digits of a huge number take quadratic time. */
    size_t bits = _PyLong_NumBits(value);
    if (bits <= 256) {
        return fail_at(PyExc_OverflowError, place, "%S does not fit %s%s", value, codec->name,
                       range);
    }
    return fail_at(PyExc_OverflowError, place, "an int of %zu bits does not fit %s%s", bits,
                   codec->name, range);
}

static int encode_long(const Codec *codec, PyObject *value, Buffer *out, const Place *place)
{
    uint8_t width = codec->width;
    if (buffer_reserve(out, width) < 0) {
        return -1;
    }
    uint8_t *at = out->data + out->length;
    Py_ssize_t digits = Py_SIZE(value);
    if (digits == 0 || (digits == 1 && width >= 8)) {
        uint64_t small = digits == 0 ? 0 : ((PyLongObject *)value)->ob_digit[0];
        memset(at, 0, width);
        memcpy(at, &small, width < 8 ? width : 8);
    } else if (_PyLong_AsByteArray((PyLongObject *)value, at, width, 1, codec->is_signed) < 0) {
        return PyErr_ExceptionMatches(PyExc_OverflowError) ? out_of_range(codec, value, place) : -1;
    }
    out->length += width;
    return 0;
}

/* Any int but a bool, and what has `__index__`. */
static int encode_int(const Codec *codec, PyObject *value, Buffer *out, const Place *place)
{
    if (PyLong_CheckExact(value)) {
        return encode_long(codec, value, out, place);
    }
    PyObject *index = PyBool_Check(value) ? NULL : PyNumber_Index(value);
    if (index == NULL) {
        if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_TypeError)) {
            return -1;
        }
        char what[16];
        snprintf(what, sizeof what, "int (%s)", codec->name);
        return expected(what, value, place);
    }
    int status = encode_long(codec, index, out, place);
    Py_DECREF(index);
    return status;
}

/* As bits, since a NaN's payload is not the processor's affair. */
static uint32_t narrow_nan(uint64_t bits)
{
    uint32_t payload = (uint32_t)(bits >> 29) & 0x007fffff;
    if (payload == 0) {
        payload = 0x00400000;
    }
    return (uint32_t)(bits >> 63) << 31 | 0x7f800000 | payload;
}

static int encode_float(const Codec *codec, PyObject *value, Buffer *out, const Place *place)
{
    double number = PyBool_Check(value) ? -1.0 : PyFloat_AsDouble(value);
    if (number == -1.0 && (PyBool_Check(value) || PyErr_Occurred())) {
        return PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_TypeError)
            ? -1
            : expected("float", value, place);
    }
    uint64_t bits;
    memcpy(&bits, &number, 8);
    if (codec->kind == KIND_F64) {
        return buffer_put(out, &bits, 8);
    }
    uint32_t narrowed;
    if (isnan(number)) {
        narrowed = narrow_nan(bits);
    } else {
        float single = (float)number;
        if (isinf(single) && !isinf(number)) {
            return fail_at(PyExc_OverflowError, place, "%R does not fit f32", value);
        }
        memcpy(&narrowed, &single, 4);
    }
    return buffer_put_u32(out, narrowed);
}

static int put_sized(const void *data, Py_ssize_t size, Buffer *out)
{
    if (buffer_put_u32(out, (uint32_t)size) < 0) {
        return -1;
    }
    return buffer_put(out, data, (uint32_t)size);
}

static int encode_str(PyObject *value, Buffer *out, const Place *place)
{
    if (!PyUnicode_Check(value)) {
        return expected("str", value, place);
    }
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(value, &size);
    if (text == NULL) {
        return PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)
            ? fail_at(PyExc_ValueError, place, "a str with lone surrogates, which UTF-8 does not have")
            : -1;
    }
    return put_sized(text, size, out);
}

static int encode_bytes(PyObject *value, Buffer *out, const Place *place)
{
    if (PyBytes_Check(value)) {
        return put_sized(PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value), out);
    }
    Py_buffer view;
    if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0) {
        return expected("bytes", value, place);
    }
    int status = put_sized(view.buf, view.len, out);
    PyBuffer_Release(&view);
    return status;
}

/* ------------------------------------------------------------------ composite types */

/* The items may be code of the user's that changes the list: it is looked at anew for each. */
static int encode_items(const Codec *codec, PyObject *list, Buffer *out, const Place *up)
{
    uint32_t start = out->length;
    if (buffer_put_u32(out, 0) < 0) {
        return -1;
    }
    Place place = {up, NULL, 0};
    for (; place.index < PySequence_Fast_GET_SIZE(list); place.index++) {
        PyObject *item = Py_NewRef(PySequence_Fast_GET_ITEM(list, place.index));
        int status = encode_value(codec->parts[0], item, out, &place);
        Py_DECREF(item);
        if (status < 0) {
            return -1;
        }
    }
    uint32_t count = (uint32_t)place.index;
    if (count > MAX_EMPTY && codec_min_size(codec->parts[0]) == 0) {
        return fail_at(PyExc_ValueError, up, "more than %u elements that take no bytes", MAX_EMPTY);
    }
    memcpy(out->data + start, &count, 4);
    return 0;
}

static int encode_list(const Codec *codec, PyObject *value, Buffer *out, const Place *place)
{
    if (PyList_Check(value) || PyTuple_Check(value)) {
        return encode_items(codec, value, out, place);
    }
    if (PyUnicode_Check(value) || PyBytes_Check(value) || PyObject_Size(value) < 0) {
        return expected("list", value, place);
    }
    PyObject *list = PySequence_List(value);
    if (list == NULL) {
        return PyErr_ExceptionMatches(PyExc_TypeError) ? expected("list", value, place) : -1;
    }
    int status = encode_items(codec, list, out, place);
    Py_DECREF(list);
    return status;
}

PyObject *get_field(PyObject *object, const PyTypeObject *class, PyObject *name, Py_ssize_t slot)
{
    if (slot == 0 || Py_TYPE(object) != class) {
        return PyObject_GetAttr(object, name);
    }
    if (slot > 0) {
        PyObject *value = *(PyObject **)((char *)object + slot);
        return value != NULL ? Py_NewRef(value) : PyObject_GetAttr(object, name);
    }
    PyDictValues *values = *_PyObject_ValuesPointer(object);
    if (values != NULL) {
        PyObject *value = _PyObject_GetInstanceAttribute(object, values, name);
        if (value != NULL) {
            return value;
        }
    }
    return PyObject_GetAttr(object, name);
}

static int encode_attribute(const Codec *part, PyObject *object, const PyTypeObject *class,
                            PyObject *name, Py_ssize_t slot, Buffer *out, const Place *place)
{
    PyObject *value = get_field(object, class, name, slot);
    if (value == NULL) {
        return PyErr_ExceptionMatches(PyExc_AttributeError)
            ? fail_at(PyExc_TypeError, place, "has no value")
            : -1;
    }
    int status = encode_value(part, value, out, place);
    Py_DECREF(value);
    return status;
}

static int encode_tuple(const Codec *codec, PyObject *value, Buffer *out, const Place *up)
{
    if (!PyTuple_Check(value)) {
        return expected("tuple", value, up);
    }
    if (PyTuple_GET_SIZE(value) != (Py_ssize_t)codec->count) {
        return fail_at(PyExc_TypeError, up, "expected %u values, got %zd", codec->count,
                       PyTuple_GET_SIZE(value));
    }
    for (uint32_t i = 0; i < codec->count; i++) {
        Place place = {up, codec->labels[i], 0};
        if (encode_value(codec->parts[i], PyTuple_GET_ITEM(value, i), out, &place) < 0) {
            return -1;
        }
    }
    return 0;
}

static int encode_product(const Codec *codec, PyObject *value, Buffer *out, const Place *up)
{
    if (codec->class == NULL) {
        return encode_tuple(codec, value, out, up);
    }
    if (!PyObject_TypeCheck(value, codec->class)) {
        return expected(codec->class->tp_name, value, up);
    }
    for (uint32_t i = 0; i < codec->count; i++) {
        Place place = {up, codec->labels[i], 0};
        if (encode_attribute(codec->parts[i], value, codec->class, codec->labels[i],
                             codec->slots[i], out, &place) < 0) {
            return -1;
        }
    }
    return 0;
}

static int no_variant(const Codec *codec, PyObject *value, const Place *place)
{
    char names[200] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < codec->count && used < sizeof names; i++) {
        PyObject *label = codec->labels[i];
        const char *name = PyType_Check(label) ? ((PyTypeObject *)label)->tp_name
                                               : Py_TYPE(label)->tp_name;
        if (codec->kind == KIND_ENUM && i > 0) {
            break; /* one class, named once */
        }
        used += snprintf(names + used, sizeof names - used, "%s%s", i ? " | " : "", name);
    }
    return expected(names, value, place);
}

static int encode_enum(const Codec *codec, PyObject *value, Buffer *out, const Place *place)
{
    for (uint32_t i = 0; i < codec->count; i++) {
        if (codec->labels[i] == value) {
            return buffer_put_u8(out, (uint8_t)i);
        }
    }
    return no_variant(codec, value, place);
}

static int encode_sum(const Codec *codec, PyObject *value, Buffer *out, const Place *up)
{
    PyTypeObject *class = Py_TYPE(value);
    for (uint32_t i = 0; i < codec->count; i++) {
        if (codec->labels[i] != (PyObject *)class) {
            continue;
        }
        if (buffer_put_u8(out, (uint8_t)i) < 0) {
            return -1;
        }
        if (codec->kind == KIND_UNION) {
            return encode_value(codec->parts[i], value, out, up);
        }
        if (codec->parts[i] == NULL) {
            return 0;
        }
        Place place = {up, value_name, 0};
        return encode_attribute(codec->parts[i], value, class, value_name, codec->slots[i], out,
                                &place);
    }
    return no_variant(codec, value, up);
}

static int encode_option(const Codec *codec, PyObject *value, Buffer *out, const Place *place)
{
    if (value == Py_None) {
        return buffer_put_u8(out, 1);
    }
    if (buffer_put_u8(out, 0) < 0) {
        return -1;
    }
    if (!codec_is_boxed(codec)) {
        return encode_value(codec->parts[0], value, out, place);
    }
    if (some_class == NULL || Py_TYPE(value) != some_class) {
        return expected("Some or None", value, place);
    }
    return encode_attribute(codec->parts[0], value, some_class, value_name, some_slot, out, place);
}

static int encode_forward(const Codec *codec, PyObject *value, Buffer *out, const Place *place)
{
    const Codec *target = codec_resolve(codec);
    if (target == NULL) {
        return -1;
    }
    int levels = 1 + (int)target->depth;
    if (nesting + levels > MAX_NESTING) {
        return fail_at(PyExc_ValueError, place, "too deeply nested");
    }
    if (Py_EnterRecursiveCall(" while a value is encoded")) {
        return -1;
    }
    nesting += levels;
    int status = encode_value(target, value, out, place);
    nesting -= levels;
    Py_LeaveRecursiveCall();
    return status;
}

int encode_value(const Codec *codec, PyObject *value, Buffer *out, const Place *place)
{
    switch (codec->kind) {
    case KIND_BOOL:
        return PyBool_Check(value) ? buffer_put_u8(out, value == Py_True)
                                   : expected("bool", value, place);
    case KIND_INT: return encode_int(codec, value, out, place);
    case KIND_F32:
    case KIND_F64: return encode_float(codec, value, out, place);
    case KIND_STR: return encode_str(value, out, place);
    case KIND_BYTES: return encode_bytes(value, out, place);
    case KIND_LIST: return encode_list(codec, value, out, place);
    case KIND_OPTION: return encode_option(codec, value, out, place);
    case KIND_PRODUCT: return encode_product(codec, value, out, place);
    case KIND_ENUM: return encode_enum(codec, value, out, place);
    case KIND_SUM:
    case KIND_UNION: return encode_sum(codec, value, out, place);
    default: return encode_forward(codec, value, out, place);
    }
}

int encode_root(const Codec *codec, PyObject *value, Buffer *out)
{
    if (codec->kind != KIND_PRODUCT || codec->class == NULL) {
        return encode_value(codec, value, out, NULL);
    }
    Place root = {NULL, ((PyHeapTypeObject *)codec->class)->ht_name, 0};
    if (!(codec->class->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        return encode_value(codec, value, out, NULL);
    }
    return encode_value(codec, value, out, &root);
}
