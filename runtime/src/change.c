/* Changing tables: rows in, their generated values back. */
#include "arguments.h"
#include "errors.h"
#include "host.h"
#include "rows.h"
#include "tables.h"

/* What the host fills in on insert: a tuple codec of the columns, and their attributes. */
typedef struct {
    const Codec *codec; /* NULL: no such columns */
    PyObject *names;
} Generated;

static int take_generated(PyObject *const *args, Generated *generated)
{
    generated->codec = NULL;
    generated->names = args[1];
    if (args[0] == Py_None) {
        return 0;
    }
    Codec *codec;
    if (take_codec(args[0], &codec) < 0) {
        return -1;
    }
    if (codec->kind != KIND_PRODUCT || codec->class != NULL || !PyTuple_Check(args[1]) ||
        PyTuple_GET_SIZE(args[1]) != (Py_ssize_t)codec->count) {
        PyErr_SetString(PyExc_TypeError, "generated: expected the codec of a tuple, and its names");
        return -1;
    }
    generated->codec = codec;
    return 0;
}

/* Sets the row's attributes from what the host wrote. */
static int set_generated(const Generated *generated, PyObject *value, const uint8_t *data,
                         uint32_t length)
{
    Reader in = {data, data, data + length};
    for (uint32_t i = 0; i < generated->codec->count; i++) {
        PyObject *name = PyTuple_GET_ITEM(generated->names, i);
        Place place = {NULL, name, 0};
        PyObject *number = decode_value(generated->codec->parts[i], &in, &place);
        if (number == NULL) {
            return -1;
        }
        int status = PyObject_GenericSetAttr(value, name, number);
        Py_DECREF(number);
        if (status < 0) {
            return -1;
        }
    }
    return 0;
}

/* `index` < 0: insert; else update by that index. `buffer` is scratch. */
static int store(uint32_t table, int64_t index, const Codec *row, PyObject *value,
                 const Generated *generated, Buffer *buffer)
{
    buffer->length = 0;
    if (encode_root(row, value, buffer) < 0) {
        return -1;
    }
    uint32_t length = buffer->length;
    uint32_t answer = index < 0 ? host_insert(table, buffer->data, &length)
                                : host_update(table, (uint32_t)index, buffer->data, &length);
    if (host_check(answer, index < 0 ? "insert" : "update", table, 0) < 0) {
        return -1;
    }
    return length == 0 || generated->codec == NULL
        ? 0
        : set_generated(generated, value, buffer->data, length);
}

static PyObject *store_one(uint32_t table, int64_t index, const Codec *row, PyObject *value,
                           const Generated *generated)
{
    Buffer buffer;
    if (buffer_borrow(&buffer) < 0) {
        return NULL;
    }
    int status = store(table, index, row, value, generated, &buffer);
    buffer_give_back(&buffer);
    return status < 0 ? NULL : Py_NewRef(value);
}

static PyObject *insert(ARGUMENTS)
{
    uint32_t table;
    Codec *row;
    Generated generated;
    if (take_count("insert", count, 5) < 0 || take_u32(args[0], &table) < 0 ||
        take_codec(args[1], &row) < 0 || take_generated(args + 3, &generated) < 0) {
        return NULL;
    }
    return store_one(table, -1, row, args[2], &generated);
}

static PyObject *update(ARGUMENTS)
{
    uint32_t table, index;
    Codec *row;
    Generated generated;
    if (take_count("update", count, 6) < 0 || take_u32(args[0], &table) < 0 ||
        take_u32(args[1], &index) < 0 || take_codec(args[2], &row) < 0 ||
        take_generated(args + 4, &generated) < 0) {
        return NULL;
    }
    return store_one(table, index, row, args[3], &generated);
}

static int64_t store_all(uint32_t table, const Codec *row, PyObject *values,
                         const Generated *generated, Buffer *buffer)
{
    PyObject *iterator = PyObject_GetIter(values);
    if (iterator == NULL) {
        return -1;
    }
    int64_t stored = 0;
    int status = 0;
    PyObject *value;
    while (status == 0 && (value = PyIter_Next(iterator)) != NULL) {
        status = store(table, -1, row, value, generated, buffer);
        stored += status == 0;
        Py_DECREF(value);
    }
    Py_DECREF(iterator);
    return PyErr_Occurred() ? -1 : stored;
}

static PyObject *insert_many(ARGUMENTS)
{
    uint32_t table;
    Codec *row;
    Generated generated;
    Buffer buffer;
    if (take_count("insert_many", count, 5) < 0 || take_u32(args[0], &table) < 0 ||
        take_codec(args[1], &row) < 0 || take_generated(args + 3, &generated) < 0 ||
        buffer_borrow(&buffer) < 0) {
        return NULL;
    }
    int64_t stored = store_all(table, row, args[2], &generated, &buffer);
    buffer_give_back(&buffer);
    return stored < 0 ? NULL : PyLong_FromLongLong(stored);
}

/* The rows as one list in BSATN. */
static int encode_rows(const Codec *row, PyObject *values, Buffer *buffer)
{
    PyObject *iterator = PyObject_GetIter(values);
    if (iterator == NULL) {
        return -1;
    }
    uint32_t count = 0;
    int status = buffer_put_u32(buffer, 0);
    PyObject *value;
    while (status == 0 && (value = PyIter_Next(iterator)) != NULL) {
        status = encode_root(row, value, buffer);
        count++;
        Py_DECREF(value);
    }
    Py_DECREF(iterator);
    if (status < 0 || PyErr_Occurred()) {
        return -1;
    }
    memcpy(buffer->data, &count, 4);
    return 0;
}

static PyObject *delete_rows(ARGUMENTS)
{
    uint32_t table, deleted = 0;
    Codec *row;
    Buffer buffer;
    if (take_count("delete_rows", count, 3) < 0 || take_u32(args[0], &table) < 0 ||
        take_codec(args[1], &row) < 0 || buffer_borrow(&buffer) < 0) {
        return NULL;
    }
    int status = encode_rows(row, args[2], &buffer);
    if (status == 0) {
        uint32_t answer = host_delete_rows(table, buffer.data, buffer.length, &deleted);
        status = host_check(answer, "delete", table, 0);
    }
    buffer_give_back(&buffer);
    return status < 0 ? NULL : PyLong_FromUnsignedLong(deleted);
}

#if ABI_MINOR >= 5
static PyObject *clear(PyObject *Py_UNUSED(module), PyObject *table)
{
    uint32_t id;
    uint64_t deleted = 0;
    if (take_u32(table, &id) < 0 || host_check(host_clear(id, &deleted), "clear", id, 0) < 0) {
        return NULL;
    }
    return PyLong_FromUnsignedLongLong(deleted);
}
#endif

PyMethodDef change_functions[] = {
    {"insert", (PyCFunction)(void *)insert, METH_FASTCALL, NULL},
    {"insert_many", (PyCFunction)(void *)insert_many, METH_FASTCALL, NULL},
    {"update", (PyCFunction)(void *)update, METH_FASTCALL, NULL},
    {"delete_rows", (PyCFunction)(void *)delete_rows, METH_FASTCALL, NULL},
#if ABI_MINOR >= 5
    {"clear", clear, METH_O, NULL},
#endif
    {NULL, NULL, 0, NULL},
};
