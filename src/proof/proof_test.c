/* proof_test.c: a proof file written and read; every bit of it is committed to or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "proof/proof.h"

#include <stdlib.h>
#include <string.h>

enum { TASKS = 11, OPENED = 3, STEPS = 4, M = 3, K = 5, N = 2 };
static const uint64_t opened[OPENED] = {0, 4, 10};

/* An hour of tasks whose bytes are made from their index. */
struct hour {
    struct digest leaves[TASKS];
    struct digest root;
};

static void step_make(struct commit_step *s, int8_t *a, int32_t *c, uint64_t task, uint32_t step)
{
    *s = (struct commit_step){.op = step, .m = M, .k = K + step, .n = N, .a = a, .c = c};
    struct random r = {task * 100 + step};
    for (uint32_t i = 0; i < s->m * s->k; i++) a[i] = (int8_t)random_next(&r);
    for (uint32_t i = 0; i < s->m * s->n; i++) c[i] = (int32_t)random_next(&r);
}

static struct commit_task task_make(uint64_t index, char spec[8], char answer[8])
{
    struct merkle transcript = {0};
    for (uint32_t i = 0; i < STEPS; i++) {
        int8_t a[M * (K + STEPS)];
        int32_t c[M * N];
        struct commit_step s;
        step_make(&s, a, c, index, i);
        struct digest leaf = commit_step_leaf(i, &s);
        merkle_append(&transcript, &leaf);
    }
    memcpy(spec, "spec  00", 8);
    memcpy(answer, "answer00", 8);
    spec[7] = answer[7] = (char)('0' + index);
    return (struct commit_task){.index = index, .spec = digest_of(spec, 8),
                                .answer = digest_of(answer, 7), .flop = 1000 + index,
                                .transcript = merkle_root(&transcript)};
}

static void hour_make(struct hour *h)
{
    char spec[8], answer[8];
    for (uint64_t i = 0; i < TASKS; i++) {
        struct commit_task t = task_make(i, spec, answer);
        h->leaves[i] = commit_task_leaf(&t);
    }
    h->root = merkle_root_of(h->leaves, TASKS);
}

static void proof_make(struct proof_writer *w, const struct hour *h)
{
    const struct proof_header header = {.vintage = 2026, .allocation = 17, .hour = 499742,
                                        .tasks = TASKS, .root = h->root};
    proof_write_begin(w, &header);
    for (int i = 0; i < OPENED; i++) {
        char spec[8], answer[8];
        struct merkle_path path;
        struct commit_task t = task_make(opened[i], spec, answer);
        assert_true(merkle_path_of(h->leaves, TASKS, opened[i], &path));
        proof_write_task(w, opened[i], t.flop, spec, 8, answer, 7, &path);
        for (uint32_t k = 0; k < STEPS; k++) {
            int8_t a[M * (K + STEPS)];
            int32_t c[M * N];
            struct commit_step s;
            step_make(&s, a, c, opened[i], k);
            proof_write_step(w, &s);
        }
    }
    assert_int_equal(proof_write_end(w), 0);
}

/* How many tasks are committed to; -1: it does not parse. */
static int read_all(const void *bytes, size_t size, struct proof_error *e)
{
    struct proof p;
    struct proof_task t;
    struct commit_task commitment;
    int good = 0, more;
    if (proof_parse(&p, bytes, size, e) != 0) return -1;
    while ((more = proof_task_next(&p, &t, e)) > 0)
        good += proof_task_committed(&p, &t, &commitment);
    return more < 0 ? -1 : good;
}

static void test_round_trip(void **state)
{
    (void)state;
    struct hour h;
    struct proof_writer w = {0};
    struct proof p;
    struct proof_task t;
    struct proof_error e;
    struct commit_task commitment;
    hour_make(&h);
    proof_make(&w, &h);
    assert_int_equal(proof_parse(&p, w.bytes, w.size, &e), 0);
    assert_int_equal(p.header.vintage, 2026);
    assert_int_equal(p.header.allocation, 17);
    assert_int_equal(p.header.hour, 499742);
    assert_int_equal(p.header.tasks, TASKS);
    assert_int_equal(p.header.opened, OPENED);
    for (int i = 0; i < OPENED; i++) {
        assert_int_equal(proof_task_next(&p, &t, &e), 1);
        assert_int_equal(t.index, opened[i]);
        assert_true(t.flop == 1000 + opened[i]);
        assert_int_equal(t.answer_size, 7);
        assert_int_equal(t.answer[0], 'a');
        assert_int_equal(t.steps, STEPS);
        assert_true(proof_task_committed(&p, &t, &commitment));
        struct proof_steps steps;
        struct commit_step s;
        uint32_t n = 0;
        for (proof_steps_begin(&steps, &t); proof_step_next(&steps, &s); n++) {
            assert_int_equal(s.op, n);
            assert_int_equal(s.k, K + n);
            assert_int_equal((uintptr_t)s.c % 8, 0);
        }
        assert_int_equal(n, STEPS);
    }
    assert_int_equal(proof_task_next(&p, &t, &e), 0);
    free(w.bytes);
}

/* Each bit in turn: refused, or at least one task is no longer what was committed to, unless it is
 * of what names the hour only (vintage, allocation, hour: the receipt has them). */
static void test_every_bit(void **state)
{
    (void)state;
    struct hour h;
    struct proof_writer w = {0};
    struct proof_error e;
    hour_make(&h);
    proof_make(&w, &h);
    assert_int_equal(read_all(w.bytes, w.size, &e), OPENED);
    for (size_t at = 0; at < w.size; at++) {
        for (int bit = 0; bit < 8; bit++) {
            w.bytes[at] ^= (uint8_t)(1 << bit);
            int good = read_all(w.bytes, w.size, &e);
            if (at < 12 || at >= 32) assert_true(good < OPENED);
            w.bytes[at] ^= (uint8_t)(1 << bit);
        }
    }
    for (size_t size = 0; size < w.size; size++) {
        e.text[0] = 0;
        assert_int_equal(read_all(w.bytes, size, &e), -1);
        assert_true(e.text[0] != 0);
    }
    uint8_t *longer = calloc(1, w.size + 8);
    memcpy(longer, w.bytes, w.size);
    assert_int_equal(read_all(longer, w.size + 8, &e), -1);
    assert_non_null(strstr(e.text, "behind"));
    free(longer);
    free(w.bytes);
}

static void refused(uint8_t *bytes, size_t size, size_t at, uint32_t value, const char *why)
{
    struct proof_error e = {0};
    uint32_t kept;
    memcpy(&kept, bytes + at, 4);
    memcpy(bytes + at, &value, 4);
    assert_int_equal(read_all(bytes, size, &e), -1);
    assert_non_null(strstr(e.text, why));
    memcpy(bytes + at, &kept, 4);
}

static void test_reasons(void **state)
{
    (void)state;
    struct hour h;
    struct proof_writer w = {0};
    hour_make(&h);
    proof_make(&w, &h);
    size_t task = 80, step = 80 + 40 + 8 + 8 + 4 * 32;
    refused(w.bytes, w.size, 0, 0, "dojproof");
    refused(w.bytes, w.size, 8, 2, "version 2");
    refused(w.bytes, w.size, 36, UINT32_MAX, "2^63");
    refused(w.bytes, w.size, 40, 0, "opens 0");
    refused(w.bytes, w.size, 40, TASKS + 1, "opens 12");
    refused(w.bytes, w.size, 40, OPENED + 1, "ends before task 4 of 4");
    refused(w.bytes, w.size, 40, OPENED - 1, "behind its last task");
    refused(w.bytes, w.size, 44, 1, "reserved");
    refused(w.bytes, w.size, task, TASKS, "does not have");
    refused(w.bytes, w.size, task, 4, "out of order");
    refused(w.bytes, w.size, task + 24, UINT32_MAX, "beyond its bound");
    refused(w.bytes, w.size, task + 28, PROOF_ANSWER_MAX, "ends within");
    refused(w.bytes, w.size, task + 32, UINT32_MAX, "beyond its bound");
    refused(w.bytes, w.size, task + 36, 65, "beyond its bound");
    refused(w.bytes, w.size, step + 4, 0, "without rows");
    refused(w.bytes, w.size, step + 4, UINT32_MAX, "larger than may be");
    refused(w.bytes, w.size, step + 8, PROOF_DIMENSION_MAX, "ends within a matrix");
    free(w.bytes);
}

/* A writer with a limit says that it was reached, and does not write on. */
static void test_writer_limit(void **state)
{
    (void)state;
    struct hour h;
    hour_make(&h);
    struct proof_writer w = {.limit = 200};
    const struct proof_header header = {.tasks = TASKS, .root = h.root};
    struct merkle_path path;
    assert_true(merkle_path_of(h.leaves, TASKS, 0, &path));
    proof_write_begin(&w, &header);
    proof_write_task(&w, 0, 1, "spec", 4, "answer", 6, &path);
    assert_int_equal(proof_write_end(&w), -1);
    assert_true(w.size <= 200);
    free(w.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_writer_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
