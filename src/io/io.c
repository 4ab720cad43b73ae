/* io.c: what every io does alike; see io.h. */
#include "io/io.h"

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

const char *io_error_text(int error)
{
    const char *text = strerrordesc_np(-error);
    return text == NULL ? "unknown error" : text;
}
