/* What procedures may do beside reducers; empty where the ABI level has no procedures. */
#ifndef SPACETIME_PROCEDURES_H
#define SPACETIME_PROCEDURES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyMethodDef procedure_functions[];

#endif
