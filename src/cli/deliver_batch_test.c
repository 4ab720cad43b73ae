/* deliver_batch_test.c: a batch gives what each task gives alone, however it is cut, and takes the
 * passes over the weights that the certified number of sequences takes: not those of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "cli/deliver.h"
#include "msg/compute.h"
#include "proof/merkle.h"
#include "work/engine.h"

enum { TASKS = 48 };

static const struct agent_hour at = {.allocation = 7, .hour = 500000};
static struct deliver d;
static struct work_spec specs[TASKS];
static struct work_result alone[TASKS], results[TASKS];
static uint64_t alone_passes, alone_rows;

static const struct work_workload *named(const char *name)
{
    const struct work_workload *w = work_workload_named(2026, name);
    assert_non_null(w);
    return w;
}

static void specs_make(const char *name)
{
    for (uint32_t i = 0; i < TASKS; i++) {
        struct digest nonce = commit_nonce(at.allocation, at.hour, i);
        work_spec_default(named(name), &nonce, &specs[i]);
    }
}

/* Of all lengths, sampled or not, with stop tokens, and some products in between. */
static void specs_mix(struct random *r)
{
    specs_make("test");
    for (uint32_t i = 0; i < TASKS; i++) {
        struct work_spec *s = &specs[i];
        if (random_below(r, 8) == 0) {
            struct digest nonce = s->nonce;
            work_spec_default(named("gemm-test"), &nonce, s);
            continue;
        }
        s->prompt_count = 1 + (uint32_t)random_below(r, 60);
        s->answer_count = 1 + (uint32_t)random_below(r, 30);
        if (random_below(r, 2) == 0) s->temperature = 65536;
        if (s->temperature != 0) s->top_k = (uint32_t)random_below(r, 20);
        if (random_below(r, 2) == 0) s->stop = (uint32_t)random_below(r, 256);
    }
}

/* Every task on an engine with a single slot. */
static void alone_do(void)
{
    struct work_error error = {0};
    alone_passes = alone_rows = 0;
    for (uint32_t i = 0; i < TASKS; i++) {
        const struct work_workload *w = work_workload_find(2026, specs[i].workload);
        struct work_weights *weights;
        struct work_engine *engine;
        const struct work_engine_options o = {.backend = &backend_plain, .slots = 1};
        assert_int_equal(work_weights_seeded(w, &weights, &error), 0);
        assert_int_equal(work_engine_open(w, weights, &o, &engine, &error), 0);
        assert_int_equal(work_task_run(engine, &specs[i], &alone[i], &error), 0);
        alone_passes += engine->passes;
        alone_rows += engine->rows;
        work_engine_close(engine);
        work_weights_close(weights);
    }
}

/* The root over all, as in an hour's receipt. */
static struct digest root_of(const struct work_result *of)
{
    struct digest leaves[TASKS];
    for (uint32_t i = 0; i < TASKS; i++) {
        struct commit_task task = of[i].commit;
        task.index = i;
        leaves[i] = commit_task_leaf(&task);
    }
    return merkle_root_of(leaves, TASKS);
}

static void assert_as_alone(uint32_t from, uint32_t count)
{
    for (uint32_t i = from; i < from + count; i++) {
        const struct work_answer *a = &results[i].answer, *b = &alone[i].answer;
        assert_int_equal(a->count, b->count);
        assert_memory_equal(a->tokens, b->tokens, a->count * sizeof a->tokens[0]);
        assert_true(digest_equal(&a->product, &b->product));
        assert_true(digest_equal(&results[i].commit.transcript, &alone[i].commit.transcript));
    }
}

static void work_open_for(uint32_t grade, uint32_t slots)
{
    const struct agent_work_options o = {.backend = "plain", .threads = 2, .grade = grade,
                                         .slots = slots};
    d = (struct deliver){0};
    d.work = agent_work_open(&o);
    assert_non_null(d.work);
    memset(results, 0, sizeof results);
}

static bool batch_do(uint32_t from, uint32_t count, uint32_t *together)
{
    struct work_error error = {0};
    bool good = deliver_batch_do(&d, &at, from, specs + from, count, results + from, together,
                                 &error);
    assert_string_equal(error.text, "");
    return good;
}

/* CERT-01, DELIV-02: what was certified can be delivered. */
static void passes_are_shared(void **state)
{
    (void)state;
    uint32_t together, slots = work_engine_size(&backend_plain, GRADE_offline).slots;
    struct work_error error = {0};
    specs_make("test");
    alone_do();
    work_open_for(GRADE_offline, 0);
    assert_true(batch_do(0, TASKS, &together));
    const struct agent_model *m = agent_work_enter(d.work, &specs[0], true, &error);
    assert_non_null(m);
    assert_int_equal(work_engine_slots(m->engine), slots);
    assert_int_equal(m->engine->passes * slots, alone_passes);
    assert_int_equal(m->engine->rows, alone_rows);
    agent_work_leave(d.work);
    assert_in_range(together, slots, DELIVER_BATCH_MAX);
    assert_as_alone(0, TASKS);
    agent_work_close(d.work);
}

static void batches_give_the_same(void **state)
{
    (void)state;
    struct random r = {.state = 20261123};
    for (int round = 0; round < 4; round++) {
        uint32_t together;
        specs_mix(&r);
        alone_do();
        for (int cut = 0; cut < 4; cut++) {
            work_open_for(GRADE_offline, cut == 0 ? 0 : 1 + (uint32_t)random_below(&r, 9));
            for (uint32_t from = 0, n; from < TASKS; from += n) {
                n = cut == 0 ? TASKS : 1 + (uint32_t)random_below(&r, TASKS - from);
                assert_true(batch_do(from, n, &together));
            }
            assert_as_alone(0, TASKS);
            struct digest expected = root_of(alone), root = root_of(results);
            assert_true(digest_equal(&root, &expected));
            agent_work_close(d.work);
        }
    }
}

/* One by one, false where the seed says so and else as alone. */
static void cheats_stay_what_they_are(void **state)
{
    (void)state;
    uint32_t together, lies = 0;
    specs_make("test");
    alone_do();
    work_open_for(GRADE_offline, 0);
    d.cheat.kind = CHEAT_one_in_100;
    while (!cheat_is_false(&d.cheat, TASKS / 2)) d.cheat.seed += 1;
    assert_true(batch_do(0, TASKS, &together));
    assert_int_equal(together, 1);
    for (uint32_t i = 0; i < TASKS; i++) {
        bool same = digest_equal(&results[i].commit.transcript, &alone[i].commit.transcript);
        assert_true(same != cheat_is_false(&d.cheat, i));
        lies += !same;
    }
    assert_in_range(lies, 1, TASKS / 2);
    agent_work_close(d.work);
}

static void stops_when_told(void **state)
{
    (void)state;
    uint32_t together;
    specs_make("test");
    work_open_for(GRADE_offline, 4);
    atomic_store(&d.agent.stopping, true);
    assert_false(batch_do(0, TASKS, &together));
    agent_work_close(d.work);
}

/* ---- streams ---- */

static uint64_t stream_passes;

/* Decoders only, answers of all lengths. */
static void specs_mix_decoder(struct random *r)
{
    specs_make("test");
    for (uint32_t i = 0; i < TASKS; i++) {
        specs[i].prompt_count = 1 + (uint32_t)random_below(r, 60);
        specs[i].answer_count = 1 + (uint32_t)random_below(r, 30);
    }
}

static struct deliver_run *run_begin(uint32_t place)
{
    struct deliver_run *r = &d.runs[place];
    *r = (struct deliver_run){.at = at, .batch = 1, .ahead = calloc(1, sizeof *r->ahead)};
    assert_non_null(r->ahead);
    return r;
}

static void ahead_add(struct deliver_run *r, uint32_t count)
{
    for (; count > 0 && r->done + r->ahead->count < TASKS; count--) {
        uint32_t i = r->ahead->count++;
        r->ahead->specs[i] = specs[r->done + i];
    }
}

/* As deliver_hour keeps them. */
static void ahead_keep(struct deliver_run *r)
{
    uint32_t n = 0;
    for (; n < r->ahead->count && r->ahead->results[n] != NULL; n++)
        results[r->done + n] = *r->ahead->results[n];
    deliver_ahead_shift(r->ahead, n);
    r->done += n;
}

/* Asked for in any portions, with breaks in which what is under way is finished or lost, and with
 * another hour's that are given up: each task as alone, and in its order. */
static void what_is_ahead_gives_the_same(void **state)
{
    (void)state;
    struct random r = {.state = 20261124};
    struct work_error error = {0};
    for (int round = 0; round < 4; round++) {
        if (round % 2 == 0) specs_mix(&r);
        else specs_mix_decoder(&r);
        alone_do();
        work_open_for(GRADE_offline, 1 + (uint32_t)random_below(&r, 9));
        struct deliver_run *run = run_begin(3), *other = run_begin(7);
        while (run->done < TASKS) {
            run->full = random_below(&r, 2) == 0;
            ahead_add(run, (uint32_t)random_below(&r, 12));
            if (other->ahead != NULL) ahead_add(other, 5);
            if (other->ahead != NULL) assert_true(deliver_ahead_do(&d, other, &error));
            if (run->ahead->count > 0) assert_true(deliver_ahead_do(&d, run, &error));
            ahead_keep(run);
            if (random_below(&r, 6) == 0) deliver_stream_close(&d, random_below(&r, 2) == 0);
            if (random_below(&r, 6) == 0) deliver_ahead_drop(&d, other);
        }
        assert_string_equal(error.text, "");
        assert_as_alone(0, TASKS);
        deliver_ahead_drop(&d, run);
        deliver_ahead_drop(&d, other);
        deliver_stream_close(&d, false);
        agent_work_close(d.work);
    }
}

/* While somebody has claimed the work, what is under way is finished, nothing is begun, and the
 * models are free. */
static void who_claims_the_work_has_it(void **state)
{
    (void)state;
    struct random r = {.state = 20261126};
    struct work_error error = {0};
    specs_mix_decoder(&r);
    alone_do();
    work_open_for(GRADE_offline, 4);
    struct deliver_run *run = run_begin(0);
    ahead_add(run, 8); /* of a buyer that has more */
    run->full = true;
    assert_true(deliver_ahead_do(&d, run, &error));
    ahead_keep(run);
    assert_non_null(d.stream);
    assert_in_range(work_stream_active(d.stream), 1, 4);
    ahead_add(run, TASKS);
    agent_work_claim(d.work);
    assert_true(agent_work_wanted(d.work));
    for (int i = 0; i < 3; i++) {
        assert_true(deliver_ahead_do(&d, run, &error));
        ahead_keep(run);
        assert_null(d.stream);
        assert_int_equal(run->done, 8);
        assert_non_null(agent_work_enter(d.work, &specs[0], true, &error));
        agent_work_leave(d.work);
    }
    agent_work_release(d.work);
    assert_false(agent_work_wanted(d.work));
    run->full = false;
    while (run->done < TASKS) {
        assert_true(deliver_ahead_do(&d, run, &error));
        ahead_keep(run);
    }
    assert_as_alone(0, TASKS);
    deliver_ahead_drop(&d, run);
    deliver_stream_close(&d, true);
    agent_work_close(d.work);
}

/* Passes over the weights for all tasks: a stream's, with as many asked for as slots, and those of
 * batches of twice as many. */
static void a_stream_does_not_drain(void **state)
{
    (void)state;
    enum { SLOTS = 8 };
    struct random r = {.state = 20261125};
    struct work_error error = {0};
    uint32_t together;
    specs_mix_decoder(&r);
    alone_do();
    for (int streamed = 0; streamed < 2; streamed++) {
        work_open_for(GRADE_offline, SLOTS);
        struct deliver_run *run = run_begin(0);
        for (uint32_t i = 0; i < TASKS && streamed == 0; i += 2 * SLOTS)
            assert_true(batch_do(i, 2 * SLOTS, &together));
        while (streamed == 1 && run->done < TASKS) {
            run->full = run->done + run->ahead->count < TASKS;
            ahead_add(run, SLOTS);
            assert_true(deliver_ahead_do(&d, run, &error));
            ahead_keep(run);
        }
        deliver_ahead_drop(&d, run);
        deliver_stream_close(&d, true);
        const struct agent_model *m = agent_work_enter(d.work, &specs[0], true, &error);
        assert_non_null(m);
        uint64_t before = stream_passes;
        stream_passes = m->engine->passes;
        if (streamed == 1) assert_true(stream_passes < before);
        agent_work_leave(d.work);
        assert_as_alone(0, TASKS);
        agent_work_close(d.work);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_are_shared),
        cmocka_unit_test(batches_give_the_same),
        cmocka_unit_test(cheats_stay_what_they_are),
        cmocka_unit_test(stops_when_told),
        cmocka_unit_test(what_is_ahead_gives_the_same),
        cmocka_unit_test(a_stream_does_not_drain),
        cmocka_unit_test(who_claims_the_work_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
