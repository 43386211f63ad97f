#include "buffer.h"

#include <stdlib.h>

/* Reducers work with one or two buffers at a time: inserts with one, nested iterations with more. */
#define KEPT 4
/* A buffer that grew for one huge row is not kept. */
#define KEPT_CAPACITY (4 * CHUNK)

static Buffer kept[KEPT];
static int kept_count;

int buffer_grow(Buffer *buffer, uint32_t more)
{
    uint64_t wanted = (uint64_t)buffer->length + more;
    uint64_t doubled = (uint64_t)buffer->capacity * 2;
    if (wanted > INT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "a value of more than 2 GiB");
        return -1;
    }
    if (doubled > wanted && doubled <= INT32_MAX) {
        wanted = doubled;
    }
    if (wanted < 256) {
        wanted = 256;
    }
    uint8_t *data = realloc(buffer->data, (size_t)wanted);
    if (data == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    buffer->data = data;
    buffer->capacity = (uint32_t)wanted;
    return 0;
}

int buffer_borrow(Buffer *buffer)
{
    if (kept_count > 0) {
        *buffer = kept[--kept_count];
        buffer->length = 0;
        return 0;
    }
    memset(buffer, 0, sizeof *buffer);
    return buffer_grow(buffer, CHUNK);
}

void buffer_give_back(Buffer *buffer)
{
    if (buffer->data != NULL && kept_count < KEPT && buffer->capacity <= KEPT_CAPACITY) {
        kept[kept_count++] = *buffer;
    } else {
        free(buffer->data);
    }
    memset(buffer, 0, sizeof *buffer);
}
