/* snapshot_fuzz.c: arbitrary bytes as a snapshot. The first byte says what is made good before
 * loading: 1 the header but for its sizes, 2 the sizes, 4 the checksum of the packed image, 8 the
 * rest of the bytes is the image itself, packed. Whatever comes: no crash; a refusal says why; what
 * is accepted is open at the seq of its name.
 */
#include "seq/snapshot.h"
#include "sim/disk.h"
#include "sim/tiny.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

static size_t image_pack(const struct machine *m, unsigned char *to, size_t room,
                         const uint8_t *data, size_t size)
{
    size_t bytes;
    void *block = m->verbs->memory(m->state, &bytes);
    memset(block, 0, bytes);
    memcpy(block, data, size < bytes ? size : bytes);
    size_t packed = ZSTD_compress(to, room, block, bytes, 1);
    ASSERT(!ZSTD_isError(packed));
    return packed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char file[1 << 16];
    struct snapshot_header h = {0};
    if (size < 1 + sizeof h || size > sizeof file / 2) return 0;
    unsigned flags = data[0];
    struct machine *m = tiny_new();
    size_t image_bytes;
    (void)m->verbs->memory(m->state, &image_bytes);
    memcpy(&h, data + 1, sizeof h);
    const uint8_t *rest = data + 1 + sizeof h;
    size_t packed = size - 1 - sizeof h;
    if ((flags & 8) != 0)
        packed = image_pack(m, file + sizeof h, sizeof file - sizeof h, rest, packed);
    else
        memcpy(file + sizeof h, rest, packed);
    if ((flags & 2) != 0) {
        h.image_bytes = image_bytes;
        h.packed_bytes = packed;
    }
    if ((flags & 4) != 0) h.packed_checksum = XXH3_64bits(file + sizeof h, packed);
    if ((flags & 1) != 0) {
        h.magic = SNAPSHOT_MAGIC;
        h.version = SNAPSHOT_VERSION;
        h.limits = m->limits;
        h.checksum = 0;
        h.checksum = XXH3_64bits(&h, sizeof h);
    }
    memcpy(file, &h, sizeof h);
    struct disk *d = disk_new(1);
    disk_put(d, snapshot_name(h.seq).text, file, sizeof h + packed);
    char why[128] = "";
    struct snapshot_header got;
    if (snapshot_load(disk_io(d), h.seq, m, &got, why, sizeof why) == 0)
        ASSERT(m->verbs->seq(m->state) == h.seq);
    else
        ASSERT(why[0] != 0);
    disk_free(d);
    tiny_free(m);
    return 0;
}
