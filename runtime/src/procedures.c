#include "procedures.h"

#include "arguments.h"
#include "errors.h"
#include "host.h"
#include "io.h"

#if ABI_MINOR >= 5
static PyObject *bytes_of(uint32_t source)
{
    Buffer buffer;
    if (buffer_borrow(&buffer) < 0) {
        return NULL;
    }
    PyObject *bytes = NULL;
    if (source_read(source, &buffer) == 0) {
        bytes = PyBytes_FromStringAndSize((const char *)buffer.data, buffer.length);
    }
    buffer_give_back(&buffer);
    return bytes;
}

static PyObject *jwt(PyObject *Py_UNUSED(module), PyObject *connection_id)
{
    const uint8_t *id;
    uint32_t length, source = 0;
    if (take_bytes(connection_id, &id, &length) < 0) {
        return NULL;
    }
    if (length != 16) {
        PyErr_SetString(PyExc_ValueError, "jwt: a connection id has 16 bytes");
        return NULL;
    }
    if (host_check(host_jwt(id, &source), "jwt", 0, 0) < 0) {
        return NULL;
    }
    return source == 0 ? Py_NewRef(Py_None) : bytes_of(source);
}

static PyObject *sleep_until(PyObject *Py_UNUSED(module), PyObject *micros)
{
    long long until = PyLong_AsLongLong(micros);
    if (until == -1 && PyErr_Occurred()) {
        return NULL;
    }
    now_micros = host_sleep_until(until);
    return PyLong_FromLongLong(now_micros);
}

static PyObject *start_tx(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing))
{
    int64_t micros = 0;
    if (host_check(host_start_tx(&micros), "start_tx", 0, 0) < 0) {
        return NULL;
    }
    return PyLong_FromLongLong(micros);
}

static PyObject *commit_tx(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing))
{
    return host_check(host_commit_tx(), "commit_tx", 0, 0) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *abort_tx(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing))
{
    return host_check(host_abort_tx(), "abort_tx", 0, 0) < 0 ? NULL : Py_NewRef(Py_None);
}

/* The host's words for a request that failed: BSATN of a string. */
static PyObject *http_failed(uint32_t source)
{
    PyObject *bytes = bytes_of(source);
    if (bytes == NULL) {
        return NULL;
    }
    Py_ssize_t size = PyBytes_GET_SIZE(bytes);
    const char *text = PyBytes_AS_STRING(bytes);
    PyErr_Format(PyExc_OSError, "http_request: %.*s", (int)(size < 4 ? 0 : size - 4),
                 size < 4 ? "" : text + 4);
    Py_DECREF(bytes);
    return NULL;
}

static PyObject *http_request(ARGUMENTS)
{
    const uint8_t *request, *body;
    uint32_t request_length, body_length, sources[2] = {0, 0};
    if (take_count("http_request", count, 2) < 0 ||
        take_bytes(args[0], &request, &request_length) < 0 ||
        take_bytes(args[1], &body, &body_length) < 0) {
        return NULL;
    }
    uint32_t answer = host_http_request(request, request_length, body, body_length, sources);
    if (answer == HOST_HTTP_ERROR) {
        return http_failed(sources[0]);
    }
    if (host_check(answer, "http_request", 0, 0) < 0) {
        return NULL;
    }
    PyObject *response = bytes_of(sources[0]);
    PyObject *content = response == NULL ? NULL : bytes_of(sources[1]);
    PyObject *both = content == NULL ? NULL : PyTuple_Pack(2, response, content);
    Py_XDECREF(response);
    Py_XDECREF(content);
    return both;
}
#endif

PyMethodDef procedure_functions[] = {
#if ABI_MINOR >= 5
    {"jwt", jwt, METH_O, NULL},
    {"sleep_until", sleep_until, METH_O, NULL},
    {"start_tx", start_tx, METH_NOARGS, NULL},
    {"commit_tx", commit_tx, METH_NOARGS, NULL},
    {"abort_tx", abort_tx, METH_NOARGS, NULL},
    {"http_request", (PyCFunction)(void *)http_request, METH_FASTCALL, NULL},
#endif
    {NULL, NULL, 0, NULL},
};
