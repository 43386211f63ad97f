/* Rows that the host hands over in chunks, decoded one at a time. */
#ifndef SPACETIME_ROWS_H
#define SPACETIME_ROWS_H

#include "codec.h"

extern PyTypeObject Rows_Type;

/* An iterator over what a host's handle gives. Takes the handle over, also when it fails. */
PyObject *rows_new(uint32_t handle, Codec *row);

/* The first row, None without one; closes the handle. For a unique index. */
PyObject *rows_only(uint32_t handle, Codec *row);

/* The number of the call the host is in: handles do not outlive it. */
extern uint64_t call_number;

#endif
