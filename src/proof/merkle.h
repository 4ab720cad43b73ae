/* merkle.h: Merkle trees as in RFC 9162 (RFC 6962) section 2.1, over SHA-256.
 *
 * leaf = H(0x00 || data), node = H(0x01 || left || right): a node can never be shown as a leaf. Of
 * n leaves the left subtree holds the largest power of two below n. The root of none is H("").
 *
 * A root is made leaf by leaf with the memory of one path: 10^7 leaves need 24 digests.
 *
 * Upstream: digest. Downstream: commit, proof; work (seller, gateway, checker).
 */
#ifndef DOJIMA_PROOF_MERKLE_H
#define DOJIMA_PROOF_MERKLE_H

#include "proof/digest.h"

enum { MERKLE_PATH_MAX = 64 };

struct digest merkle_leaf(const void *data, size_t size);
struct digest merkle_node(const struct digest *left, const struct digest *right);

/* All zero at first. */
struct merkle {
    uint64_t count;
    struct digest peaks[MERKLE_PATH_MAX]; /* one a bit of count: roots of full subtrees */
};
void merkle_append(struct merkle *m, const struct digest *leaf);
struct digest merkle_root(const struct merkle *m);

/* The path of one leaf, from a tree that is appended to; begin before the first leaf. */
struct merkle_path {
    uint64_t index, count;
    uint32_t length;
    struct digest path[MERKLE_PATH_MAX]; /* from the leaf up */
};
struct merkle_witness {
    struct merkle tree;
    uint64_t index;
    uint64_t known;                          /* a bit a height */
    struct digest sibling[MERKLE_PATH_MAX]; /* of the full subtree that holds the leaf */
};
void merkle_witness_begin(struct merkle_witness *w, uint64_t index);
void merkle_witness_append(struct merkle_witness *w, const struct digest *leaf);
/* false: index is not below the number of leaves. */
bool merkle_witness_path(const struct merkle_witness *w, struct merkle_path *path);

/* The same from leaves that are all at hand. */
struct digest merkle_root_of(const struct digest *leaves, uint64_t count);
bool merkle_path_of(const struct digest *leaves, uint64_t count, uint64_t index,
                    struct merkle_path *path);

/* RFC 9162 section 2.1.3.2: leaf `index` of `count` is under this root. */
bool merkle_verify(const struct digest *root, const struct digest *leaf,
                   const struct merkle_path *path);

#endif
