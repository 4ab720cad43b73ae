/* merkle_test.c: roots and paths against the definition of RFC 9162, and what must not verify. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "proof/merkle.h"

#include <stdlib.h>
#include <string.h>

enum { LEAVES = 130, MANY = 10000000 };

static struct digest leaves[LEAVES];

static int leaves_make(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < LEAVES; i++) leaves[i] = merkle_leaf(&i, sizeof i);
    return 0;
}

/* MTH of RFC 9162, word by word. */
static struct digest naive_root(const struct digest *d, uint64_t n)
{
    if (n == 0) return digest_of("", 0);
    if (n == 1) return d[0];
    uint64_t k = 1;
    while (k * 2 < n) k *= 2;
    struct digest left = naive_root(d, k), right = naive_root(d + k, n - k);
    return merkle_node(&left, &right);
}

/* PATH of RFC 9162. */
static uint32_t naive_path(const struct digest *d, uint64_t n, uint64_t m, struct digest *path)
{
    if (n == 1) return 0;
    uint64_t k = 1;
    while (k * 2 < n) k *= 2;
    uint32_t length = m < k ? naive_path(d, k, m, path) : naive_path(d + k, n - k, m - k, path);
    path[length] = m < k ? naive_root(d + k, n - k) : naive_root(d, k);
    return length + 1;
}

/* RFC 6962's test vectors (Certificate Transparency): 8 leaves of known bytes. */
static void test_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } data[8] = {{"", 0}, {"\x00", 1}, {"\x10", 1}, {"\x20\x21", 2}, {"\x30\x31", 2},
                 {"\x40\x41\x42\x43", 4}, {"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
                 {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16}};
    static const char *const roots[9] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
    struct merkle m = {0};
    for (int n = 0; n <= 8; n++) {
        char text[DIGEST_TEXT_SIZE];
        struct digest root = merkle_root(&m);
        digest_text(text, &root);
        assert_string_equal(text, roots[n]);
        if (n == 8) break;
        struct digest leaf = merkle_leaf(data[n].bytes, data[n].size);
        merkle_append(&m, &leaf);
    }
}

static void test_roots_and_paths(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= LEAVES; n++) {
        struct digest root = merkle_root_of(leaves, n), expected = naive_root(leaves, n);
        assert_true(digest_equal(&root, &expected));
        for (uint64_t i = 0; i < n; i++) {
            struct merkle_path path;
            struct digest naive[MERKLE_PATH_MAX];
            assert_true(merkle_path_of(leaves, n, i, &path));
            assert_int_equal(path.length, naive_path(leaves, n, i, naive));
            assert_memory_equal(path.path, naive, path.length * sizeof naive[0]);
            assert_true(merkle_verify(&root, &leaves[i], &path));
        }
        struct merkle_path path;
        assert_false(merkle_path_of(leaves, n, n, &path));
    }
}

/* Another leaf, index, count, length or any bit of the path: refused. */
static void test_what_must_not_verify(void **state)
{
    (void)state;
    struct random r = {1};
    for (int round = 0; round < 3000; round++) {
        uint64_t n = 2 + random_below(&r, LEAVES - 1), i = random_below(&r, n);
        struct digest root = merkle_root_of(leaves, n);
        struct merkle_path path;
        assert_true(merkle_path_of(leaves, n, i, &path));
        struct merkle_path p = path;
        struct digest leaf = leaves[i];
        switch (random_below(&r, 6)) {
        case 0: leaf = leaves[(i + 1 + random_below(&r, n - 1)) % n]; break;
        case 1: p.index = (i + 1 + random_below(&r, n - 1)) % n; break;
        case 2: p.length -= 1; break;
        case 3: p.path[p.length++] = leaves[0]; break;
        case 4: p.path[random_below(&r, p.length)].v[random_below(&r, 32)] ^= 1; break;
        case 5: root.v[random_below(&r, 32)] ^= 128; break;
        }
        assert_false(merkle_verify(&root, &leaf, &p));
        p = path;
        p.index = n;
        assert_false(merkle_verify(&root, &leaves[i], &p));
        p.count = 0;
        assert_false(merkle_verify(&root, &leaves[i], &p));
    }
}

/* A node's two children, shown as the bytes of a leaf, would be a tree of half the leaves with the
 * same root, were leaves and nodes hashed alike. */
static void test_second_preimage(void **state)
{
    (void)state;
    struct digest half[LEAVES / 2], root = merkle_root_of(leaves, 4);
    for (int i = 0; i < 2; i++) {
        uint8_t bytes[64];
        memcpy(bytes, leaves[2 * i].v, 32);
        memcpy(bytes + 32, leaves[2 * i + 1].v, 32);
        half[i] = merkle_leaf(bytes, sizeof bytes);
        struct digest node = merkle_node(&leaves[2 * i], &leaves[2 * i + 1]);
        assert_false(digest_equal(&half[i], &node));
        /* and an inner node is no leaf of the smaller tree that it would make */
        struct merkle_path path = {.index = (uint64_t)i, .count = 4, .length = 1};
        path.path[0] = merkle_node(&leaves[2 - 2 * i], &leaves[3 - 2 * i]);
        assert_false(merkle_verify(&root, &node, &path));
    }
    struct digest shorter = merkle_root_of(half, 2);
    assert_false(digest_equal(&shorter, &root));
}

/* The last leaf doubled gives another root (CVE-2012-2459 of trees that pad so). */
static void test_no_padding(void **state)
{
    (void)state;
    struct digest d[4] = {leaves[0], leaves[1], leaves[2], leaves[2]};
    struct digest three = merkle_root_of(d, 3), four = merkle_root_of(d, 4);
    assert_false(digest_equal(&three, &four));
}

/* 10^7 leaves with one path's memory. */
static void test_many(void **state)
{
    (void)state;
    static struct merkle_witness w;
    struct digest mine, leaf = {{0}};
    struct merkle_path path;
    uint64_t index = 7654321;
    merkle_witness_begin(&w, index);
    for (uint64_t i = 0; i < MANY; i++) {
        memcpy(leaf.v, &i, sizeof i); /* a digest of nothing: the tree does not mind */
        merkle_witness_append(&w, &leaf);
        if (i == index) mine = leaf;
    }
    struct digest root = merkle_root(&w.tree);
    assert_true(merkle_witness_path(&w, &path));
    assert_true(path.length <= 24);
    assert_true(merkle_verify(&root, &mine, &path));
    mine.v[0] ^= 1;
    assert_false(merkle_verify(&root, &mine, &path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_roots_and_paths),
        cmocka_unit_test(test_what_must_not_verify),
        cmocka_unit_test(test_second_preimage),
        cmocka_unit_test(test_no_padding),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, leaves_make, NULL);
}
