/* What the host refuses, as Python exceptions. */
#ifndef SPACETIME_ERRORS_H
#define SPACETIME_ERRORS_H

#include "buffer.h"

/* 0 for an `errno` of 0; else -1 with the exception. `table` is the table's or the index's id. */
int host_check(uint32_t errno_, const char *call, uint32_t id, int is_index);

/* Names for messages, kept when they were looked up. */
int remember_name(uint32_t id, int is_index, PyObject *name);

/* Takes over a class given to `configure`; 0 when there is no such name, -1 with an exception. */
int errors_configure(const char *name, PyObject *class);

/* Makes HostError and adds it to the module. */
int errors_init(PyObject *module);

#endif
