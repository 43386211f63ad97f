/* The user's program: looked up once, when the module is built; called ever after. */
#ifndef SPACETIME_PROGRAM_H
#define SPACETIME_PROGRAM_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Takes the functions of `spacetime_py.server._program`, and the description's bytes. */
int program_bind(void);
int program_is_bound(void);

#endif
