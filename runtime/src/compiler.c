/* The ways into the compiler. The linker's `--wrap` puts these functions before the real ones. */
#include "compiler.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <pycore_ast.h>
#include <pycore_parser.h>

static int dropped;

void compiler_drop(void)
{
    dropped = 1;
}

static int refuse(void)
{
    if (dropped) {
        PyErr_SetString(PyExc_RuntimeError,
                        "compile(), and eval() and exec() of text, are left out of this database "
                        "module: set `compiler = true` under [tool.spacetime] to have them");
    }
    return dropped;
}

extern mod_ty __real__PyParser_ASTFromString(const char *text, PyObject *filename, int mode,
                                             PyCompilerFlags *flags, PyArena *arena);

mod_ty __wrap__PyParser_ASTFromString(const char *text, PyObject *filename, int mode,
                                      PyCompilerFlags *flags, PyArena *arena)
{
    return refuse() ? NULL : __real__PyParser_ASTFromString(text, filename, mode, flags, arena);
}

extern int __real_PyAST_Check(PyObject *object);

/* `compile` asks first whether it is given a tree. */
int __wrap_PyAST_Check(PyObject *object)
{
    return refuse() ? -1 : __real_PyAST_Check(object);
}
