/* Reading tables: scans and lookups by index. */
#include "arguments.h"
#include "errors.h"
#include "host.h"
#include "rows.h"
#include "tables.h"

/* ------------------------------------------------------------------ names and counts */

static PyObject *look_up_name(PyObject *name, int is_index)
{
    const char *text;
    uint32_t length, id = 0;
    if (take_text(name, &text, &length) < 0) {
        return NULL;
    }
    uint32_t answer = is_index ? host_index_id(text, length, &id) : host_table_id(text, length, &id);
    if (answer == HOST_NO_SUCH_TABLE || answer == HOST_NO_SUCH_INDEX) {
        PyObject *call = PyUnicode_FromFormat("%s %R", is_index ? "index_id" : "table_id", name);
        if (call != NULL) {
            host_check(answer, PyUnicode_AsUTF8(call), 0, is_index);
            Py_DECREF(call);
        }
        return NULL;
    }
    if (host_check(answer, is_index ? "index_id" : "table_id", 0, is_index) < 0 ||
        remember_name(id, is_index, name) < 0) {
        return NULL;
    }
    return PyLong_FromUnsignedLong(id);
}

static PyObject *table_id(PyObject *Py_UNUSED(module), PyObject *name)
{
    return look_up_name(name, 0);
}

static PyObject *index_id(PyObject *Py_UNUSED(module), PyObject *name)
{
    return look_up_name(name, 1);
}

static PyObject *row_count(PyObject *Py_UNUSED(module), PyObject *table)
{
    uint32_t id;
    uint64_t rows = 0;
    if (take_u32(table, &id) < 0 || host_check(host_row_count(id, &rows), "count", id, 0) < 0) {
        return NULL;
    }
    return PyLong_FromUnsignedLongLong(rows);
}

/* ------------------------------------------------------------------ whole tables, ranges */

static PyObject *scan(ARGUMENTS)
{
    uint32_t table, handle = 0;
    Codec *row;
    if (take_count("scan", count, 2) < 0 || take_u32(args[0], &table) < 0 ||
        take_codec(args[1], &row) < 0 || host_check(host_scan(table, &handle), "scan", table, 0) < 0) {
        return NULL;
    }
    return rows_new(handle, row);
}

typedef struct {
    const uint8_t *prefix, *start, *end;
    uint32_t prefix_length, prefix_elems, start_length, end_length;
} Range;

static int take_range(PyObject *const *args, Range *range)
{
    return take_bytes(args[0], &range->prefix, &range->prefix_length) < 0 ||
            take_u32(args[1], &range->prefix_elems) < 0 ||
            take_bytes(args[2], &range->start, &range->start_length) < 0 ||
            take_bytes(args[3], &range->end, &range->end_length) < 0
        ? -1
        : 0;
}

static PyObject *index_scan(ARGUMENTS)
{
    uint32_t index, handle = 0;
    Codec *row;
    Range range;
    if (take_count("index_scan", count, 6) < 0 || take_u32(args[0], &index) < 0 ||
        take_codec(args[1], &row) < 0 || take_range(args + 2, &range) < 0) {
        return NULL;
    }
    uint32_t answer = host_scan_range(index, range.prefix, range.prefix_length, range.prefix_elems,
                                      range.start, range.start_length, range.end, range.end_length,
                                      &handle);
    return host_check(answer, "filter", index, 1) < 0 ? NULL : rows_new(handle, row);
}

static PyObject *delete_where(ARGUMENTS)
{
    uint32_t index, deleted = 0;
    Range range;
    if (take_count("delete_where", count, 5) < 0 || take_u32(args[0], &index) < 0 ||
        take_range(args + 1, &range) < 0) {
        return NULL;
    }
    uint32_t answer = host_delete_range(index, range.prefix, range.prefix_length,
                                        range.prefix_elems, range.start, range.start_length,
                                        range.end, range.end_length, &deleted);
    return host_check(answer, "delete", index, 1) < 0 ? NULL : PyLong_FromUnsignedLong(deleted);
}

/* ------------------------------------------------------------------ points */

/* A key in BSATN, as the calls below want it. */
typedef struct {
    Buffer bytes;
    uint32_t prefix_length, prefix_elems;
} Point;

typedef uint32_t PointCall(uint32_t index, Point *point, uint32_t *out);

#if ABI_MINOR >= 5
/* Newer hosts take the key as it is. */
static int encode_point(const Codec *key, PyObject *value, Point *point)
{
    return encode_root(key, value, &point->bytes);
}

static uint32_t scan_point(uint32_t index, Point *point, uint32_t *out)
{
    return host_scan_point(index, point->bytes.data, point->bytes.length, out);
}

static uint32_t delete_point(uint32_t index, Point *point, uint32_t *out)
{
    return host_delete_point(index, point->bytes.data, point->bytes.length, out);
}
#else
/* All columns but the last are the prefix; the last is a range from itself to itself. */
static int encode_columns(const Codec *key, PyObject *value, Point *point)
{
    uint32_t last = key->count - 1;
    if (!PyTuple_Check(value) || PyTuple_GET_SIZE(value) != (Py_ssize_t)key->count) {
        PyErr_Format(PyExc_TypeError, "the key of this index is a tuple of %u values, got %R",
                     key->count, value);
        return -1;
    }
    for (uint32_t i = 0; i < key->count; i++) {
        Place place = {NULL, key->labels[i], 0};
        if (i == last) {
            point->prefix_elems = i;
            point->prefix_length = point->bytes.length;
            if (buffer_put_u8(&point->bytes, 0) < 0) {
                return -1;
            }
        }
        if (encode_value(key->parts[i], PyTuple_GET_ITEM(value, i), &point->bytes, &place) < 0) {
            return -1;
        }
    }
    return 0;
}

static int encode_point(const Codec *key, PyObject *value, Point *point)
{
    point->prefix_length = point->prefix_elems = 0;
    if (key->kind == KIND_PRODUCT && key->class == NULL && key->count > 0) {
        return encode_columns(key, value, point);
    }
    return buffer_put_u8(&point->bytes, 0) < 0 ? -1 : encode_root(key, value, &point->bytes);
}

static uint32_t scan_point(uint32_t index, Point *point, uint32_t *out)
{
    const uint8_t *bound = point->bytes.data + point->prefix_length;
    uint32_t length = point->bytes.length - point->prefix_length;
    return host_scan_range(index, point->bytes.data, point->prefix_length, point->prefix_elems,
                           bound, length, bound, length, out);
}

static uint32_t delete_point(uint32_t index, Point *point, uint32_t *out)
{
    const uint8_t *bound = point->bytes.data + point->prefix_length;
    uint32_t length = point->bytes.length - point->prefix_length;
    return host_delete_range(index, point->bytes.data, point->prefix_length, point->prefix_elems,
                             bound, length, bound, length, out);
}
#endif

static int call_with_point(PointCall *call, const char *name, uint32_t index, const Codec *key,
                           PyObject *value, uint32_t *out)
{
    Point point;
    if (buffer_borrow(&point.bytes) < 0) {
        return -1;
    }
    int status = encode_point(key, value, &point);
    if (status == 0) {
        status = host_check(call(index, &point, out), name, index, 1);
    }
    buffer_give_back(&point.bytes);
    return status;
}

static int scan_key(const char *name, PyObject *const *args, Py_ssize_t count, Codec **row,
                    uint32_t *handle)
{
    uint32_t index;
    Codec *key;
    return take_count(name, count, 4) < 0 || take_u32(args[0], &index) < 0 ||
            take_codec(args[1], row) < 0 || take_codec(args[2], &key) < 0 ||
            call_with_point(scan_point, name, index, key, args[3], handle) < 0
        ? -1
        : 0;
}

static PyObject *find(ARGUMENTS)
{
    Codec *row;
    uint32_t handle = 0;
    return scan_key("find", args, count, &row, &handle) < 0 ? NULL : rows_only(handle, row);
}

static PyObject *filter(ARGUMENTS)
{
    Codec *row;
    uint32_t handle = 0;
    return scan_key("filter", args, count, &row, &handle) < 0 ? NULL : rows_new(handle, row);
}

static PyObject *delete_key(ARGUMENTS)
{
    uint32_t index, deleted = 0;
    Codec *key;
    if (take_count("delete_key", count, 3) < 0 || take_u32(args[0], &index) < 0 ||
        take_codec(args[1], &key) < 0 ||
        call_with_point(delete_point, "delete", index, key, args[2], &deleted) < 0) {
        return NULL;
    }
    return PyLong_FromUnsignedLong(deleted);
}

PyMethodDef lookup_functions[] = {
    {"table_id", table_id, METH_O, NULL},
    {"index_id", index_id, METH_O, NULL},
    {"row_count", row_count, METH_O, NULL},
    {"scan", (PyCFunction)(void *)scan, METH_FASTCALL, NULL},
    {"index_scan", (PyCFunction)(void *)index_scan, METH_FASTCALL, NULL},
    {"find", (PyCFunction)(void *)find, METH_FASTCALL, NULL},
    {"filter", (PyCFunction)(void *)filter, METH_FASTCALL, NULL},
    {"delete_key", (PyCFunction)(void *)delete_key, METH_FASTCALL, NULL},
    {"delete_where", (PyCFunction)(void *)delete_where, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
