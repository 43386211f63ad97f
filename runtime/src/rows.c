#include "rows.h"

#include "errors.h"
#include "host.h"

uint64_t call_number;

typedef struct {
    PyObject_HEAD
    Codec *row;
    Buffer chunk;
    Reader left;
    uint64_t call;   /* the handle is of this call */
    uint32_t handle; /* 0: used up or closed */
    int busy;        /* decoding: a class's `__new__` may come back to us */
} Rows;

/* Fetches the next rows. 1: there are some; 0: the end; -1: an exception. */
static int advance(uint32_t *handle, Buffer *chunk)
{
    while (*handle != 0) {
        uint32_t length = chunk->capacity;
        int32_t answer = host_rows_advance(*handle, chunk->data, &length);
        if (answer == HOST_MORE || answer == HOST_FINISHED) {
            chunk->length = length;
            if (answer == HOST_FINISHED) {
                *handle = 0;
            }
            if (length > 0) {
                return 1;
            }
        } else if (answer == HOST_BUFFER_TOO_SMALL) {
            chunk->length = 0;
            if (buffer_grow(chunk, length) < 0) {
                return -1;
            }
        } else {
            *handle = 0;
            return host_check((uint32_t)answer, "row_iter_bsatn_advance", 0, 0);
        }
    }
    return 0;
}

PyObject *rows_new(uint32_t handle, Codec *row)
{
    Rows *rows = PyObject_New(Rows, &Rows_Type);
    if (rows == NULL) {
        host_rows_close(handle);
        return NULL;
    }
    rows->row = (Codec *)Py_NewRef(row);
    rows->handle = handle;
    rows->call = call_number;
    rows->busy = 0;
    memset(&rows->chunk, 0, sizeof rows->chunk);
    memset(&rows->left, 0, sizeof rows->left);
    return (PyObject *)rows;
}

static void rows_close(Rows *rows)
{
    if (rows->handle != 0 && rows->call == call_number) {
        host_rows_close(rows->handle);
    }
    rows->handle = 0;
    buffer_give_back(&rows->chunk);
    memset(&rows->left, 0, sizeof rows->left);
}

static void rows_dealloc(Rows *rows)
{
    rows_close(rows);
    Py_DECREF(rows->row);
    PyObject_Free(rows);
}

/* 1: the reader has bytes; 0: the end; -1: an exception. */
static int rows_fill(Rows *rows)
{
    if (rows->left.next < rows->left.end) {
        return 1;
    }
    if (rows->handle == 0) {
        return 0;
    }
    if (rows->call != call_number) {
        rows_close(rows);
        PyErr_SetString(PyExc_RuntimeError,
                        "these rows are of an earlier call: keep a list of them instead");
        return -1;
    }
    if (rows->chunk.data == NULL && buffer_borrow(&rows->chunk) < 0) {
        return -1;
    }
    int status = advance(&rows->handle, &rows->chunk);
    if (status > 0) {
        const uint8_t *data = rows->chunk.data;
        rows->left = (Reader){data, data, data + rows->chunk.length};
    }
    return status;
}

static PyObject *rows_next(Rows *rows)
{
    if (rows->busy) {
        PyErr_SetString(PyExc_ValueError, "these rows are being read already");
        return NULL;
    }
    int status = rows_fill(rows);
    if (status <= 0) {
        rows_close(rows);
        return NULL;
    }
    const uint8_t *before = rows->left.next;
    rows->busy = 1;
    PyObject *row = decode_root(rows->row, &rows->left);
    rows->busy = 0;
    if (row != NULL && rows->left.next == before) {
        /* Rows without columns take no bytes; the host gives none of those either. */
        Py_CLEAR(row);
        PyErr_SetString(PyExc_ValueError, "a row's type takes no bytes");
    }
    if (row == NULL) {
        rows_close(rows);
    }
    return row;
}

PyTypeObject Rows_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_spacetime.Rows",
    .tp_basicsize = sizeof(Rows),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = (destructor)rows_dealloc,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = (iternextfunc)rows_next,
    .tp_doc = "Rows, decoded one at a time.",
};

PyObject *rows_only(uint32_t handle, Codec *row)
{
    Buffer chunk;
    if (buffer_borrow(&chunk) < 0) {
        host_rows_close(handle);
        return NULL;
    }
    PyObject *found = NULL;
    int status = advance(&handle, &chunk);
    if (handle != 0) {
        host_rows_close(handle);
    }
    if (status > 0) {
        Reader in = {chunk.data, chunk.data, chunk.data + chunk.length};
        found = decode_root(row, &in);
    } else if (status == 0) {
        found = Py_NewRef(Py_None);
    }
    buffer_give_back(&chunk);
    return found;
}
