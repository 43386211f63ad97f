/* Bytes that grow, and bytes that are read: the two ends of BSATN. */
#ifndef SPACETIME_BUFFER_H
#define SPACETIME_BUFFER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    uint8_t *data;
    uint32_t length;
    uint32_t capacity;
} Buffer;

typedef struct {
    const uint8_t *start;
    const uint8_t *next;
    const uint8_t *end;
} Reader;

/* What the host may hand over in one piece; a row is far smaller. */
#define CHUNK 65536u

/* Makes room for `more` bytes; -1 with MemoryError or OverflowError. */
int buffer_grow(Buffer *buffer, uint32_t more);

/* An empty buffer with room for a chunk, kept from earlier use if there is one; give it back. */
int buffer_borrow(Buffer *buffer);
void buffer_give_back(Buffer *buffer);

static inline int buffer_reserve(Buffer *buffer, uint32_t more)
{
    return buffer->capacity - buffer->length >= more ? 0 : buffer_grow(buffer, more);
}

static inline int buffer_put(Buffer *buffer, const void *data, uint32_t length)
{
    if (buffer_reserve(buffer, length) < 0) {
        return -1;
    }
    memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
    return 0;
}

static inline int buffer_put_u8(Buffer *buffer, uint8_t value)
{
    return buffer_put(buffer, &value, 1);
}

static inline int buffer_put_u32(Buffer *buffer, uint32_t value)
{
    return buffer_put(buffer, &value, 4);
}

static inline uint32_t reader_left(const Reader *reader)
{
    return (uint32_t)(reader->end - reader->next);
}

#endif
