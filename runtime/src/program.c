/* What the host calls: the description, reducers, views and procedures. */
#include "program.h"

#include "codec.h"
#include "host.h"
#include "io.h"
#include "rows.h"

#define EXPORT(name) __attribute__((export_name(name)))

/* Answers to the host. */
enum { DONE = 0, FAILED = 1, DONE_WITH_HEADER = 2, BROKEN = 3 };

typedef struct {
    PyObject *callable;
    Codec *arguments; /* NULL: none */
} Function;

typedef struct {
    Function *functions;
    uint32_t count;
} Functions;

static Functions reducers;
#if ABI_MINOR >= 5
static Functions views, anonymous_views, procedures;
static PyObject *new_view_context, *new_anonymous_view_context, *new_procedure_context;
#endif
static PyObject *new_context, *error_text, *log_exception, *description;

/* ------------------------------------------------------------------ binding */

static int bind_function(PyObject *entry, const char *list, Function *function)
{
    PyObject *callable, *codec;
    if (!PyTuple_Check(entry) || !PyArg_ParseTuple(entry, "OO", &callable, &codec)) {
        PyErr_Format(PyExc_TypeError, "%s: expected (function, codec), got %R", list, entry);
        return -1;
    }
    if (codec != Py_None) {
        const Codec *arguments = Codec_Check(codec) ? codec_resolve((Codec *)codec) : NULL;
        if (arguments == NULL || arguments->kind != KIND_PRODUCT || arguments->class != NULL) {
            PyErr_Format(PyExc_TypeError, "%s: expected the codec of a tuple, got %R", list, codec);
            return -1;
        }
        function->arguments = (Codec *)Py_NewRef(arguments);
    }
    function->callable = Py_NewRef(callable);
    return 0;
}

static int bind_list(PyObject *program, const char *name, Functions *functions)
{
    PyObject *list = PyObject_GetAttrString(program, name);
    if (list == NULL || !PyList_Check(list)) {
        Py_XDECREF(list);
        PyErr_Format(PyExc_TypeError, "%s: expected a list", name);
        return -1;
    }
    Py_ssize_t count = PyList_GET_SIZE(list);
    functions->functions = PyMem_Calloc(count ? count : 1, sizeof *functions->functions);
    int status = functions->functions == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; status == 0 && i < count; i++) {
        status = bind_function(PyList_GET_ITEM(list, i), name, &functions->functions[i]);
    }
    functions->count = status == 0 ? (uint32_t)count : 0;
    Py_DECREF(list);
    return status;
}

static int bind_object(PyObject *program, const char *name, PyObject **object)
{
    *object = PyObject_GetAttrString(program, name);
    return *object == NULL ? -1 : 0;
}

static int bind_description(PyObject *program)
{
    description = PyObject_CallMethod(program, "describe", NULL);
    if (description != NULL && !PyBytes_Check(description)) {
        Py_CLEAR(description);
        PyErr_SetString(PyExc_TypeError, "describe() gave no bytes");
    }
    return description == NULL ? -1 : 0;
}

static int bind_all(PyObject *program)
{
    if (bind_list(program, "reducers", &reducers) < 0 ||
        bind_object(program, "new_context", &new_context) < 0 ||
        bind_object(program, "error_text", &error_text) < 0 ||
        bind_object(program, "log_exception", &log_exception) < 0) {
        return -1;
    }
#if ABI_MINOR >= 5
    if (bind_list(program, "views", &views) < 0 ||
        bind_list(program, "anonymous_views", &anonymous_views) < 0 ||
        bind_list(program, "procedures", &procedures) < 0 ||
        bind_object(program, "new_view_context", &new_view_context) < 0 ||
        bind_object(program, "new_anonymous_view_context", &new_anonymous_view_context) < 0 ||
        bind_object(program, "new_procedure_context", &new_procedure_context) < 0) {
        return -1;
    }
#endif
    return bind_description(program);
}

int program_bind(void)
{
    PyObject *program = PyImport_ImportModule("spacetime_py.server._program");
    int status = program == NULL ? -1 : bind_all(program);
    Py_XDECREF(program);
    return status;
}

int program_is_bound(void)
{
    return description != NULL;
}

/* ------------------------------------------------------------------ failures */

static void log_text(const char *text)
{
    host_log(LOG_ERROR, NULL, 0, NULL, 0, NO_LINE, text, (uint32_t)strlen(text));
}

/* What the program's own functions could not do: type and text, or what there is of them. */
static void tell_plainly(uint32_t sink, PyObject *error)
{
    PyErr_Clear();
    PyObject *shown = PyObject_Str(error);
    const char *text = shown == NULL ? NULL : PyUnicode_AsUTF8(shown);
    sink_write_text(sink, Py_TYPE(error)->tp_name);
    if (text != NULL && *text != '\0') {
        sink_write_text(sink, ": ");
        sink_write_text(sink, text);
    }
    Py_XDECREF(shown);
    PyErr_Clear();
}

static int tell(uint32_t sink, PyObject *error)
{
    PyObject *text = PyObject_CallOneArg(error_text, error);
    Py_ssize_t length;
    const char *utf8 = text == NULL || !PyUnicode_Check(text)
        ? NULL
        : PyUnicode_AsUTF8AndSize(text, &length);
    if (utf8 != NULL) {
        sink_write(sink, utf8, (size_t)length);
    }
    Py_XDECREF(text);
    return utf8 == NULL ? -1 : 0;
}

/* Takes the exception that is set: its text to the caller, its traceback to the log. */
static int fail(uint32_t sink)
{
    PyObject *type, *error, *trace;
    PyErr_Fetch(&type, &error, &trace);
    PyErr_NormalizeException(&type, &error, &trace);
    if (error == NULL) {
        log_text("an exception that cannot be told");
        PyErr_Clear();
        return FAILED;
    }
    if (trace != NULL) {
        PyException_SetTraceback(error, trace);
    }
    if (sink != 0 && tell(sink, error) < 0) {
        tell_plainly(sink, error);
    }
    PyObject *logged = PyObject_CallOneArg(log_exception, error);
    if (logged == NULL) {
        PyErr_Clear();
        log_text("an exception whose traceback cannot be told");
    }
    Py_XDECREF(logged);
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(trace);
    return FAILED;
}

/* ------------------------------------------------------------------ calls */

#define FEW_ARGUMENTS 16

static void begin_call(int64_t micros, uint64_t seed)
{
    call_number++;
    nesting = 0;
    now_micros = micros;
    random_state = seed ^ (uint64_t)micros * 0x9e3779b97f4a7c15u;
}

static PyObject *call_with(const Function *function, PyObject *context, Reader *in, PyObject **room)
{
    const Codec *codec = function->arguments;
    Py_ssize_t count = 0;
    room[0] = context;
    if (codec != NULL) {
        if (decode_fields(codec, in, room + 1) < 0) {
            return NULL;
        }
        count = codec->count;
    }
    PyObject *result = reader_finish(codec, in) < 0
        ? NULL
        : PyObject_Vectorcall(function->callable, room, (size_t)count + 1, NULL);
    for (Py_ssize_t i = 1; i <= count; i++) {
        Py_DECREF(room[i]);
    }
    return result;
}

static PyObject *call_with_room(const Function *function, PyObject *context, Reader *in)
{
    PyObject *few[FEW_ARGUMENTS + 1];
    uint32_t count = function->arguments == NULL ? 0 : function->arguments->count;
    if (count <= FEW_ARGUMENTS) {
        return call_with(function, context, in, few);
    }
    PyObject **room = PyMem_Calloc(count + 1, sizeof *room);
    if (room == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *result = call_with(function, context, in, room);
    PyMem_Free(room);
    return result;
}

/* Calls one of the functions. Takes the context over, which is NULL when it could not be made. */
static PyObject *call(const Functions *functions, uint32_t id, PyObject *context, uint32_t source)
{
    if (context == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    Buffer buffer;
    if (id >= functions->count) {
        PyErr_Format(PyExc_RuntimeError, "this module has no function %u", id);
    } else if (buffer_borrow(&buffer) == 0) {
        if (source_read(source, &buffer) == 0) {
            Reader in = {buffer.data, buffer.data, buffer.data + buffer.length};
            result = call_with_room(&functions->functions[id], context, &in);
        }
        buffer_give_back(&buffer);
    }
    Py_DECREF(context);
    return result;
}

/* Who calls, and when, as the host gives it: in BSATN the three are these bytes. */
typedef struct __attribute__((packed)) {
    uint64_t sender[4];
    uint64_t connection_id[2];
    int64_t micros;
} Caller;

static PyObject *bytes_from(const void *data, Py_ssize_t size)
{
    return PyBytes_FromStringAndSize(data, size);
}

/* The context of a call: decoded by a codec, or made by a function that is given the parts. */
static PyObject *make_context(PyObject *maker, const Caller *caller)
{
    if (Codec_Check(maker)) {
        const uint8_t *data = (const uint8_t *)caller;
        Reader in = {data, data, data + sizeof *caller};
        return decode_value((const Codec *)maker, &in, NULL);
    }
    PyObject *arguments[3] = {bytes_from(caller->sender, 32), bytes_from(caller->connection_id, 16),
                              PyLong_FromLongLong(caller->micros)};
    PyObject *context = NULL;
    if (arguments[0] != NULL && arguments[1] != NULL && arguments[2] != NULL) {
        context = PyObject_Vectorcall(maker, arguments, 3, NULL);
    }
    for (int i = 0; i < 3; i++) {
        Py_XDECREF(arguments[i]);
    }
    return context;
}

EXPORT("__call_reducer__")
int32_t call_reducer(uint32_t id, uint64_t s0, uint64_t s1, uint64_t s2, uint64_t s3, uint64_t c0,
                     uint64_t c1, int64_t micros, uint32_t source, uint32_t error_sink)
{
    Caller caller = {{s0, s1, s2, s3}, {c0, c1}, micros};
    begin_call(micros, s1 ^ c0);
    PyObject *context = make_context(new_context, &caller);
    PyObject *result = call(&reducers, id, context, source);
    if (result == NULL) {
        return fail(error_sink);
    }
    Py_DECREF(result);
    return DONE;
}

#if ABI_MINOR >= 5
/* The result's bytes to the sink; takes it over. */
static int answer(PyObject *result, uint32_t sink, int done)
{
    if (result != NULL && !PyBytes_Check(result)) {
        PyErr_Format(PyExc_TypeError, "the result is no bytes but %s", Py_TYPE(result)->tp_name);
        Py_CLEAR(result);
    }
    if (result == NULL) {
        return -1;
    }
    int status = sink_write(sink, PyBytes_AS_STRING(result), PyBytes_GET_SIZE(result));
    Py_DECREF(result);
    return status < 0 ? BROKEN : done;
}

EXPORT("__call_procedure__")
int32_t call_procedure(uint32_t id, uint64_t s0, uint64_t s1, uint64_t s2, uint64_t s3,
                       uint64_t c0, uint64_t c1, int64_t micros, uint32_t source,
                       uint32_t result_sink)
{
    Caller caller = {{s0, s1, s2, s3}, {c0, c1}, micros};
    begin_call(micros, s1 ^ c0);
    PyObject *context = make_context(new_procedure_context, &caller);
    int status = answer(call(&procedures, id, context, source), result_sink, DONE);
    return status < 0 ? fail(0) : status; /* a procedure has no way to give the text */
}

static PyObject *make_view_context(const Caller *caller)
{
    if (Codec_Check(new_view_context)) {
        return make_context(new_view_context, caller);
    }
    PyObject *sender = bytes_from(caller->sender, 32);
    PyObject *context = sender == NULL ? NULL : PyObject_CallOneArg(new_view_context, sender);
    Py_XDECREF(sender);
    return context;
}

EXPORT("__call_view__")
int32_t call_view(uint32_t id, uint64_t s0, uint64_t s1, uint64_t s2, uint64_t s3, uint32_t source,
                  uint32_t result_sink)
{
    Caller caller = {{s0, s1, s2, s3}, {0, 0}, 0};
    begin_call(0, s1);
    PyObject *context = make_view_context(&caller);
    int status = answer(call(&views, id, context, source), result_sink, DONE_WITH_HEADER);
    return status < 0 ? fail(result_sink) : status;
}

EXPORT("__call_view_anon__")
int32_t call_view_anon(uint32_t id, uint32_t source, uint32_t result_sink)
{
    begin_call(0, 0);
    PyObject *context = PyObject_CallNoArgs(new_anonymous_view_context);
    int status = answer(call(&anonymous_views, id, context, source), result_sink, DONE_WITH_HEADER);
    return status < 0 ? fail(result_sink) : status;
}
#endif

/* ------------------------------------------------------------------ the start of an instance */

EXPORT("__setup__")
int32_t setup(uint32_t error_sink)
{
    if (program_is_bound()) {
        return DONE;
    }
    sink_write_text(error_sink, "there is no program in this module: it is the bare runtime");
    return FAILED;
}

EXPORT("__describe_module__")
void describe_module(uint32_t sink)
{
    if (description != NULL) {
        sink_write(sink, PyBytes_AS_STRING(description), PyBytes_GET_SIZE(description));
    }
}
