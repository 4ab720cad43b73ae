/* task.c: specs and answers: bounds, canonical bytes, digests.
 *
 *   spec    version 4 = 1, vintage 4, workload 4, prompt count 4, answer count 4, temperature 4,
 *           top k 4, stop 4, prompt given 4 (0 or 1), weights 32, nonce 32; then, when given, the
 *           prompt's tokens, 4 each
 *   answer  version 4 = 1, count 4, product 32, tokens 4 each
 *
 * Integers are big-endian. There is one encoding of a spec and of an answer.
 *
 * Upstream: registry, proof. Downstream: run, check; the agents and the verifier.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "work/fixed.h"
#include "work/work.h"

enum {
    VERSION = 1,
    SPEC_WORDS = 9,
    SPEC_HEAD = 4 * SPEC_WORDS + 2 * DIGEST_BYTES,
    ANSWER_HEAD = 8 + DIGEST_BYTES,
    TEMPERATURE_MIN = 656, /* one hundredth */
    TEMPERATURE_MAX = 1 << 24,
};

int work_fail(struct work_error *e, const char *format, ...)
{
    if (e == NULL || e->text[0] != '\0') return -1;
    va_list list;
    va_start(list, format);
    (void)vsnprintf(e->text, sizeof e->text, format, list);
    va_end(list);
    return -1;
}

static int check_tokens(const struct work_spec *s, const struct work_shape *h,
                        struct work_error *error)
{
    for (uint32_t i = 0; s->prompt != NULL && i < s->prompt_count; i++) {
        if (s->prompt[i] >= h->vocabulary)
            return work_fail(error, "token %u of the prompt is %u; the vocabulary ends at %u", i,
                             s->prompt[i], h->vocabulary - 1);
    }
    return 0;
}

static int check_decoder(const struct work_spec *s, const struct work_shape *h,
                         struct work_error *error)
{
    if (s->prompt_count == 0 || s->prompt_count > WORK_PROMPT_MAX)
        return work_fail(error, "a prompt has 1 to %u tokens, not %u", (unsigned)WORK_PROMPT_MAX,
                         s->prompt_count);
    if (s->answer_count == 0 || s->answer_count > WORK_ANSWER_MAX)
        return work_fail(error, "an answer has 1 to %u tokens, not %u", (unsigned)WORK_ANSWER_MAX,
                         s->answer_count);
    if (s->prompt_count + s->answer_count > h->context)
        return work_fail(error, "prompt and answer have %u tokens; the model's context is %u",
                         s->prompt_count + s->answer_count, h->context);
    if (s->temperature != 0 &&
        (s->temperature < TEMPERATURE_MIN || s->temperature > TEMPERATURE_MAX))
        return work_fail(error, "a temperature is 0 or from 0.01 to 256 (in 1/65536)");
    if (s->temperature == 0 && s->top_k != 0)
        return work_fail(error, "top k without a temperature has no meaning");
    if (s->top_k > h->vocabulary)
        return work_fail(error, "top k is beyond the vocabulary");
    if (s->stop != WORK_STOP_NONE && s->stop >= h->vocabulary)
        return work_fail(error, "the stop token is beyond the vocabulary");
    return check_tokens(s, h, error);
}

int work_spec_check(const struct work_spec *s, struct work_error *error)
{
    if (work_vintage_find(s->vintage) == NULL)
        return work_fail(error, "no vintage %u", s->vintage);
    const struct work_workload *w = work_workload_find(s->vintage, s->workload);
    if (w == NULL)
        return work_fail(error, "vintage %u has no workload %u", s->vintage, s->workload);
    if (w->kind == WORK_KIND_decoder) return check_decoder(s, &w->shape, error);
    static const struct digest seeded;
    if (s->prompt_count != 0 || s->answer_count != 0 || s->temperature != 0 || s->top_k != 0 ||
        s->stop != WORK_STOP_NONE || s->prompt != NULL || !digest_equal(&s->weights, &seeded))
        return work_fail(error, "a product takes neither prompt, answer, sampling nor weights");
    return 0;
}

void work_spec_default(const struct work_workload *w, const struct digest *nonce,
                       struct work_spec *s)
{
    *s = (struct work_spec){.vintage = work_workload_vintage(w), .workload = w->id,
                            .nonce = *nonce, .prompt_count = w->prompt_count,
                            .answer_count = w->answer_count, .stop = WORK_STOP_NONE};
}

static void write_word(uint8_t *at, uint32_t v)
{
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t read_word(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

size_t work_spec_encode(const struct work_spec *s, uint8_t bytes[WORK_SPEC_SIZE_MAX])
{
    ASSERT(s->prompt_count <= WORK_PROMPT_MAX);
    const uint32_t words[SPEC_WORDS] = {
        VERSION, s->vintage, s->workload, s->prompt_count, s->answer_count, s->temperature,
        s->top_k, s->stop, s->prompt != NULL};
    for (size_t i = 0; i < SPEC_WORDS; i++) write_word(bytes + 4 * i, words[i]);
    memcpy(bytes + 4 * SPEC_WORDS, s->weights.v, DIGEST_BYTES);
    memcpy(bytes + 4 * SPEC_WORDS + DIGEST_BYTES, s->nonce.v, DIGEST_BYTES);
    if (s->prompt == NULL) return SPEC_HEAD;
    for (size_t i = 0; i < s->prompt_count; i++)
        write_word(bytes + SPEC_HEAD + 4 * i, s->prompt[i]);
    return SPEC_HEAD + 4 * (size_t)s->prompt_count;
}

int work_spec_decode(const uint8_t *bytes, size_t size, struct work_spec *s, uint32_t *prompt,
                     struct work_error *error)
{
    if (size < SPEC_HEAD) return work_fail(error, "a spec has at least %d bytes", SPEC_HEAD);
    uint32_t words[SPEC_WORDS];
    for (size_t i = 0; i < SPEC_WORDS; i++) words[i] = read_word(bytes + 4 * i);
    if (words[0] != VERSION) return work_fail(error, "no version %u of a spec", words[0]);
    if (words[8] > 1) return work_fail(error, "a prompt is given or it is not");
    if (words[3] > WORK_PROMPT_MAX)
        return work_fail(error, "a prompt has at most %u tokens", (unsigned)WORK_PROMPT_MAX);
    if (size != SPEC_HEAD + 4 * (size_t)words[3] * words[8])
        return work_fail(error, "a spec with this prompt has another length");
    *s = (struct work_spec){.vintage = words[1], .workload = words[2], .prompt_count = words[3],
                            .answer_count = words[4], .temperature = words[5], .top_k = words[6],
                            .stop = words[7], .prompt = words[8] != 0 ? prompt : NULL};
    memcpy(s->weights.v, bytes + 4 * SPEC_WORDS, DIGEST_BYTES);
    memcpy(s->nonce.v, bytes + 4 * SPEC_WORDS + DIGEST_BYTES, DIGEST_BYTES);
    for (size_t i = 0; s->prompt != NULL && i < s->prompt_count; i++)
        prompt[i] = read_word(bytes + SPEC_HEAD + 4 * i);
    return work_spec_check(s, error);
}

struct digest work_spec_digest(const struct work_spec *s)
{
    uint8_t bytes[WORK_SPEC_SIZE_MAX];
    return digest_of(bytes, work_spec_encode(s, bytes));
}

size_t work_answer_encode(const struct work_answer *a, uint8_t bytes[WORK_ANSWER_SIZE_MAX])
{
    ASSERT(a->count <= WORK_ANSWER_MAX);
    write_word(bytes, VERSION);
    write_word(bytes + 4, a->count);
    memcpy(bytes + 8, a->product.v, DIGEST_BYTES);
    for (size_t i = 0; i < a->count; i++) write_word(bytes + ANSWER_HEAD + 4 * i, a->tokens[i]);
    return ANSWER_HEAD + 4 * (size_t)a->count;
}

int work_answer_decode(const uint8_t *bytes, size_t size, struct work_answer *a,
                       struct work_error *error)
{
    if (size < ANSWER_HEAD) return work_fail(error, "an answer has at least %d bytes", ANSWER_HEAD);
    if (read_word(bytes) != VERSION)
        return work_fail(error, "no version %u of an answer", read_word(bytes));
    uint32_t count = read_word(bytes + 4);
    if (count > WORK_ANSWER_MAX)
        return work_fail(error, "an answer has at most %u tokens", (unsigned)WORK_ANSWER_MAX);
    if (size != ANSWER_HEAD + 4 * (size_t)count)
        return work_fail(error, "an answer of %u tokens has another length", count);
    *a = (struct work_answer){.count = count};
    memcpy(a->product.v, bytes + 8, DIGEST_BYTES);
    for (size_t i = 0; i < count; i++) a->tokens[i] = read_word(bytes + ANSWER_HEAD + 4 * i);
    return 0;
}

struct digest work_answer_digest(const struct work_answer *a)
{
    uint8_t bytes[WORK_ANSWER_SIZE_MAX];
    return digest_of(bytes, work_answer_encode(a, bytes));
}

/* The first 8 bytes, little-endian: the key of what is made from it. */
uint64_t work_key(const struct digest *d)
{
    uint64_t key = 0;
    for (int i = 7; i >= 0; i--) key = key << 8 | d->v[i];
    return key;
}

void work_prompt(const struct work_spec *s, const struct work_shape *h, uint32_t *tokens)
{
    uint64_t key = work_key(&s->nonce);
    for (uint32_t i = 0; i < s->prompt_count; i++)
        tokens[i] = s->prompt != NULL ? s->prompt[i] : fixed_prompt_token(key, i, h->vocabulary);
}
