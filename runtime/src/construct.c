/* A row class's own `__init__` does nothing but set attributes. `constructor(cls, ...)` lets calls
 * of the class do that in C. What is not plain (missing or unknown arguments) goes the usual way,
 * through `__init__`, which says what is wrong. */
#include "construct.h"

#include "arguments.h"

typedef struct {
    uint32_t count;
    int keywords_only;
    PyObject **names;
    PyObject **defaults; /* NULL: none */
    Py_ssize_t *slots;
} Constructor;

/* class -> capsule of its Constructor */
static PyObject *constructors;

static const Constructor *constructor_of(PyObject *class)
{
    PyObject *capsule = PyDict_GetItemWithError(constructors, class);
    return capsule == NULL ? NULL : PyCapsule_GetPointer(capsule, NULL);
}

/* The place of a keyword; names are interned, and so are those in calls. -1: unknown. */
static Py_ssize_t position_of(const Constructor *constructor, PyObject *name, uint32_t likely)
{
    if (likely < constructor->count && constructor->names[likely] == name) {
        return likely;
    }
    for (uint32_t i = 0; i < constructor->count; i++) {
        if (constructor->names[i] == name) {
            return i;
        }
    }
    return -1;
}

/* Sorts the arguments by field, borrowed. 0: not a plain call. */
static int sort_arguments(const Constructor *constructor, PyObject *const *args, Py_ssize_t given,
                          PyObject *keywords, PyObject **values)
{
    if (given > (constructor->keywords_only ? 0 : (Py_ssize_t)constructor->count)) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < given; i++) {
        values[i] = args[i];
    }
    Py_ssize_t named = keywords == NULL ? 0 : PyTuple_GET_SIZE(keywords);
    for (Py_ssize_t i = 0; i < named; i++) {
        Py_ssize_t at = position_of(constructor, PyTuple_GET_ITEM(keywords, i),
                                    (uint32_t)(given + i));
        if (at < 0 || values[at] != NULL) {
            return 0;
        }
        values[at] = args[given + i];
    }
    for (uint32_t i = 0; i < constructor->count; i++) {
        if (values[i] == NULL && (values[i] = constructor->defaults[i]) == NULL) {
            return 0;
        }
    }
    return 1;
}

/* A list that is a default is not to be shared between rows. */
static int set_value(const Constructor *constructor, uint32_t i, PyObject *object, PyObject *value)
{
    if (value == constructor->defaults[i] && PyList_CheckExact(value)) {
        PyObject *copy = PyList_GetSlice(value, 0, PyList_GET_SIZE(value));
        int status = copy == NULL
            ? -1
            : set_field(object, constructor->names[i], constructor->slots[i], copy);
        Py_XDECREF(copy);
        return status;
    }
    return set_field(object, constructor->names[i], constructor->slots[i], value);
}

#define MOST_FIELDS 64

static PyObject *construct(PyObject *class, PyObject *const *args, size_t flags, PyObject *keywords)
{
    PyObject *values[MOST_FIELDS] = {NULL};
    Py_ssize_t given = PyVectorcall_NARGS(flags);
    const Constructor *constructor = constructor_of(class);
    if (constructor == NULL || !sort_arguments(constructor, args, given, keywords, values)) {
        return PyErr_Occurred()
            ? NULL
            : _PyObject_MakeTpCall(PyThreadState_Get(), class, args, given, keywords);
    }
    PyObject *object = new_plain((PyTypeObject *)class);
    for (uint32_t i = 0; object != NULL && i < constructor->count; i++) {
        if (set_value(constructor, i, object, values[i]) < 0) {
            Py_CLEAR(object);
        }
    }
    return object;
}

/* ------------------------------------------------------------------ setting it up */

static Constructor *new_constructor(PyTypeObject *class, PyObject *names, PyObject *defaults)
{
    Py_ssize_t count = PyTuple_GET_SIZE(names);
    Constructor *made = PyMem_Calloc(1, sizeof *made);
    if (made == NULL || (made->names = PyMem_Calloc(count + 1, sizeof *made->names)) == NULL ||
        (made->defaults = PyMem_Calloc(count + 1, sizeof *made->defaults)) == NULL ||
        (made->slots = PyMem_Calloc(count + 1, sizeof *made->slots)) == NULL) {
        PyErr_NoMemory(); /* the module is not built then */
        return NULL;
    }
    made->count = (uint32_t)count;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *name = made->names[i] = Py_NewRef(PyTuple_GET_ITEM(names, i));
        PyUnicode_InternInPlace(&made->names[i]);
        made->defaults[i] = Py_XNewRef(PyDict_GetItemWithError(defaults, name));
        made->slots[i] = slot_of(class, name);
    }
    return PyErr_Occurred() ? NULL : made;
}

static int set_up(PyTypeObject *class, PyObject *names, PyObject *defaults, int keywords_only)
{
    if (constructors == NULL && (constructors = PyDict_New()) == NULL) {
        return -1;
    }
    Constructor *made = new_constructor(class, names, defaults);
    PyObject *capsule = made == NULL ? NULL : PyCapsule_New(made, NULL, NULL);
    if (capsule == NULL || PyDict_SetItem(constructors, (PyObject *)class, capsule) < 0) {
        Py_XDECREF(capsule);
        return -1;
    }
    Py_DECREF(capsule);
    made->keywords_only = keywords_only;
    class->tp_vectorcall = construct; /* which subclasses do not inherit */
    return 0;
}

static PyObject *constructor(ARGUMENTS)
{
    if (take_count("constructor", count, 4) < 0) {
        return NULL;
    }
    PyTypeObject *class = (PyTypeObject *)args[0];
    if (!PyType_Check(args[0]) || !PyTuple_Check(args[1]) || !PyDict_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "constructor: expected class, names, defaults, keywords");
        return NULL;
    }
    /* Classes that make their instances in a way of their own keep it. */
    int plain = class->tp_new == PyBaseObject_Type.tp_new && Py_IS_TYPE(class, &PyType_Type) &&
        class->tp_flags & Py_TPFLAGS_HEAPTYPE && PyTuple_GET_SIZE(args[1]) <= MOST_FIELDS;
    if (plain && set_up(class, args[1], args[2], PyObject_IsTrue(args[3])) < 0) {
        return NULL;
    }
    return PyBool_FromLong(plain);
}

PyMethodDef construct_functions[] = {
    {"constructor", (PyCFunction)(void *)constructor, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
