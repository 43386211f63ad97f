/* The module `_spacetime`: codecs, the log, and what `spacetime_py.server` configures. */
#include "module.h"

#include "arguments.h"
#include "construct.h"
#include "errors.h"
#include "host.h"
#include "procedures.h"
#include "rows.h"
#include "tables.h"

/* ------------------------------------------------------------------ codecs */

static PyObject *codec(PyObject *Py_UNUSED(module), PyObject *description)
{
    return codec_compile(description);
}

static PyObject *forward(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing))
{
    return codec_forward();
}

static PyObject *define(ARGUMENTS)
{
    if (take_count("codec_define", count, 2) < 0) {
        return NULL;
    }
    if (!Codec_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "codec_define: expected what codec_forward() gave");
        return NULL;
    }
    return codec_define((Codec *)args[0], args[1]) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *encode(ARGUMENTS)
{
    Codec *codec;
    Buffer buffer;
    if (take_count("encode", count, 2) < 0 || take_codec(args[0], &codec) < 0 ||
        buffer_borrow(&buffer) < 0) {
        return NULL;
    }
    PyObject *bytes = NULL;
    if (encode_root(codec, args[1], &buffer) == 0) {
        bytes = PyBytes_FromStringAndSize((const char *)buffer.data, buffer.length);
    }
    buffer_give_back(&buffer);
    return bytes;
}

static PyObject *decode(ARGUMENTS)
{
    Codec *codec;
    const uint8_t *data;
    uint32_t length;
    if (take_count("decode", count, 2) < 0 || take_codec(args[0], &codec) < 0 ||
        take_bytes(args[1], &data, &length) < 0) {
        return NULL;
    }
    Reader in = {data, data, data + length};
    PyObject *value = decode_root(codec, &in);
    if (value != NULL && reader_finish(codec, &in) < 0) {
        Py_CLEAR(value);
    }
    return value;
}

/* ------------------------------------------------------------------ the rest */

static PyObject *write_log(ARGUMENTS)
{
    uint32_t level, line = NO_LINE, target_length, filename_length, text_length;
    const char *target, *filename, *text;
    if (take_count("log", count, 5) < 0 || take_u32(args[0], &level) < 0 ||
        take_optional_text(args[1], &target, &target_length) < 0 ||
        take_optional_text(args[2], &filename, &filename_length) < 0 ||
        (args[3] != Py_None && take_u32(args[3], &line) < 0) ||
        take_text(args[4], &text, &text_length) < 0) {
        return NULL;
    }
    host_log(level, target, target_length, filename, filename_length, line, text, text_length);
    Py_RETURN_NONE;
}

static PyObject *database_identity(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing))
{
    uint8_t identity[32];
    host_identity(identity);
    return PyBytes_FromStringAndSize((const char *)identity, sizeof identity);
}

static int configure_some(PyObject *class)
{
    if (!PyType_Check(class)) {
        PyErr_SetString(PyExc_TypeError, "configure: Some is no class");
        return -1;
    }
    Py_XSETREF(some_class, (PyTypeObject *)Py_NewRef(class));
    some_slot = slot_of(some_class, value_name);
    return 1;
}

static PyObject *configure(PyObject *Py_UNUSED(module), PyObject *args, PyObject *classes)
{
    PyObject *name, *class;
    Py_ssize_t position = 0;
    if (PyTuple_GET_SIZE(args) > 0) {
        PyErr_SetString(PyExc_TypeError, "configure() takes keywords only");
        return NULL;
    }
    while (classes != NULL && PyDict_Next(classes, &position, &name, &class)) {
        const char *text = PyUnicode_AsUTF8(name);
        int found = text == NULL               ? -1
            : strcmp(text, "Some") == 0 ? configure_some(class)
                                        : errors_configure(text, class);
        if (found == 0) {
            PyErr_Format(PyExc_TypeError, "configure() does not know %R", name);
        }
        if (found <= 0) {
            return NULL;
        }
    }
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"codec", codec, METH_O, NULL},
    {"codec_forward", forward, METH_NOARGS, NULL},
    {"codec_define", (PyCFunction)(void *)define, METH_FASTCALL, NULL},
    {"encode", (PyCFunction)(void *)encode, METH_FASTCALL, NULL},
    {"decode", (PyCFunction)(void *)decode, METH_FASTCALL, NULL},
    {"log", (PyCFunction)(void *)write_log, METH_FASTCALL, NULL},
    {"database_identity", database_identity, METH_NOARGS, NULL},
    {"configure", (PyCFunction)(void *)configure, METH_VARARGS | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_spacetime",
    .m_doc = "SpacetimeDB's module ABI.",
    .m_size = -1,
};

static int fill(PyObject *module)
{
    value_name = PyUnicode_InternFromString("value");
    PyObject *abi = Py_BuildValue("(ii)", 10, ABI_MINOR);
    if (value_name == NULL || abi == NULL || PyModule_AddObjectRef(module, "ABI", abi) < 0 ||
        PyType_Ready(&Codec_Type) < 0 || PyType_Ready(&Rows_Type) < 0 ||
        PyModule_AddObjectRef(module, "Codec", (PyObject *)&Codec_Type) < 0 ||
        PyModule_AddObjectRef(module, "Rows", (PyObject *)&Rows_Type) < 0 ||
        errors_init(module) < 0 || PyModule_AddFunctions(module, functions) < 0 ||
        PyModule_AddFunctions(module, lookup_functions) < 0 ||
        PyModule_AddFunctions(module, change_functions) < 0 ||
        PyModule_AddFunctions(module, construct_functions) < 0 ||
        PyModule_AddFunctions(module, procedure_functions) < 0) {
        return -1;
    }
    Py_DECREF(abi);
    return 0;
}

PyObject *spacetime_module(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module != NULL && fill(module) < 0) {
        Py_CLEAR(module);
    }
    return module;
}
