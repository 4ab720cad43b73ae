/* index.c: see index.h. Whole numbers throughout: a median is compared as twice itself. */
#include "core/index.h"

#include "core/calendar.h"
#include "core/dual.h"
#include "core/index_spot.h"
#include "core/schedule.h"

#include <string.h>

uint32_t index_input_hours(const struct core_limits *l)
{
    return l->index_hours < 48 ? l->index_hours : 48;
}

static int64_t hour_of(ts_t ts) { return int64_div_floor(ts.v, NS_PER_HOUR); }

static struct index_hour *hour_at(const struct core *c, uint32_t index, int64_t hour)
{
    size_t place = (size_t)(hour % c->limits.index_hours);
    return &c->index_hours[(size_t)index * c->limits.index_hours + place];
}

/* The hour's record; NULL: not fixed, or no longer kept. */
static const struct index_hour *hour_find(const struct core *c, uint32_t index, int64_t hour)
{
    const struct index *x = &c->indices[index];
    if (hour < x->hour_first || hour >= x->hour_next) return NULL;
    const struct index_hour *h = hour_at(c, index, hour);
    return h->hour == hour ? h : NULL;
}

/* The inputs of an hour, by source. */
static struct index_input *inputs_at(const struct core *c, uint32_t index, int64_t hour)
{
    uint32_t hours = index_input_hours(&c->limits);
    size_t place = (size_t)index * hours + (size_t)(hour % hours);
    return &c->index_inputs[place * INDEX_SOURCES_MAX];
}

static bool inputs_are_of(const struct index_input *inputs, int64_t hour)
{
    return inputs[0].hour == hour;
}

/* Makes the place the hour's: what was kept of an earlier hour goes. */
static struct index_input *inputs_begin(struct core *c, uint32_t index, int64_t hour)
{
    struct index_input *inputs = inputs_at(c, index, hour);
    if (inputs_are_of(inputs, hour)) return inputs;
    for (uint32_t i = 0; i < INDEX_SOURCES_MAX; i++)
        inputs[i] = (struct index_input){.hour = hour, .value = PRICE_NONE};
    return inputs;
}

/* ---- an index as data ---- */

static bool tiers_are_valid(const uint8_t tiers[INDEX_TIERS_MAX])
{
    bool ended = false;
    for (uint32_t i = 0; i < INDEX_TIERS_MAX; i++) {
        if (tiers[i] >= INDEX_TIER_count || (ended && tiers[i] != 0)) return false;
        for (uint32_t j = 0; j < i; j++) {
            if (tiers[i] != 0 && tiers[j] == tiers[i]) return false;
        }
        ended = tiers[i] == INDEX_TIER_none;
    }
    return tiers[0] != INDEX_TIER_none;
}

static bool has_tier(const struct command_index_create *t, enum index_tier tier)
{
    for (uint32_t i = 0; i < INDEX_TIERS_MAX; i++) {
        if (t->tiers[i] == tier) return true;
    }
    return false;
}

/* Of the sellers that are left after trimming none may have to weigh more than its share. */
static bool spot_is_valid(const struct command_index_create *t)
{
    if (t->reserved != 0) return false;
    if (!has_tier(t, INDEX_TIER_spot))
        return t->spot_sellers == 0 && t->spot_volume == 0 && t->spot_share_e6 == 0;
    return within(t->spot_sellers, 3, 1000) && within(t->spot_volume, 1, QTY_MAX) &&
           within(t->spot_share_e6, 1, E6);
}

/* Fewer than three, and one source would decide. */
static bool terms_are_valid(const struct command_index_create *t)
{
    if (t->name[0] == 0 || t->minimum < 3 || t->minimum > t->source_count) return false;
    for (uint32_t i = 0; i < INDEX_SOURCES_MAX; i++) {
        for (uint32_t j = 0; j < i && i < t->source_count; j++) {
            if (t->sources[i] == t->sources[j]) return false;
        }
        if (i >= t->source_count && t->sources[i] != 0) return false;
    }
    return tiers_are_valid(t->tiers) && within(t->staleness_ns, 1, 7 * NS_PER_DAY) &&
           within(t->delay_ns, 0, NS_PER_DAY) && within(t->deviation_e6, 0, 1000 * E6) &&
           within(t->deviation_min.v, 0, PRICE_MAX) &&
           within(t->value_min.v, -PRICE_MAX, PRICE_MAX) && spot_is_valid(t) &&
           (t->deviation_e6 > 0 || t->deviation_min.v > 0);
}

static enum reject create_check(const struct core *c, const struct command_index_create *t)
{
    if (!terms_are_valid(t)) return REJECT_malformed_request;
    for (uint32_t i = 0; i < t->source_count; i++) {
        if (!account_is_customer(c, t->sources[i])) return REJECT_unknown_account;
    }
    for (uint32_t i = 1; i <= c->s->indices; i++) {
        if (strncmp(c->indices[i].terms.name, t->name, INDEX_NAME_SIZE) == 0)
            return REJECT_already_exists;
    }
    return c->s->indices < c->limits.indices ? REJECT_none : REJECT_capacity_exhausted;
}

void event_index_push(const struct core *c, struct outbox *out, uint32_t index)
{
    struct event_index *e = outbox_push(out, EVENT_index, sizeof *e);
    e->id = index;
    e->reserved = 0;
    e->terms = c->indices[index].terms;
    e->hour_first = TS(c->indices[index].hour_first * NS_PER_HOUR);
}

/* Its first hour is the one that is running. */
void index_create(struct core *c, const struct command *cmd)
{
    enum reject reason = create_check(c, &cmd->index_create);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    uint32_t id = ++c->s->indices;
    int64_t hour = hour_of(c->s->ts);
    c->indices[id] = (struct index){.terms = cmd->index_create, .hour_first = hour,
                                    .hour_next = hour};
    schedule_index(c, id);
    event_index_push(c, c->out, id);
}

/* ---- submissions ---- */

static uint32_t source_of(const struct index *x, uint32_t account)
{
    for (uint32_t i = 0; i < x->terms.source_count; i++) {
        if (x->terms.sources[i] == account) return i;
    }
    return UINT32_MAX;
}

static enum reject hour_check(const struct core *c, const struct index *x, ts_t ts, bool begun)
{
    if (ts.v < 0 || ts.v % NS_PER_HOUR != 0) return REJECT_invalid_hour;
    int64_t hour = hour_of(ts), now = hour_of(c->s->ts);
    if (begun && hour > now) return REJECT_invalid_hour;
    if (begun && hour < x->hour_next) return REJECT_stale_price;
    return now - hour < index_input_hours(&c->limits) || !begun ? REJECT_none
                                                                 : REJECT_stale_price;
}

static enum reject submit_check(const struct core *c, const struct command *cmd)
{
    const struct command_index_submit *s = &cmd->index_submit;
    if (s->index == NIL || s->index > c->s->indices) return REJECT_unknown_index;
    const struct index *x = &c->indices[s->index];
    uint32_t source = source_of(x, cmd->header.account);
    if (source == UINT32_MAX) return REJECT_unauthorised;
    if (s->value.v < x->terms.value_min.v || s->value.v > PRICE_MAX) return REJECT_invalid_price;
    enum reject reason = hour_check(c, x, s->hour, true);
    if (reason != REJECT_none) return reason;
    if (s->observed.v < 0 || s->observed.v > c->s->ts.v) return REJECT_invalid_hour;
    int64_t end = s->hour.v + NS_PER_HOUR;
    if (s->observed.v != 0 && end - s->observed.v > x->terms.staleness_ns)
        return REJECT_stale_price;
    const struct index_input *inputs = inputs_at(c, s->index, hour_of(s->hour));
    bool given = inputs_are_of(inputs, hour_of(s->hour)) &&
                 inputs[source].status != INDEX_INPUT_absent;
    return given ? REJECT_duplicate_price : REJECT_none;
}

static void event_input_push(const struct core *c, struct outbox *out, uint32_t index,
                             int64_t hour, uint32_t source)
{
    const struct index_input *input = &inputs_at(c, index, hour)[source];
    struct event_index_input *e = outbox_push(out, EVENT_index_input, sizeof *e);
    e->index = index;
    e->source = c->indices[index].terms.sources[source];
    e->hour = TS(hour * NS_PER_HOUR);
    e->value = input->value;
    e->observed = input->observed;
    e->status = input->status;
    e->reserved = 0;
}

void index_submit(struct core *c, const struct command *cmd)
{
    const struct command_index_submit *s = &cmd->index_submit;
    enum reject reason = submit_check(c, cmd);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    int64_t hour = hour_of(s->hour);
    uint32_t source = source_of(&c->indices[s->index], cmd->header.account);
    struct index_input *inputs = inputs_begin(c, s->index, hour);
    inputs[source].value = s->value;
    inputs[source].observed = s->observed.v == 0 ? c->s->ts : s->observed;
    inputs[source].status = INDEX_INPUT_given;
    event_input_push(c, c->out, s->index, hour, source);
}

/* ---- the tiers ---- */

struct rank { /* one value, for ordering */
    int64_t value;
    uint32_t source;
};

static uint32_t ranks_insert(struct rank *ranks, uint32_t count, struct rank one)
{
    uint32_t at = count;
    for (; at > 0 && ranks[at - 1].value > one.value; at--) ranks[at] = ranks[at - 1];
    ranks[at] = one;
    return count + 1;
}

/* The fresh ones in rising order; marks those that are not. */
static uint32_t ranks_fresh(const struct index *x, struct index_input *inputs, int64_t hour,
                            struct rank *ranks)
{
    uint32_t count = 0;
    int64_t oldest = (hour + 1) * NS_PER_HOUR - x->terms.staleness_ns;
    for (uint32_t i = 0; i < x->terms.source_count; i++) {
        if (inputs[i].status == INDEX_INPUT_absent) continue;
        bool stale = inputs[i].observed.v < oldest;
        inputs[i].status = stale ? INDEX_INPUT_stale : INDEX_INPUT_counted;
        if (!stale) count = ranks_insert(ranks, count, (struct rank){inputs[i].value.v, i});
    }
    return count;
}

static bool is_wild(const struct index *x, int64_t value, int64_t twice_median)
{
    int128_t apart = (int128_t)value * 2 - twice_median;
    int128_t middle = twice_median < 0 ? -(int128_t)twice_median : twice_median;
    if (apart < 0) apart = -apart;
    return apart > (int128_t)x->terms.deviation_min.v * 2 &&
           apart * E6 > middle * x->terms.deviation_e6;
}

/* Trimmed mean of the sources; false: fewer than the minimum are left. */
static bool tier_submissions(struct core *c, uint32_t index, int64_t hour, struct index_hour *h)
{
    const struct index *x = &c->indices[index];
    struct index_input *inputs = inputs_begin(c, index, hour);
    struct rank fresh[INDEX_SOURCES_MAX], left[INDEX_SOURCES_MAX];
    uint32_t count = ranks_fresh(x, inputs, hour, fresh), n = 0;
    if (count == 0) return false;
    h->median = PRICE(fresh[(count - 1) / 2].value + fresh[count / 2].value); /* twice */
    for (uint32_t i = 0; i < count; i++) {
        bool wild = is_wild(x, fresh[i].value, h->median.v);
        if (wild) inputs[fresh[i].source].status = INDEX_INPUT_wild;
        else left[n++] = fresh[i];
    }
    h->counted = (uint8_t)n;
    if (n < x->terms.minimum) return false;
    uint32_t k = (n + 1) / 4;
    int128_t sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        bool trimmed = i < k || i >= n - k;
        if (trimmed) inputs[left[i].source].status = INDEX_INPUT_trimmed;
        else sum += left[i].value;
    }
    h->trimmed = (uint8_t)k;
    h->price = PRICE((int64_t)int128_div_half_even(sum, n - 2 * k));
    return true;
}

/* The hour before, while not too many in a row have been made so. */
static bool tier_previous_hour(struct core *c, uint32_t index, int64_t hour, struct index_hour *h)
{
    const struct index *x = &c->indices[index];
    const struct index_hour *before = hour_find(c, index, hour - 1);
    if (before == NULL || price_is_none(before->price)) return false;
    if (x->carried >= x->terms.carries_max) return false;
    h->price = before->price;
    return true;
}

typedef bool index_tier_function(struct core *c, uint32_t index, int64_t hour,
                                 struct index_hour *h);
static index_tier_function *const index_tiers[INDEX_TIER_count] = {
    [INDEX_TIER_submissions] = tier_submissions,
    [INDEX_TIER_previous_hour] = tier_previous_hour,
    [INDEX_TIER_spot] = index_spot_price,
};

/* ---- fixing an hour ---- */

int64_t index_due(const struct index *x)
{
    return (x->hour_next + 1) * NS_PER_HOUR + x->terms.delay_ns;
}

static void event_price_push(const struct core *c, struct outbox *out, uint32_t index,
                             const struct index_hour *h)
{
    const struct index_input *inputs = inputs_at(c, index, h->hour);
    const struct index *x = &c->indices[index];
    struct event_index_price *e = outbox_push(out, EVENT_index_price, sizeof *e);
    struct event_header header = e->header;
    *e = (struct event_index_price){
        .header = header, .index = index, .tier = h->tier, .counted = h->counted,
        .trimmed = h->trimmed, .hour = TS(h->hour * NS_PER_HOUR), .price = h->price,
        .median = h->median, .principal = h->principal};
    for (uint32_t i = 0; i < x->terms.source_count && inputs_are_of(inputs, h->hour); i++) {
        if (inputs[i].status == INDEX_INPUT_absent) continue;
        e->inputs += 1;
        event_input_push(c, out, index, h->hour, i);
    }
    e->spot = event_index_spot_push(c, out, index, h->hour);
}

void index_run(struct core *c, uint32_t index)
{
    struct index *x = &c->indices[index];
    int64_t hour = x->hour_next;
    struct index_hour h = {.hour = hour, .price = PRICE_NONE, .median = PRICE_NONE};
    for (uint32_t i = 0; i < INDEX_TIERS_MAX && h.tier == INDEX_TIER_none; i++) {
        index_tier_function *find = index_tiers[x->terms.tiers[i]];
        if (find != NULL && find(c, index, hour, &h)) h.tier = x->terms.tiers[i];
    }
    x->carried = h.tier == INDEX_TIER_previous_hour ? x->carried + 1 : 0;
    *hour_at(c, index, hour) = h;
    index_spot_forget(c, index, hour);
    x->hour_next = hour + 1;
    event_price_push(c, c->out, index, &h);
    if (h.tier != INDEX_TIER_none) schedule_waiting(c, index);
}

static enum reject price_check(const struct core *c, const struct command_index_price *p)
{
    if (p->index == NIL || p->index > c->s->indices) return REJECT_unknown_index;
    const struct index *x = &c->indices[p->index];
    if (p->value.v < x->terms.value_min.v || p->value.v > PRICE_MAX) return REJECT_invalid_price;
    enum reject reason = hour_check(c, x, p->hour, false);
    if (reason != REJECT_none) return reason;
    const struct index_hour *h = hour_find(c, p->index, hour_of(p->hour));
    if (h == NULL) return hour_of(p->hour) < x->hour_next ? REJECT_stale_price
                                                           : REJECT_invalid_hour;
    return price_is_none(h->price) ? REJECT_none : REJECT_duplicate_price;
}

/* The committee: two officers, for an hour that no other tier could price. */
void index_price(struct core *c, const struct command *cmd)
{
    const struct command_index_price *p = &cmd->index_price;
    enum reject reason = price_check(c, p);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    if (dual_wait(c, cmd)) return;
    struct index_hour *h = hour_at(c, p->index, hour_of(p->hour));
    h->price = p->value;
    h->tier = INDEX_TIER_committee;
    h->principal = cmd->header.principal;
    event_price_push(c, c->out, p->index, h);
    schedule_waiting(c, p->index);
}

/* ---- one hour, and the mean of a block ---- */

price_t index_hour_price(const struct core *c, uint32_t index, int64_t hour)
{
    const struct index_hour *h = hour_find(c, index, hour);
    return h == NULL ? PRICE_NONE : h->price;
}

bool index_mean(const struct core *c, uint32_t instrument, struct index_mean *mean)
{
    const struct event_instrument *t = &c->instruments[instrument].terms;
    const struct command_product_create *p = &product_of(c, instrument)->terms;
    *mean = (struct index_mean){0};
    for (int64_t hour = t->start.v / NS_PER_HOUR; hour < t->end.v / NS_PER_HOUR; hour++) {
        bool peak = t->block != BLOCK_base &&
                    calendar_hour_is_peak(hour, p->peak_start_hour, p->peak_end_hour);
        if (t->block != BLOCK_base && peak != (t->block == BLOCK_peak)) continue;
        const struct index_hour *h = hour_find(c, p->settlement_rules.index, hour);
        mean->hours += 1;
        if (h != NULL && !price_is_none(h->price)) {
            mean->sum += h->price.v;
            continue;
        }
        if (mean->missing == 0) mean->first_missing = hour;
        mean->missing += 1;
    }
    return mean->missing == 0;
}

/* ---- questions and invariants ---- */

void query_index(const struct core *c, const struct query *q, struct outbox *out)
{
    enum { COUNT_DEFAULT = 24, COUNT_MAX = 1000 };
    uint32_t count = q->count == 0 ? COUNT_DEFAULT : q->count < COUNT_MAX ? q->count : COUNT_MAX;
    if (q->instrument == NIL || q->instrument > c->s->indices) return;
    const struct index *x = &c->indices[q->instrument];
    int64_t first = x->hour_first;
    if (x->hour_next - first > c->limits.index_hours) first = x->hour_next - c->limits.index_hours;
    if (q->start.v != 0 && hour_of(q->start) > first) first = hour_of(q->start);
    int64_t last = x->hour_next - 1;
    if (q->end.v != 0 && hour_of(q->end) < last) last = hour_of(q->end);
    event_index_push(c, out, q->instrument);
    for (int64_t hour = last; hour >= first && count > 0; hour--, count--)
        event_price_push(c, out, q->instrument, hour_at(c, q->instrument, hour));
}

void index_check(const struct core *c)
{
    index_spot_check(c);
    for (uint32_t i = 1; i <= c->s->indices; i++) {
        const struct index *x = &c->indices[i];
        ASSERT(x->hour_next >= x->hour_first && x->carried <= x->terms.carries_max);
        int64_t kept = int64_min(c->limits.index_hours, x->hour_next - x->hour_first);
        for (int64_t hour = x->hour_next - kept; hour < x->hour_next; hour++) { /* (1) */
            const struct index_hour *h = hour_find(c, i, hour);
            ASSERT(h != NULL);
            ASSERT((h->tier == INDEX_TIER_none) == price_is_none(h->price));
        }
    }
}
