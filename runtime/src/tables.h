/* The functions of `_spacetime` that read and change tables. */
#ifndef SPACETIME_TABLES_H
#define SPACETIME_TABLES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyMethodDef lookup_functions[];
extern PyMethodDef change_functions[];

#endif
