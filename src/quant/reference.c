/* reference.c: see reference.h. */
#include "quant/reference.h"

#include <stdlib.h>

/* ---- sources' values ---- */

struct fresh {
    int64_t value;
    uint32_t input;
};

static int by_value(const void *a, const void *b)
{
    const struct fresh *x = a, *y = b;
    if (x->value != y->value) return x->value < y->value ? -1 : 1;
    return x->input < y->input ? -1 : x->input > y->input;
}

/* Beyond both the share of the median and the least distance. */
static bool beyond(const struct reference_terms *t, int64_t value, int128_t twice)
{
    int128_t apart = 2 * (int128_t)value - twice, middle = twice < 0 ? -twice : twice;
    if (apart < 0) apart = -apart;
    return apart > 2 * (int128_t)t->deviation_min && apart * E6 > middle * t->deviation_e6;
}

void reference_submissions(const struct reference_terms *t, int64_t hour_end_ms,
                           struct reference_input *inputs, uint32_t count,
                           struct reference_price *out)
{
    struct fresh fresh[REFERENCE_INPUTS_MAX];
    uint32_t n = 0, left = 0;
    *out = (struct reference_price){0};
    for (uint32_t i = 0; i < count && i < REFERENCE_INPUTS_MAX; i++) {
        bool stale = inputs[i].observed_ms < hour_end_ms - t->staleness_ms;
        inputs[i].status = stale ? REFERENCE_INPUT_stale : REFERENCE_INPUT_counted;
        if (!stale) fresh[n++] = (struct fresh){inputs[i].value, i};
    }
    if (n == 0) return;
    qsort(fresh, n, sizeof *fresh, by_value);
    int128_t twice = (int128_t)fresh[(n - 1) / 2].value + fresh[n / 2].value;
    out->median_twice = (int64_t)twice;
    out->has_median = true;
    for (uint32_t i = 0; i < n; i++) {
        if (beyond(t, fresh[i].value, twice)) inputs[fresh[i].input].status = REFERENCE_INPUT_wild;
        else fresh[left++] = fresh[i];
    }
    out->counted = left;
    if (left < t->minimum) return;
    uint32_t drop = (left + 1) / 4;
    int128_t sum = 0;
    for (uint32_t i = 0; i < left; i++) {
        bool kept = i >= drop && i + drop < left;
        if (kept) sum += fresh[i].value;
        else inputs[fresh[i].input].status = REFERENCE_INPUT_trimmed;
    }
    out->trimmed = drop;
    out->found = true;
    out->price = (int64_t)int128_div_half_even(sum, left - 2 * (int128_t)drop);
}

/* ---- sellers ---- */

/* Between two neighbouring volumes the sum is a straight line in c, so each stretch has its own
 * answer; the highest stretch that has one counts. */
int64_t reference_cap(const int64_t *rising, uint32_t count, int64_t share_e6)
{
    int128_t below = 0; /* sum of the volumes under the stretch */
    for (uint32_t i = 0; i + 1 < count; i++) below += rising[i];
    for (uint32_t i = count; i-- > 0;) {
        int64_t high = rising[i], low = i > 0 ? rising[i - 1] : 0;
        int128_t slope = E6 - (int128_t)(count - i) * share_e6;
        int128_t c = slope <= 0 ? high : below * share_e6 / slope;
        if (c > high) c = high;
        if (c > low || (c == low && i > 0)) return (int64_t)c;
        if (i > 0) below -= rising[i - 1];
    }
    return count > 0 ? rising[0] : 0;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static bool stand_in_order(const struct reference_seller *s, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        if (s[i].price < s[i - 1].price) return false;
        if (s[i].price == s[i - 1].price && s[i].volume < s[i - 1].volume) return false;
    }
    return true;
}

static void weigh(const struct reference_terms *t, struct reference_seller *s, uint32_t n,
                  struct reference_spot *out)
{
    uint32_t drop = (n + 1) / 4, left = n - 2 * drop;
    int64_t *volumes = malloc(left * sizeof *volumes);
    if (volumes == NULL) abort();
    for (uint32_t i = 0; i < left; i++) volumes[i] = s[drop + i].volume;
    qsort(volumes, left, sizeof *volumes, by_size);
    int64_t cap = reference_cap(volumes, left, t->spot_share_e6);
    free(volumes);
    int128_t sum = 0, weights = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i < drop || i >= n - drop) {
            s[i].status = REFERENCE_SELLER_trimmed;
            continue;
        }
        bool capped = s[i].volume > cap;
        s[i].weight = capped ? cap : s[i].volume;
        s[i].status = capped ? REFERENCE_SELLER_capped : REFERENCE_SELLER_counted;
        if (capped) out->cap = cap;
        sum += (int128_t)s[i].weight * s[i].price;
        weights += s[i].weight;
    }
    out->trimmed = drop;
    out->result = weights < t->spot_volume ? REFERENCE_SPOT_low_volume : REFERENCE_SPOT_priced;
    if (out->result == REFERENCE_SPOT_priced)
        out->price = (int64_t)int128_div_half_even(sum, weights);
}

void reference_spot(const struct reference_terms *t, int64_t unkept,
                    struct reference_seller *sellers, uint32_t count, struct reference_spot *out)
{
    *out = (struct reference_spot){.in_order = true};
    uint32_t n = 0;
    bool last = true; /* those without volume stand behind all others */
    for (uint32_t i = 0; i < count; i++) {
        struct reference_seller *s = &sellers[i];
        s->weight = 0;
        s->status = REFERENCE_SELLER_excluded;
        s->price = INT64_MIN;
        if (s->volume <= 0) continue;
        last = last && n == i;
        s->price = (int64_t)int128_div_half_even(s->value, s->volume);
        s->status = REFERENCE_SELLER_counted;
        out->volume += s->volume;
        n += 1;
    }
    out->sellers = n;
    out->in_order = last && stand_in_order(sellers, last ? n : 0);
    if (!out->in_order || unkept > 0) out->result = REFERENCE_SPOT_incomplete;
    else if (n == 0) out->result = REFERENCE_SPOT_no_trades;
    else if (n < t->spot_sellers) out->result = REFERENCE_SPOT_few_sellers;
    else weigh(t, sellers, n, out);
}

int64_t reference_mean(int128_t sum, int64_t count, int64_t unit)
{
    return (int64_t)(int128_div_half_even(sum, (int128_t)count * unit) * unit);
}
