#include "errors.h"

#include "host.h"

/* The classes to raise: ours, until `configure` gives others. */
static PyObject *host_error;

static struct {
    uint32_t number;
    const char *name;
    const char *text;
    PyObject *class;
} refusals[] = {
    {HOST_NOT_UNIQUE, "UniqueViolation",
     "another row has the same value in a unique column, or the same primary key", NULL},
    {HOST_NO_SUCH_ROW, "NoSuchRow", "no row has that value in the unique column", NULL},
    {HOST_AUTO_INC_OVERFLOW, "AutoIncOverflow",
     "the auto-increment column has no number left: give it a wider integer type", NULL},
    {HOST_SCHEDULE_TOO_FAR, "ScheduleTooFar",
     "the time to be scheduled at is too far in the future (about two years)", NULL},
    {HOST_NOT_IN_TRANSACTION, NULL,
     "there is no transaction here: the database is at hand in reducers and views, and in a "
     "procedure's transaction",
     NULL},
    {HOST_NO_SUCH_TABLE, NULL, "the database has no such table", NULL},
    {HOST_NO_SUCH_INDEX, NULL, "the database has no such index", NULL},
    {HOST_INDEX_NOT_UNIQUE, NULL, "the index is not of a unique column", NULL},
    {3, NULL, "the host cannot read the row: its type is another one there", NULL},
    {6, NULL, "the rows are used up", NULL},
    {9, NULL, "no space is left", NULL},
    {10, NULL, "the index cannot be searched in this way", NULL},
    {17, NULL, "a transaction is open: this call has to wait until it ends", NULL},
    {18, NULL, "an anonymous view has no sender", NULL},
    {19, NULL, "a view reads only", NULL},
    {20, NULL, "a transaction is open already", NULL},
};
#define REFUSALS (sizeof refusals / sizeof *refusals)

/* id -> name; tables and indexes are numbered each for themselves. */
static PyObject *names[2];

int remember_name(uint32_t id, int is_index, PyObject *name)
{
    if (names[is_index] == NULL && (names[is_index] = PyDict_New()) == NULL) {
        return -1;
    }
    PyObject *key = PyLong_FromUnsignedLong(id);
    int status = key == NULL ? -1 : PyDict_SetItem(names[is_index], key, name);
    Py_XDECREF(key);
    return status;
}

static PyObject *name_of(uint32_t id, int is_index)
{
    PyObject *key = PyLong_FromUnsignedLong(id);
    PyObject *name = NULL;
    if (key != NULL && names[is_index] != NULL) {
        name = PyDict_GetItemWithError(names[is_index], key);
    }
    Py_XDECREF(key);
    const char *kind = is_index ? "index" : "table";
    if (name == NULL) {
        PyErr_Clear();
        return id == 0 ? PyUnicode_FromString("") : PyUnicode_FromFormat(" %s %u", kind, id);
    }
    return PyUnicode_FromFormat(" %s %U", kind, name);
}

static void raise_host_error(PyObject *class, PyObject *text, uint32_t number, const char *call)
{
    PyObject *error = PyObject_CallOneArg(class, text);
    PyObject *errno_ = PyLong_FromUnsignedLong(number);
    PyObject *name = PyUnicode_FromString(call);
    if (error != NULL && errno_ != NULL && name != NULL &&
        PyObject_SetAttrString(error, "errno", errno_) == 0 &&
        PyObject_SetAttrString(error, "call", name) == 0) {
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    }
    Py_XDECREF(error);
    Py_XDECREF(errno_);
    Py_XDECREF(name);
}

static int refuse(uint32_t number, const char *call, uint32_t id, int is_index)
{
    PyObject *class = host_error;
    const char *why = NULL;
    for (size_t i = 0; i < REFUSALS; i++) {
        if (refusals[i].number == number) {
            why = refusals[i].text;
            class = refusals[i].class != NULL ? refusals[i].class : host_error;
        }
    }
    PyObject *name = name_of(id, is_index);
    if (name != NULL) {
        PyObject *text = why != NULL
            ? PyUnicode_FromFormat("%s%U: %s", call, name, why)
            : PyUnicode_FromFormat("%s%U: the host answers with error %u", call, name, number);
        if (text != NULL) {
            raise_host_error(class, text, number, call);
            Py_DECREF(text);
        }
        Py_DECREF(name);
    }
    return -1;
}

int host_check(uint32_t errno_, const char *call, uint32_t id, int is_index)
{
    return errno_ == 0 ? 0 : refuse(errno_, call, id, is_index);
}

int errors_configure(const char *name, PyObject *class)
{
    PyObject **place = strcmp(name, "HostError") == 0 ? &host_error : NULL;
    for (size_t i = 0; i < REFUSALS; i++) {
        if (refusals[i].name != NULL && strcmp(name, refusals[i].name) == 0) {
            place = &refusals[i].class;
        }
    }
    if (place == NULL) {
        return 0;
    }
    if (!PyExceptionClass_Check(class)) {
        PyErr_Format(PyExc_TypeError, "configure: %s is no class of exceptions", name);
        return -1;
    }
    Py_XSETREF(*place, Py_NewRef(class));
    return 1;
}

int errors_init(PyObject *module)
{
    host_error = PyErr_NewExceptionWithDoc("_spacetime.HostError",
                                           "The host refused a call: `errno`, `call`.",
                                           PyExc_RuntimeError, NULL);
    return host_error == NULL ? -1 : PyModule_AddObjectRef(module, "HostError", host_error);
}
