/* merkle.c: see merkle.h. */
#include "proof/merkle.h"

#include "base/assert.h"

#include <string.h>

static const uint8_t LEAF = 0, NODE = 1;

struct digest merkle_leaf(const void *data, size_t size)
{
    return digest_of_pieces((const struct digest_piece[]){{&LEAF, 1}, {data, size}}, 2);
}

struct digest merkle_node(const struct digest *left, const struct digest *right)
{
    uint8_t bytes[1 + 2 * DIGEST_BYTES];
    bytes[0] = NODE;
    memcpy(bytes + 1, left->v, DIGEST_BYTES);
    memcpy(bytes + 1 + DIGEST_BYTES, right->v, DIGEST_BYTES);
    return digest_of(bytes, sizeof bytes);
}

void merkle_append(struct merkle *m, const struct digest *leaf)
{
    ASSERT(m->count < UINT64_MAX);
    struct digest d = *leaf;
    uint32_t height = 0;
    for (; (m->count >> height & 1) != 0; height++) d = merkle_node(&m->peaks[height], &d);
    m->peaks[height] = d;
    m->count += 1;
}

/* The root of all full subtrees below this height, which stand rightmost; false: there are none. */
static bool merkle_tail(const struct merkle *m, uint32_t height, struct digest *d)
{
    bool found = false;
    for (uint32_t h = 0; h < height; h++) {
        if ((m->count >> h & 1) == 0) continue;
        *d = found ? merkle_node(&m->peaks[h], d) : m->peaks[h];
        found = true;
    }
    return found;
}

struct digest merkle_root(const struct merkle *m)
{
    struct digest d;
    return merkle_tail(m, MERKLE_PATH_MAX, &d) ? d : digest_of("", 0);
}

/* ---- paths ---- */

void merkle_witness_begin(struct merkle_witness *w, uint64_t index)
{
    *w = (struct merkle_witness){.index = index};
}

/* What this leaf completes is, at each height, a left sibling of the followed node, a right one,
 * or neither. */
void merkle_witness_append(struct merkle_witness *w, const struct digest *leaf)
{
    struct merkle *m = &w->tree;
    ASSERT(m->count < UINT64_MAX);
    uint64_t at = m->count;
    struct digest d = *leaf;
    for (uint32_t height = 0;; height++) {
        if ((w->index >> height ^ 1) == at >> height) {
            w->sibling[height] = d;
            w->known |= UINT64_C(1) << height;
        }
        if ((m->count >> height & 1) == 0) {
            m->peaks[height] = d;
            break;
        }
        d = merkle_node(&m->peaks[height], &d);
    }
    m->count += 1;
}

bool merkle_witness_path(const struct merkle_witness *w, struct merkle_path *path)
{
    const struct merkle *m = &w->tree;
    if (w->index >= m->count) return false;
    *path = (struct merkle_path){.index = w->index, .count = m->count};
    uint64_t last = m->count - 1;
    for (uint32_t height = 0; last >> height != 0; height++) {
        uint64_t node = w->index >> height;
        struct digest *next = &path->path[path->length];
        if ((node ^ 1) > last >> height) continue; /* alone: it is carried up as it is */
        if ((w->known >> height & 1) != 0) *next = w->sibling[height];
        else ASSERT(merkle_tail(m, height, next)); /* the last one, not full */
        path->length += 1;
    }
    return true;
}

struct digest merkle_root_of(const struct digest *leaves, uint64_t count)
{
    struct merkle m = {0};
    for (uint64_t i = 0; i < count; i++) merkle_append(&m, &leaves[i]);
    return merkle_root(&m);
}

bool merkle_path_of(const struct digest *leaves, uint64_t count, uint64_t index,
                    struct merkle_path *path)
{
    struct merkle_witness w;
    merkle_witness_begin(&w, index);
    for (uint64_t i = 0; i < count; i++) merkle_witness_append(&w, &leaves[i]);
    return merkle_witness_path(&w, path);
}

bool merkle_verify(const struct digest *root, const struct digest *leaf,
                   const struct merkle_path *path)
{
    if (path->index >= path->count || path->length > MERKLE_PATH_MAX) return false;
    uint64_t node = path->index, last = path->count - 1;
    struct digest d = *leaf;
    for (uint32_t i = 0; i < path->length; i++) {
        if (last == 0) return false; /* longer than the tree is high */
        if ((node & 1) != 0 || node == last) {
            d = merkle_node(&path->path[i], &d);
            while ((node & 1) == 0 && node != 0) {
                node >>= 1;
                last >>= 1;
            }
        } else {
            d = merkle_node(&d, &path->path[i]);
        }
        node >>= 1;
        last >>= 1;
    }
    return last == 0 && digest_equal(&d, root);
}
