/* io.c: what every io does alike; see io.h. */
#include "io/io.h"

#include <stdlib.h>
#include <string.h>

int io_write_zeros(struct io *io, int file, uint64_t offset, uint64_t size)
{
    static const unsigned char zeros[1 << 16];
    while (size > 0) {
        size_t part = size < sizeof zeros ? (size_t)size : sizeof zeros;
        int error = io_write(io, file, offset, zeros, part);
        if (error < 0) return error;
        offset += part;
        size -= part;
    }
    return 0;
}

int64_t io_list_all(struct io *io, struct io_name **names)
{
    *names = NULL;
    int64_t count = io_list(io, NULL, 0);
    while (count > 0) { /* files may come in between */
        size_t room = (size_t)count;
        struct io_name *more = realloc(*names, room * sizeof *more);
        if (more == NULL) count = -ENOMEM;
        else *names = more;
        if (count > 0) count = io_list(io, *names, room);
        if (count >= 0 && (size_t)count <= room) break;
    }
    if (count > 0) return count;
    free(*names);
    *names = NULL;
    return count;
}

const char *io_error_text(int error)
{
    const char *text = strerrordesc_np(-error);
    return text == NULL ? "unknown error" : text;
}
