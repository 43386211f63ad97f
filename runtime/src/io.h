/* Bytes to and from the host, the clock, and chance. */
#ifndef SPACETIME_IO_H
#define SPACETIME_IO_H

#include "buffer.h"

/* What every clock shows: the call's timestamp, in microseconds since 1970. */
extern int64_t now_micros;

/* The state behind `os.urandom`, set anew for each call. */
extern uint64_t random_state;

/* Appends all that a source holds; 0 has nothing. -1 with an exception. */
int source_read(uint32_t source, Buffer *out);

/* -1 when the sink is none; no exception. */
int sink_write(uint32_t sink, const void *data, size_t length);
int sink_write_text(uint32_t sink, const char *text);

#endif
