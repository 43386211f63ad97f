#ifndef SPACETIME_MODULE_H
#define SPACETIME_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Makes the module `_spacetime`. */
PyObject *spacetime_module(void);

#endif
