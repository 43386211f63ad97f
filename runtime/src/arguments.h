/* Arguments of `_spacetime`'s functions, taken from the array that CPython calls them with. */
#ifndef SPACETIME_ARGUMENTS_H
#define SPACETIME_ARGUMENTS_H

#include "codec.h"

static inline int take_count(const char *function, Py_ssize_t given, Py_ssize_t wanted)
{
    if (given == wanted) {
        return 0;
    }
    PyErr_Format(PyExc_TypeError, "%s() takes %zd arguments, %zd were given", function, wanted,
                 given);
    return -1;
}

static inline int take_u32(PyObject *value, uint32_t *out)
{
    unsigned long number = PyLong_AsUnsignedLong(value);
    if (number == (unsigned long)-1 && PyErr_Occurred()) {
        return -1;
    }
    *out = (uint32_t)number;
    return 0;
}

/* A codec that is not a forward one. */
static inline int take_codec(PyObject *value, Codec **out)
{
    if (!Codec_Check(value)) {
        PyErr_Format(PyExc_TypeError, "expected a Codec, got %s", Py_TYPE(value)->tp_name);
        return -1;
    }
    *out = (Codec *)codec_resolve((Codec *)value);
    return *out == NULL ? -1 : 0;
}

static inline int take_bytes(PyObject *value, const uint8_t **data, uint32_t *length)
{
    if (!PyBytes_Check(value)) {
        PyErr_Format(PyExc_TypeError, "expected bytes, got %s", Py_TYPE(value)->tp_name);
        return -1;
    }
    *data = (const uint8_t *)PyBytes_AS_STRING(value);
    *length = (uint32_t)PyBytes_GET_SIZE(value);
    return 0;
}

static inline int take_text(PyObject *value, const char **text, uint32_t *length)
{
    Py_ssize_t size;
    *text = PyUnicode_AsUTF8AndSize(value, &size);
    *length = (uint32_t)size;
    return *text == NULL ? -1 : 0;
}

/* The same, or NULL for None. */
static inline int take_optional_text(PyObject *value, const char **text, uint32_t *length)
{
    *text = NULL;
    *length = 0;
    return value == Py_None ? 0 : take_text(value, text, length);
}

#define ARGUMENTS PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count

#endif
