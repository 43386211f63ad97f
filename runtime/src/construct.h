/* Rows made in C: calling a row class without a frame of Python for its `__init__`. */
#ifndef SPACETIME_CONSTRUCT_H
#define SPACETIME_CONSTRUCT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyMethodDef construct_functions[];

#endif
