/* verify_make.c: makes the papers of one small delivered hour, for verify_test.py.
 *
 * Usage: verify_make DIR
 *
 * In DIR: certificate.note, receipt.note, offer.note (the receipt before the buyer signs),
 * verdict.note, hour.proof (the sampled tasks), part_0.proof and part_1.proof (the first of them,
 * and the others), other.proof (tasks that were not sampled), wrong.proof (one product altered
 * before it was committed to; wrong_receipt.note, wrong_verdict.note), replayed.proof (another
 * hour's tasks; replayed_receipt.note), and keys (ROLE=HEX a line).
 */
#include "proof/certificate.h"
#include "proof/proof.h"
#include "proof/receipt.h"
#include "proof/sample.h"
#include "proof/verdict.h"
#include "work/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TASKS = 12, SAMPLED = 4, PROMPT = 4, ANSWER = 2, ALLOCATION = 17, HOUR = 499742 };

enum { CERTIFIER, SELLER, BUYER, VERIFIER, ROLES };
static const char *const roles[ROLES] = {"certifier", "seller", "buyer", "verifier"};
static uint8_t keys[ROLES][NOTE_KEY_SIZE], secrets[ROLES][NOTE_SECRET_SIZE];

static const char *directory;
static struct work_engine *engines[2]; /* of even and of odd tasks */
static const struct work_workload *workloads[2];

static void must(int status, const struct work_error *error)
{
    if (status == 0) return;
    fprintf(stderr, "verify_make: %s\n", error->text);
    exit(1);
}

static void save(const char *name, const void *bytes, size_t size)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(bytes, 1, size, f) != size || fclose(f) != 0) {
        fprintf(stderr, "verify_make: cannot write %s\n", path);
        exit(1);
    }
}

/* ---- an hour ---- */

struct hour {
    struct work_spec specs[TASKS];
    struct work_result results[TASKS];
    struct digest leaves[TASKS], root;
    uint128_t flop;
    bool altered; /* the last product of task 0 */
};

struct writing {
    struct proof_writer *w;
    struct merkle *tree;
    bool alter;
};

static int on_step(void *context, uint32_t index, const struct commit_step *step)
{
    struct writing *c = context;
    struct commit_step s = *step;
    int32_t *copy = malloc((size_t)s.m * s.n * sizeof *copy);
    memcpy(copy, s.c, (size_t)s.m * s.n * sizeof *copy);
    if (c->alter && index == 0) copy[5] += 1;
    s.c = copy;
    struct digest leaf = commit_step_leaf(index, &s);
    if (c->tree != NULL) merkle_append(c->tree, &leaf);
    if (c->w != NULL) proof_write_step(c->w, &s);
    free(copy);
    return 0;
}

static void hour_make(struct hour *h, int64_t nonce_hour, bool altered)
{
    struct work_error error = {{0}};
    struct merkle tree = {0};
    *h = (struct hour){.altered = altered};
    for (uint32_t i = 0; i < TASKS; i++) {
        struct digest nonce = commit_nonce(ALLOCATION, nonce_hour, i);
        work_spec_default(workloads[i % 2], &nonce, &h->specs[i]);
        if (i % 2 == 0) h->specs[i].prompt_count = PROMPT, h->specs[i].answer_count = ANSWER;
        must(work_task_run(engines[i % 2], &h->specs[i], &h->results[i], &error), &error);
        if (altered && i == 0) {
            struct merkle transcript = {0};
            struct writing c = {.tree = &transcript, .alter = true};
            must(work_open(engines[0], &h->specs[0], &h->results[0].answer, on_step, &c, &error),
                 &error);
            h->results[0].commit.transcript = merkle_root(&transcript);
        }
        h->results[i].commit.index = i;
        h->leaves[i] = commit_task_leaf(&h->results[i].commit);
        h->flop += h->results[i].commit.flop;
        merkle_append(&tree, &h->leaves[i]);
    }
    h->root = merkle_root(&tree);
}

static void proof_make(const char *name, const struct hour *h, const uint64_t *indices,
                       uint32_t count)
{
    const struct proof_header header = {.vintage = 2026, .allocation = ALLOCATION, .hour = HOUR,
                                        .tasks = TASKS, .root = h->root};
    struct proof_writer w = {0};
    struct work_error error = {{0}};
    proof_write_begin(&w, &header);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t spec[WORK_SPEC_SIZE_MAX], answer[WORK_ANSWER_SIZE_MAX];
        const struct work_result *r = &h->results[indices[i]];
        const struct work_spec *s = &h->specs[indices[i]];
        struct merkle_path path;
        struct writing c = {.w = &w, .alter = h->altered && indices[i] == 0};
        if (!merkle_path_of(h->leaves, TASKS, indices[i], &path)) exit(1);
        proof_write_task(&w, indices[i], r->commit.flop, spec,
                         (uint32_t)work_spec_encode(s, spec), answer,
                         (uint32_t)work_answer_encode(&r->answer, answer), &path);
        must(work_open(engines[indices[i] % 2], s, &r->answer, on_step, &c, &error), &error);
    }
    if (proof_write_end(&w) != 0) exit(1);
    save(name, w.bytes, w.size);
    free(w.bytes);
}

/* ---- notes ---- */

static void receipt_make(const char *name, const char *offer, const struct hour *h)
{
    char text[NOTE_SIZE_MAX];
    struct receipt r = {.allocation = ALLOCATION, .instrument = "CTP-2027D0104-PK", .hour = HOUR,
                        .tasks = TASKS, .flop = h->flop, .root = h->root};
    memcpy(r.seller, keys[SELLER], NOTE_KEY_SIZE);
    memcpy(r.buyer, keys[BUYER], NOTE_KEY_SIZE);
    (void)receipt_sign(&r, RECEIPT_ROLE_seller, secrets[SELLER]);
    if (offer != NULL) save(offer, text, receipt_encode(&r, text));
    (void)receipt_sign(&r, RECEIPT_ROLE_buyer, secrets[BUYER]);
    save(name, text, receipt_encode(&r, text));
}

static void certificate_make(void)
{
    char text[NOTE_SIZE_MAX];
    struct certificate c = {.resource = "rack-7", .provider = "acme", .site = "Oslo 1",
                            .region = "eu-north", .hardware = "2 x Xeon, OpenBLAS",
                            .vintage = 2026, .grade = 0, .work = 1500000000, .duration_s = 600,
                            .issued = TS(INT64_C(1799000000) * NS_PER_SECOND),
                            .expires = TS(INT64_C(1801592000) * NS_PER_SECOND)};
    memcpy(c.certifier, keys[CERTIFIER], NOTE_KEY_SIZE);
    (void)certificate_sign(&c, secrets[CERTIFIER]);
    save("certificate.note", text, certificate_encode(&c, text));
}

static uint32_t verdict_make(const char *name, const struct hour *h, uint64_t failed,
                             uint64_t *chosen)
{
    char text[NOTE_SIZE_MAX];
    struct verdict v = {.allocation = ALLOCATION, .hour = HOUR, .tasks = TASKS, .root = h->root,
                        .sampled = SAMPLED, .failed = failed, .seed = {1, 2, 5},
                        .flop = failed == 0 ? h->flop : 0,
                        .outcome = failed == 0 ? PROOF_ok : PROOF_falsified};
    memcpy(v.verifier, keys[VERIFIER], NOTE_KEY_SIZE);
    verdict_set_bound(&v);
    (void)verdict_sign(&v, secrets[VERIFIER]);
    save(name, text, verdict_encode(&v, text));
    struct digest seed = sample_seed(&h->root, v.seed);
    return sample_choose(&seed, TASKS, SAMPLED, chosen);
}

static void keys_make(void)
{
    char text[ROLES * 100];
    size_t n = 0;
    for (int i = 0; i < ROLES; i++) {
        uint8_t seed[NOTE_SEED_SIZE] = {(uint8_t)(i + 1)};
        note_keys(seed, keys[i], secrets[i]);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s=", roles[i]);
        hex_write(text + n, keys[i], NOTE_KEY_SIZE);
        n += 2 * NOTE_KEY_SIZE;
        text[n++] = '\n';
    }
    save("keys", text, n);
}

int main(int argc, char **argv)
{
    static struct hour hour, wrong, replayed;
    struct work_error error = {{0}};
    struct work_weights *weights[2];
    uint64_t chosen[SAMPLED], others[SAMPLED] = {0, 1, 2, 3};
    if (argc != 2) return 2;
    directory = argv[1];
    for (int i = 0; i < 2; i++) {
        const struct work_engine_options o = {.backend = &backend_plain};
        workloads[i] = work_workload_named(2026, i == 0 ? "test" : "gemm-test");
        must(work_weights_seeded(workloads[i], &weights[i], &error), &error);
        must(work_engine_open(workloads[i], weights[i], &o, &engines[i], &error), &error);
    }
    keys_make();
    certificate_make();
    hour_make(&hour, HOUR, false);
    hour_make(&wrong, HOUR, true);
    hour_make(&replayed, HOUR - 1, false);
    receipt_make("receipt.note", "offer.note", &hour);
    receipt_make("wrong_receipt.note", NULL, &wrong);
    receipt_make("replayed_receipt.note", NULL, &replayed);
    (void)verdict_make("wrong_verdict.note", &wrong, 1, chosen);
    uint32_t n = verdict_make("verdict.note", &hour, 0, chosen);
    proof_make("hour.proof", &hour, chosen, n);
    proof_make("part_0.proof", &hour, chosen, 1);
    proof_make("part_1.proof", &hour, chosen + 1, n - 1);
    if (memcmp(others, chosen, sizeof others) == 0) others[3] = 4;
    proof_make("other.proof", &hour, others, SAMPLED);
    proof_make("wrong.proof", &wrong, others, 2);
    proof_make("replayed.proof", &replayed, others, 2);
    for (int i = 0; i < 2; i++) {
        work_engine_close(engines[i]);
        work_weights_close(weights[i]);
    }
    return 0;
}
