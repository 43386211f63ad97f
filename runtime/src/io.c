#include "io.h"

#include "host.h"

int64_t now_micros;
uint64_t random_state;

int source_read(uint32_t source, Buffer *out)
{
    while (source != 0) {
        if (buffer_reserve(out, 4096) < 0) {
            return -1;
        }
        uint32_t length = out->capacity - out->length;
        int32_t answer = host_source_read(source, out->data + out->length, &length);
        if (answer != HOST_MORE && answer != HOST_FINISHED) {
            PyErr_Format(PyExc_RuntimeError, "bytes_source_read: error %d", answer);
            return -1;
        }
        out->length += length;
        if (answer == HOST_FINISHED) {
            break;
        }
    }
    return 0;
}

int sink_write(uint32_t sink, const void *data, size_t length)
{
    const uint8_t *next = data;
    while (length > 0) {
        uint32_t written = (uint32_t)length;
        if (host_sink_write(sink, next, &written) != 0 || written == 0) {
            return -1;
        }
        next += written;
        length -= written;
    }
    return 0;
}

int sink_write_text(uint32_t sink, const char *text)
{
    return sink_write(sink, text, strlen(text));
}
