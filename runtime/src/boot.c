/* The interpreter's start, and what the packer calls. Nothing here runs in a database: the packer
 * takes the exports of this file out of the finished module. */
#include "compiler.h"
#include "host.h"
#include "io.h"
#include "module.h"
#include "program.h"

#include <stdlib.h>

#include <pycore_import.h>

#define EXPORT(name) __attribute__((export_name(name)))

extern void __wasm_call_ctors(void);
/* `encodings` and boot.py, made by freeze.py. */
extern const struct _frozen spacetime_frozen[];

static PyObject *command;

static void die(const char *text)
{
    host_log(LOG_PANIC, NULL, 0, NULL, 0, NO_LINE, text, (uint32_t)strlen(text));
    __builtin_trap();
}

static void check_status(PyStatus status)
{
    if (PyStatus_Exception(status)) {
        die(status.err_msg != NULL ? status.err_msg : "Python cannot start");
    }
}

/* No environment, no files, no site, no signals; the same hashes everywhere. */
static void start_python(void)
{
    PyPreConfig preconfig;
    PyPreConfig_InitIsolatedConfig(&preconfig);
    preconfig.utf8_mode = 1;
    check_status(Py_PreInitialize(&preconfig));
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    config.install_signal_handlers = 0;
    config.use_hash_seed = 1;
    config.hash_seed = 0;
    config.module_search_paths_set = 1;
    config.write_bytecode = 0;
    config.pathconfig_warnings = 0;
    wchar_t **names[] = {&config.executable,      &config.prefix,      &config.exec_prefix,
                         &config.base_executable, &config.base_prefix, &config.base_exec_prefix};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        check_status(PyConfig_SetString(&config, names[i], i % 3 == 0 ? L"/python" : L"/"));
    }
    check_status(Py_InitializeFromConfig(&config));
    PyConfig_Clear(&config);
}

EXPORT("spacetime_py_start")
void start(void)
{
    __wasm_call_ctors();
    PyImport_AppendInittab("_spacetime", spacetime_module);
    PyImport_FrozenModules = spacetime_frozen;
    start_python();
    PyObject *boot = PyImport_ImportModule("_boot");
    command = boot == NULL ? NULL : PyObject_GetAttrString(boot, "command");
    if (command == NULL) {
        PyErr_Print();
        die("the runtime's own Python does not start");
    }
    Py_DECREF(boot);
}

EXPORT("spacetime_py_alloc")
void *allocate(uint32_t size)
{
    return malloc(size > 0 ? size : 1);
}

static PyObject *run_command(const char *data, uint32_t length)
{
    PyObject *bytes = PyBytes_FromStringAndSize(data, length);
    PyObject *result = bytes == NULL ? NULL : PyObject_CallOneArg(command, bytes);
    Py_XDECREF(bytes);
    if (result != NULL && !PyBytes_Check(result)) {
        Py_CLEAR(result);
    }
    return result;
}

/* Runs one of boot.py's commands, its answer into the sink; frees the command. */
EXPORT("spacetime_py_command")
int32_t run(char *data, uint32_t length, uint32_t sink)
{
    PyObject *result = run_command(data, length);
    free(data);
    if (result == NULL) {
        PyErr_Print();
        return -1;
    }
    int status = sink_write(sink, PyBytes_AS_STRING(result), PyBytes_GET_SIZE(result));
    Py_DECREF(result);
    return status;
}

EXPORT("spacetime_py_bind")
int32_t bind(void)
{
    if (program_bind() < 0) {
        PyErr_Print();
        return -1;
    }
    return 0;
}

/* The C module is not to be imported any more. It has not been until now. */
static void drop_module(const char *name)
{
    struct _inittab *to = PyImport_Inittab;
    for (struct _inittab *from = PyImport_Inittab; from->name != NULL; from++) {
        if (strcmp(from->name, name) != 0) {
            *to++ = *from;
        }
    }
    *to = (struct _inittab){NULL, NULL};
}

/* Drops a group of functions, so that the packer may empty them; frees the name. */
EXPORT("spacetime_py_drop")
void drop(char *group)
{
    static const struct _frozen nothing[] = {{NULL, NULL, 0, 0, NULL}};
    if (strcmp(group, "compiler") == 0) {
        compiler_drop();
    } else if (strcmp(group, "frozen") == 0) {
        PyImport_FrozenModules = nothing;
        _PyImport_FrozenBootstrap = _PyImport_FrozenStdlib = _PyImport_FrozenTest = nothing;
    } else {
        drop_module(group);
    }
    free(group);
}

/* Zeroes the free heap, which a snapshot then need not hold: takes all of it, in ever smaller
 * blocks, and gives it back. */
EXPORT("spacetime_py_scrub")
void scrub(void)
{
    uintptr_t end = (uintptr_t)__builtin_wasm_memory_size(0) << 16;
    void **taken = NULL;
    for (size_t size = 65536; size >= 16; size /= 2) {
        void **block;
        while ((block = malloc(size)) != NULL) {
            memset(block, 0, size);
            *block = taken;
            taken = block;
            if ((uintptr_t)block + size >= end) {
                break; /* memory has grown: no hole of this size is left */
            }
        }
    }
    while (taken != NULL) {
        void **next = *taken;
        *taken = NULL;
        free(taken);
        taken = next;
    }
}
