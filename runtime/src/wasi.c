/* The WASI calls of libc, answered inside the module: no import of WASI is left.
 *
 * There are no files, no sockets and no other processes; the clock stands at the call's timestamp,
 * and chance is a function of the call. What is written to standard output goes to the log. */
#include "host.h"
#include "io.h"

#define WASI(name) __imported_wasi_snapshot_preview1_##name

enum { ERRNO_SUCCESS = 0, ERRNO_BADF = 8, ERRNO_NOENT = 44, ERRNO_NOSYS = 52 };
enum { FILETYPE_CHARACTER_DEVICE = 2 };
enum { LAST_STANDARD_FD = 2 };

/* ------------------------------------------------------------------ what there is */

int32_t WASI(clock_res_get)(int32_t clock, uint64_t *resolution)
{
    (void)clock;
    *resolution = 1000;
    return ERRNO_SUCCESS;
}

int32_t WASI(clock_time_get)(int32_t clock, int64_t precision, uint64_t *nanos)
{
    (void)clock, (void)precision;
    *nanos = (uint64_t)now_micros * 1000;
    return ERRNO_SUCCESS;
}

/* splitmix64 */
static uint64_t next_random(void)
{
    uint64_t mixed = random_state += 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

int32_t WASI(random_get)(uint8_t *bytes, uint32_t length)
{
    for (uint32_t i = 0; i < length; i += 8) {
        uint64_t number = next_random();
        memcpy(bytes + i, &number, length - i < 8 ? length - i : 8);
    }
    return ERRNO_SUCCESS;
}

typedef struct {
    const char *data;
    uint32_t length;
} Piece;

int32_t WASI(fd_write)(int32_t fd, const Piece *pieces, uint32_t count, uint32_t *written)
{
    if (fd != 1 && fd != 2) {
        return ERRNO_BADF;
    }
    *written = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (pieces[i].length > 0) {
            host_log(fd == 1 ? LOG_INFO : LOG_WARN, NULL, 0, NULL, 0, NO_LINE, pieces[i].data,
                     pieces[i].length);
        }
        *written += pieces[i].length;
    }
    return ERRNO_SUCCESS;
}

int32_t WASI(fd_fdstat_get)(int32_t fd, uint8_t *stat)
{
    if (fd > LAST_STANDARD_FD) {
        return ERRNO_BADF;
    }
    memset(stat, 0, 24);
    stat[0] = FILETYPE_CHARACTER_DEVICE;
    memset(stat + 8, 0xff, 8); /* rights */
    return ERRNO_SUCCESS;
}

int32_t WASI(fd_filestat_get)(int32_t fd, uint8_t *stat)
{
    if (fd > LAST_STANDARD_FD) {
        return ERRNO_BADF;
    }
    memset(stat, 0, 64);
    stat[16] = FILETYPE_CHARACTER_DEVICE;
    return ERRNO_SUCCESS;
}

_Noreturn void WASI(proc_exit)(int32_t code)
{
    (void)code;
    static const char text[] = "the interpreter ended itself: the instance is given up";
    host_log(LOG_PANIC, NULL, 0, NULL, 0, NO_LINE, text, sizeof text - 1);
    __builtin_trap();
}

int32_t WASI(sched_yield)(void)
{
    return ERRNO_SUCCESS;
}

static int32_t no_strings(uint32_t *count, uint32_t *size)
{
    *count = *size = 0;
    return ERRNO_SUCCESS;
}

int32_t WASI(args_sizes_get)(uint32_t *count, uint32_t *size)
{
    return no_strings(count, size);
}

int32_t WASI(environ_sizes_get)(uint32_t *count, uint32_t *size)
{
    return no_strings(count, size);
}

/* ------------------------------------------------------------------ what there is not */

#define ABSENT(name, errno_, ...) \
    int32_t WASI(name)(__VA_ARGS__) { return errno_; }

#pragma clang diagnostic ignored "-Wunused-parameter"
ABSENT(args_get, ERRNO_SUCCESS, int32_t a, int32_t b)
ABSENT(environ_get, ERRNO_SUCCESS, int32_t a, int32_t b)
ABSENT(fd_prestat_get, ERRNO_BADF, int32_t a, int32_t b)
ABSENT(fd_prestat_dir_name, ERRNO_BADF, int32_t a, int32_t b, int32_t c)
ABSENT(fd_read, ERRNO_BADF, int32_t a, int32_t b, int32_t c, int32_t d)
ABSENT(fd_close, ERRNO_BADF, int32_t a)
ABSENT(fd_seek, ERRNO_BADF, int32_t a, int64_t b, int32_t c, int32_t d)
ABSENT(fd_tell, ERRNO_BADF, int32_t a, int32_t b)
ABSENT(fd_advise, ERRNO_BADF, int32_t a, int64_t b, int64_t c, int32_t d)
ABSENT(fd_allocate, ERRNO_BADF, int32_t a, int64_t b, int64_t c)
ABSENT(fd_sync, ERRNO_BADF, int32_t a)
ABSENT(fd_datasync, ERRNO_BADF, int32_t a)
ABSENT(fd_fdstat_set_flags, ERRNO_BADF, int32_t a, int32_t b)
ABSENT(fd_filestat_set_size, ERRNO_BADF, int32_t a, int64_t b)
ABSENT(fd_filestat_set_times, ERRNO_BADF, int32_t a, int64_t b, int64_t c, int32_t d)
ABSENT(fd_pread, ERRNO_BADF, int32_t a, int32_t b, int32_t c, int64_t d, int32_t e)
ABSENT(fd_pwrite, ERRNO_BADF, int32_t a, int32_t b, int32_t c, int64_t d, int32_t e)
ABSENT(fd_readdir, ERRNO_BADF, int32_t a, int32_t b, int32_t c, int64_t d, int32_t e)
ABSENT(fd_renumber, ERRNO_BADF, int32_t a, int32_t b)
ABSENT(path_create_directory, ERRNO_NOSYS, int32_t a, int32_t b, int32_t c)
ABSENT(path_filestat_get, ERRNO_NOENT, int32_t a, int32_t b, int32_t c, int32_t d, int32_t e)
ABSENT(path_filestat_set_times, ERRNO_NOSYS, int32_t a, int32_t b, int32_t c, int32_t d, int64_t e,
       int64_t f, int32_t g)
ABSENT(path_link, ERRNO_NOSYS, int32_t a, int32_t b, int32_t c, int32_t d, int32_t e, int32_t f,
       int32_t g)
ABSENT(path_open, ERRNO_NOENT, int32_t a, int32_t b, int32_t c, int32_t d, int32_t e, int64_t f,
       int64_t g, int32_t h, int32_t i)
ABSENT(path_readlink, ERRNO_NOSYS, int32_t a, int32_t b, int32_t c, int32_t d, int32_t e, int32_t f)
ABSENT(path_remove_directory, ERRNO_NOSYS, int32_t a, int32_t b, int32_t c)
ABSENT(path_rename, ERRNO_NOSYS, int32_t a, int32_t b, int32_t c, int32_t d, int32_t e, int32_t f)
ABSENT(path_symlink, ERRNO_NOSYS, int32_t a, int32_t b, int32_t c, int32_t d, int32_t e)
ABSENT(path_unlink_file, ERRNO_NOSYS, int32_t a, int32_t b, int32_t c)
ABSENT(poll_oneoff, ERRNO_NOSYS, int32_t a, int32_t b, int32_t c, int32_t d)
ABSENT(sock_accept, ERRNO_NOSYS, int32_t a, int32_t b, int32_t c)
ABSENT(sock_recv, ERRNO_NOSYS, int32_t a, int32_t b, int32_t c, int32_t d, int32_t e, int32_t f)
ABSENT(sock_send, ERRNO_NOSYS, int32_t a, int32_t b, int32_t c, int32_t d, int32_t e)
ABSENT(sock_shutdown, ERRNO_NOSYS, int32_t a, int32_t b)
