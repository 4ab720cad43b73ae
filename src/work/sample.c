/* sample.c: which token follows from logits: the likeliest, or one drawn by the task's key.
 *
 * Candidates are the top_k greatest logits, of equal ones those with the lower token. A candidate
 * weighs fixed_sample_weight of how far it is below the greatest. The token is the first, in the
 * order of tokens, at which the sum of weights passes floor(random x total / 2^64), where random is
 * number i of the task's key for the answer's token i.
 *
 * Upstream: fixed.h. Downstream: run, check.
 */
#include "work/fixed.h"
#include "work/internal.h"

static uint32_t greatest(const int32_t *logits, uint32_t count)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < count; i++)
        if (logits[i] > logits[best]) best = i;
    return best;
}

static uint32_t count_from(const int32_t *logits, uint32_t count, int64_t least)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) found += logits[i] >= least;
    return found;
}

/* The k-th greatest logit. */
static int32_t kth(const int32_t *logits, uint32_t count, uint32_t k)
{
    int64_t low = -FIXED_LOGIT_MAX, high = FIXED_LOGIT_MAX; /* at least k reach low */
    while (low < high) {
        int64_t middle = low + (high - low + 1) / 2;
        if (count_from(logits, count, middle) >= k) low = middle;
        else high = middle - 1;
    }
    return (int32_t)low;
}

uint32_t work_sample(const struct work_spec *s, uint64_t key, uint32_t i, const int32_t *logits,
                     uint32_t count)
{
    uint32_t best = greatest(logits, count);
    if (s->temperature == 0) return best;
    int32_t least = -FIXED_LOGIT_MAX;
    uint32_t ties = count; /* how many of those equal to `least` are candidates */
    if (s->top_k != 0) {
        least = kth(logits, count, s->top_k);
        ties = s->top_k - count_from(logits, count, (int64_t)least + 1);
    }
    uint64_t sharpness = fixed_sharpness(s->temperature), total = 0, at = 0;
    for (uint32_t pass = 0; pass < 2; pass++) {
        uint64_t sum = 0;
        uint32_t equal = 0;
        for (uint32_t t = 0; t < count; t++) {
            if (logits[t] < least || (logits[t] == least && equal++ >= ties)) continue;
            sum += fixed_sample_weight((uint32_t)logits[best] - (uint32_t)logits[t], sharpness);
            if (pass == 1 && sum > at) return t;
        }
        total = sum;
        at = fixed_multiply_high(fixed_random(key, i), total);
    }
    return best; /* not reached: the sum passes every number below the total */
}
