/* The calls that a SpacetimeDB host offers, exactly those that this ABI level may import.
 *
 * A pointer of 0 traps in the host even with length 0: pass the address of something. */
#ifndef SPACETIME_HOST_H
#define SPACETIME_HOST_H

#include <stdint.h>

#ifndef ABI_MINOR
#error "ABI_MINOR is 0 or 5"
#endif

#define HOST(module, name) __attribute__((import_module(module), import_name(#name))) extern

HOST("spacetime_10.0", table_id_from_name)
uint32_t host_table_id(const char *name, uint32_t length, uint32_t *id);
HOST("spacetime_10.0", index_id_from_name)
uint32_t host_index_id(const char *name, uint32_t length, uint32_t *id);
HOST("spacetime_10.0", datastore_table_row_count)
uint32_t host_row_count(uint32_t table, uint64_t *count);
HOST("spacetime_10.0", datastore_table_scan_bsatn)
uint32_t host_scan(uint32_t table, uint32_t *rows);
HOST("spacetime_10.0", datastore_index_scan_range_bsatn)
uint32_t host_scan_range(uint32_t index, const uint8_t *prefix, uint32_t prefix_length,
                         uint32_t prefix_elems, const uint8_t *start, uint32_t start_length,
                         const uint8_t *end, uint32_t end_length, uint32_t *rows);
HOST("spacetime_10.0", datastore_delete_by_index_scan_range_bsatn)
uint32_t host_delete_range(uint32_t index, const uint8_t *prefix, uint32_t prefix_length,
                           uint32_t prefix_elems, const uint8_t *start, uint32_t start_length,
                           const uint8_t *end, uint32_t end_length, uint32_t *count);
HOST("spacetime_10.0", datastore_delete_all_by_eq_bsatn)
uint32_t host_delete_rows(uint32_t table, const uint8_t *rows, uint32_t length, uint32_t *count);
HOST("spacetime_10.0", datastore_insert_bsatn)
uint32_t host_insert(uint32_t table, uint8_t *row, uint32_t *length);
HOST("spacetime_10.0", datastore_update_bsatn)
uint32_t host_update(uint32_t table, uint32_t index, uint8_t *row, uint32_t *length);
HOST("spacetime_10.0", row_iter_bsatn_advance)
int32_t host_rows_advance(uint32_t rows, uint8_t *buffer, uint32_t *length);
HOST("spacetime_10.0", row_iter_bsatn_close)
uint32_t host_rows_close(uint32_t rows);
HOST("spacetime_10.0", bytes_source_read)
int32_t host_source_read(uint32_t source, uint8_t *buffer, uint32_t *length);
HOST("spacetime_10.0", bytes_sink_write)
uint32_t host_sink_write(uint32_t sink, const uint8_t *data, uint32_t *length);
HOST("spacetime_10.0", console_log)
void host_log(uint32_t level, const char *target, uint32_t target_length, const char *filename,
              uint32_t filename_length, uint32_t line, const char *text, uint32_t text_length);
HOST("spacetime_10.0", identity)
void host_identity(uint8_t *identity);

#if ABI_MINOR >= 5
HOST("spacetime_10.2", get_jwt)
uint32_t host_jwt(const uint8_t *connection_id, uint32_t *source);
HOST("spacetime_10.3", procedure_sleep_until)
int64_t host_sleep_until(int64_t micros);
HOST("spacetime_10.3", procedure_start_mut_tx)
uint32_t host_start_tx(int64_t *micros);
HOST("spacetime_10.3", procedure_commit_mut_tx)
uint32_t host_commit_tx(void);
HOST("spacetime_10.3", procedure_abort_mut_tx)
uint32_t host_abort_tx(void);
HOST("spacetime_10.3", procedure_http_request)
uint32_t host_http_request(const uint8_t *request, uint32_t request_length, const uint8_t *body,
                           uint32_t body_length, uint32_t sources[2]);
HOST("spacetime_10.4", datastore_index_scan_point_bsatn)
uint32_t host_scan_point(uint32_t index, const uint8_t *point, uint32_t length, uint32_t *rows);
HOST("spacetime_10.4", datastore_delete_by_index_scan_point_bsatn)
uint32_t host_delete_point(uint32_t index, const uint8_t *point, uint32_t length, uint32_t *count);
HOST("spacetime_10.5", datastore_clear)
uint32_t host_clear(uint32_t table, uint64_t *count);
#endif

/* Answers of `host_rows_advance` and `host_source_read`. */
enum { HOST_MORE = 0, HOST_FINISHED = -1 };

/* Error numbers of the other calls. */
enum {
    HOST_NOT_IN_TRANSACTION = 2,
    HOST_NO_SUCH_TABLE = 4,
    HOST_NO_SUCH_INDEX = 5,
    HOST_BUFFER_TOO_SMALL = 11,
    HOST_NOT_UNIQUE = 12,
    HOST_SCHEDULE_TOO_FAR = 13,
    HOST_INDEX_NOT_UNIQUE = 14,
    HOST_NO_SUCH_ROW = 15,
    HOST_AUTO_INC_OVERFLOW = 16,
    HOST_HTTP_ERROR = 21,
};

/* Levels of `host_log`. */
enum { LOG_ERROR = 0, LOG_WARN = 1, LOG_INFO = 2, LOG_DEBUG = 3, LOG_TRACE = 4, LOG_PANIC = 101 };
#define NO_LINE UINT32_MAX

#endif
