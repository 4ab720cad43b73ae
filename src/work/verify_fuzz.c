/* verify_fuzz.c: a seller who commits to whatever he likes: bytes of a right proof are changed, the
 * root is made again over what came of it, and the checker has to find out. Nothing is found right
 * but the right proof, and the same work as an answer to a spec that samples in another way, when
 * the same tokens come of that (a low temperature): it is right of that spec, which the buyer has
 * or has not sent.
 *
 * The input: which proof (1 byte), then place (3 bytes), value (1 byte), again and again.
 */
#include "base/assert.h"
#include "work/verify.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    PROOFS = 2,
    ROOT_AT = 48,
    SAMPLING_AT = 120 + 20, /* temperature, top_k, stop: in the spec, behind the two headers */
    SAMPLING_SIZE = 12,
    ALLOCATION = 3,
    HOUR = 499742,
};

static struct proof_writer originals[PROOFS];
static struct verify *models;

static int on_step(void *context, uint32_t index, const struct commit_step *step)
{
    (void)index;
    proof_write_step(context, step);
    return 0;
}

static void original_make(struct proof_writer *w, const char *name)
{
    struct work_error error = {{0}};
    const struct work_engine_options o = {.backend = &backend_plain,
                                          .backend_options = {.threads = 1}};
    const struct work_workload *workload = work_workload_named(2026, name);
    struct work_weights *weights;
    struct work_engine *engine;
    struct work_spec spec;
    static struct work_result result;
    uint8_t spec_bytes[WORK_SPEC_SIZE_MAX], answer[WORK_ANSWER_SIZE_MAX];
    struct merkle_path path = {.count = 1};
    struct digest nonce = commit_nonce(ALLOCATION, HOUR, 0);
    ASSERT(workload != NULL && work_weights_seeded(workload, &weights, &error) == 0);
    ASSERT(work_engine_open(workload, weights, &o, &engine, &error) == 0);
    work_spec_default(workload, &nonce, &spec);
    if (workload->kind == WORK_KIND_decoder) {
        spec.prompt_count = 3;
        spec.answer_count = 2;
    }
    ASSERT(work_task_run(engine, &spec, &result, &error) == 0);
    const struct proof_header header = {.vintage = 2026, .allocation = ALLOCATION, .hour = HOUR,
                                        .tasks = 1, .root = commit_task_leaf(&result.commit)};
    proof_write_begin(w, &header);
    proof_write_task(w, 0, result.commit.flop, spec_bytes,
                     (uint32_t)work_spec_encode(&spec, spec_bytes), answer,
                     (uint32_t)work_answer_encode(&result.answer, answer), &path);
    ASSERT(work_open(engine, &spec, &result.answer, on_step, w, &error) == 0);
    ASSERT(proof_write_end(w) == 0);
    work_engine_close(engine);
    work_weights_close(weights);
}

static void start(void)
{
    static const uint8_t secret[32] = "nobody knows this but the fuzzer";
    if (models != NULL) return;
    original_make(&originals[0], "gemm-test");
    original_make(&originals[1], "test");
    models = verify_open(secret, NULL, NULL);
    ASSERT(models != NULL);
}

/* Whether the two differ at most in how tokens are sampled, and in the root that follows. */
static bool same_work(const uint8_t *bytes, const struct proof_writer *original)
{
    bool same = true;
    for (size_t i = 0; same && i < original->size; i++)
        same = bytes[i] == original->bytes[i] || i - ROOT_AT < DIGEST_BYTES ||
               i - SAMPLING_AT < SAMPLING_SIZE;
    return same;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proof p;
    struct proof_task task;
    struct commit_task commitment;
    struct verify_result r;
    if (size == 0) return 0;
    start();
    const struct proof_writer *original = &originals[data[0] % PROOFS];
    uint8_t *bytes = malloc(original->size);
    ASSERT(bytes != NULL);
    memcpy(bytes, original->bytes, original->size);
    for (size_t at = 1; at + 4 <= size; at += 4) {
        size_t place = data[at] | (size_t)data[at + 1] << 8 | (size_t)data[at + 2] << 16;
        bytes[place % original->size] = data[at + 3];
    }
    if (proof_parse(&p, bytes, original->size, NULL) == 0 &&
        proof_task_next(&p, &task, NULL) == 1) {
        (void)proof_task_committed(&p, &task, &commitment);
        struct digest root = commit_task_leaf(&commitment);
        memcpy(bytes + ROOT_AT, root.v, DIGEST_BYTES);
        ASSERT(proof_parse(&p, bytes, original->size, NULL) == 0);
        ASSERT(proof_task_next(&p, &task, NULL) == 1);
        verify_task(models, &p, &task, &r);
        bool same = memcmp(bytes, original->bytes, original->size) == 0;
        ASSERT(!same || r.outcome == VERIFY_right);
        ASSERT(r.outcome != VERIFY_right || same_work(bytes, original));
        ASSERT(r.outcome == VERIFY_right || r.reason[0] != 0);
    }
    free(bytes);
    return 0;
}
