/* index_spot.c: see index_spot.h. */
#include "core/index_spot.h"

#include "core/limit.h"
#include "core/novation.h"

#include <string.h>

uint32_t index_spot_pairs(const struct core_limits *l) { return l->exposures / 4 + 1; }

/* ---- the records ---- */

void index_spot_cut(struct core *c, struct arena *a)
{
    const struct core_limits *l = &c->limits;
    struct index_spot *m = &c->index_spot;
    size_t hours = ((size_t)l->indices + 1) * index_input_hours(l);
    m->s = arena_cut(a, 1, sizeof *m->s);
    m->pairs = arena_cut(a, (size_t)index_spot_pairs(l) + 1, sizeof *m->pairs);
    m->tallies = arena_cut(a, (size_t)l->instruments + 1, sizeof *m->tallies);
    m->hours = arena_cut(a, hours, sizeof *m->hours);
    m->inputs = arena_cut(a, index_spot_pairs(l), sizeof *m->inputs);
    map_cut(&m->map, a, index_spot_pairs(l), a->base ? &m->s->pair_map_count : NULL);
}

/* Of one hour, or of all that a question can ask for: no more than the ring keeps. */
size_t index_spot_outbox_bytes(const struct core_limits *l)
{
    size_t hours = index_input_hours(l);
    return index_spot_pairs(l) * sizeof(struct event_index_seller) +
           hours * sizeof(struct event_index_spot);
}

static uint64_t key_of(const struct core *c, uint32_t instrument, uint32_t seller, uint32_t buyer)
{
    uint64_t accounts = (uint64_t)c->limits.accounts + 1;
    return ((uint64_t)instrument * accounts + seller) * accounts + buyer;
}

static struct index_pair *pair_find(const struct core *c, uint32_t instrument, uint32_t seller,
                                   uint32_t buyer)
{
    const uint32_t *place = map_find(&c->index_spot.map, key_of(c, instrument, seller, buyer));
    return place == NULL ? NULL : &c->index_spot.pairs[*place];
}

/* NULL: there is no room. */
static struct index_pair *pair_get(struct core *c, uint32_t instrument, uint32_t seller,
                                  uint32_t buyer)
{
    struct index_spot *m = &c->index_spot;
    struct index_pair *pair = pair_find(c, instrument, seller, buyer);
    if (pair != NULL) return pair;
    uint32_t place = m->s->pair_free;
    if (place != NIL) m->s->pair_free = m->pairs[place].next;
    else if (m->s->pairs < index_spot_pairs(&c->limits)) place = ++m->s->pairs;
    if (place == NIL) return NULL;
    struct index_tally *tally = &m->tallies[instrument];
    m->pairs[place] = (struct index_pair){.instrument = instrument, .seller = seller,
                                         .buyer = buyer, .next = tally->first};
    tally->first = place;
    map_insert(&m->map, key_of(c, instrument, seller, buyer), place);
    return &m->pairs[place];
}

static void pairs_forget(struct core *c, uint32_t instrument)
{
    struct index_spot *m = &c->index_spot;
    for (uint32_t at = m->tallies[instrument].first, next; at != NIL; at = next) {
        struct index_pair *pair = &m->pairs[at];
        next = pair->next;
        map_remove(&m->map, key_of(c, instrument, pair->seller, pair->buyer));
        *pair = (struct index_pair){.next = m->s->pair_free};
        m->s->pair_free = at;
    }
    m->tallies[instrument] = (struct index_tally){0};
}

/* ---- trades ---- */

void index_spot_flag(struct command_product_create *p)
{
    if (p->settlement_rules.spot_index != 0) p->flags |= PRODUCT_FLAG_SPOT;
}

bool index_spot_takes(const struct core *c, uint32_t index, const struct command_product_create *p)
{
    bool tier = false;
    for (uint32_t i = 0; i < INDEX_TIERS_MAX; i++)
        tier = tier || c->indices[index].terms.tiers[i] == INDEX_TIER_spot;
    for (uint32_t i = 1; i <= c->s->products; i++) {
        const struct command_product_create *other = &c->products[i].terms;
        if (other->settlement_rules.spot_index != index) continue;
        if (other->contract_size != p->contract_size) return false;
        if (other->contract_unit != p->contract_unit) return false;
        const struct token_class *x = &other->delivery.class, *y = &p->delivery.class;
        if (memcmp(x, y, sizeof *x) != 0) return false; /* another vintage, grade or region */
    }
    return tier;
}

/* The hour that the instrument is, as long as it is not fixed; -1: it is none. */
static int64_t hour_open(const struct core *c, uint32_t instrument)
{
    const struct event_instrument *t = &c->instruments[instrument].terms;
    uint32_t index = product_of(c, instrument)->terms.settlement_rules.spot_index;
    bool one = t->is_spread == 0 && t->block == BLOCK_base &&
               t->end.v - t->start.v == NS_PER_HOUR && t->start.v % NS_PER_HOUR == 0;
    int64_t hour = t->start.v / NS_PER_HOUR;
    return one && index != 0 && hour >= c->indices[index].hour_next ? hour : -1;
}

void index_spot_trade(struct core *c, uint32_t instrument, uint32_t seller, uint32_t buyer,
                      price_t price, int64_t lots)
{
    if (hour_open(c, instrument) < 0) return;
    int64_t volume;
    struct index_pair *pair = pair_get(c, instrument, seller, buyer);
    if (pair == NULL || !int64_add(pair->volume, lots, &volume)) {
        int64_t *unkept = &c->index_spot.tallies[instrument].unkept;
        if (!int64_add(*unkept, lots, unkept)) *unkept = INT64_MAX;
        return;
    }
    pair->volume = volume;
    pair->value += (int128_t)price.v * lots;
}

void index_spot_pooled(struct core *c, uint32_t instrument, uint32_t seller, uint32_t buyer,
                       price_t price, int64_t lots)
{
    index_spot_trade(c, instrument, seller, c->s->account_ccp, price, lots);
    index_spot_trade(c, instrument, c->s->account_ccp, buyer, price, lots);
}

static void pair_undo(struct core *c, uint32_t seller, uint32_t buyer, const struct event_trade *t)
{
    struct index_pair *pair = pair_find(c, t->instrument, seller, buyer);
    if (pair == NULL || pair->volume < t->qty.v) return; /* there was no room for it */
    pair->volume -= t->qty.v;
    pair->value -= (int128_t)t->price.v * t->qty.v;
    if (!int64_add(pair->busted, t->qty.v, &pair->busted)) pair->busted = INT64_MAX;
}

void index_spot_bust(struct core *c, const struct event_trade *t, price_t anew)
{
    bool pooled = t->kind == TRADE_auction;
    if (!pooled && t->kind != TRADE_continuous) return;
    if ((product_of(c, t->instrument)->terms.flags & PRODUCT_FLAG_SPOT) == 0) return;
    if (hour_open(c, t->instrument) < 0) return; /* its price was fixed, and stays */
    uint32_t seller = t->account[SIDE_sell], buyer = t->account[SIDE_buy];
    uint32_t ccp = c->s->account_ccp;
    pair_undo(c, seller, pooled ? ccp : buyer, t);
    if (pooled) pair_undo(c, ccp, buyer, t);
    if (price_is_none(anew)) return;
    if (pooled) index_spot_pooled(c, t->instrument, seller, buyer, anew, t->qty.v);
    else index_spot_trade(c, t->instrument, seller, buyer, anew, t->qty.v);
}

/* ---- an hour's sellers ---- */

struct gathering {
    uint32_t count;   /* of c->index_spot.sellers */
    bool whole;       /* every trade is in it */
    int64_t unkept;
};

static struct index_selling *seller_get(struct core *c, struct gathering *g, uint32_t account)
{
    uint32_t key = limit_owner_key(c, account);
    uint32_t at = (key & LIMIT_OWNER_ACCOUNT) == 0 ? key : c->limits.accounts + 1 + account;
    uint32_t *place = &c->index_spot.places[at];
    if (*place == 0) {
        c->index_spot.sellers[g->count] = (struct index_selling){.input.account = account};
        *place = ++g->count;
    }
    struct index_selling *s = &c->index_spot.sellers[*place - 1];
    if (account < s->input.account) s->input.account = account;
    return s;
}

static void places_clear(struct core *c, const struct gathering *g)
{
    for (uint32_t i = 0; i < g->count; i++) {
        uint32_t account = c->index_spot.sellers[i].input.account;
        uint32_t key = limit_owner_key(c, account);
        uint32_t at = (key & LIMIT_OWNER_ACCOUNT) == 0 ? key : c->limits.accounts + 1 + account;
        c->index_spot.places[at] = 0;
    }
}

static void count(struct gathering *g, int64_t *sum, int64_t lots)
{
    if (!int64_add(*sum, lots, sum)) g->whole = false;
}

static void pair_gather(struct core *c, struct gathering *g, const struct index_pair *p)
{
    bool sold = c->accounts[p->seller].system == SYSTEM_none;
    bool bought = c->accounts[p->buyer].system == SYSTEM_none;
    if (!sold) { /* of the clearing house's own */
        if (bought && p->seller == c->s->account_ccp)
            count(g, &seller_get(c, g, p->buyer)->bought, p->volume);
        return;
    }
    struct index_selling *s = seller_get(c, g, p->seller);
    count(g, &s->input.busted, p->busted);
    if (bought && limit_owner_key(c, p->seller) == limit_owner_key(c, p->buyer)) {
        count(g, &s->input.related, p->volume);
        return;
    }
    count(g, &s->input.volume, p->volume);
    s->input.value += p->value;
    if (p->buyer != c->s->account_ccp) return;
    count(g, &s->through, p->volume);
    s->through_value += p->value;
}

/* What it sold through the clearing house (in auctions, at implied prices) as well as bought
 * there, it sold to itself: at its average price there. */
static void through_exclude(struct gathering *g, struct index_selling *s)
{
    int64_t both = int64_min(s->through, s->bought);
    if (both == 0 || !g->whole) return;
    int128_t left = entry_cost_left(s->through_value, s->through, both);
    s->input.volume -= both;
    s->input.value -= s->through_value - left;
    count(g, &s->input.related, both);
}

static void instrument_gather(struct core *c, struct gathering *g, uint32_t instrument)
{
    const struct index_tally *tally = &c->index_spot.tallies[instrument];
    count(g, &g->unkept, tally->unkept);
    for (uint32_t at = tally->first; at != NIL; at = c->index_spot.pairs[at].next)
        pair_gather(c, g, &c->index_spot.pairs[at]);
}

/* All instruments that are this hour of this index: gathered, or forgotten where `g` is NULL. */
static void hour_each(struct core *c, uint32_t index, int64_t hour, struct gathering *g)
{
    for (uint32_t p = 1; p <= c->s->products; p++) {
        if (c->products[p].terms.settlement_rules.spot_index != index) continue;
        for (uint32_t i = c->products[p].instruments; i != NIL;
             i = c->instruments[i].next_of_product) {
            if (hour_open(c, i) != hour) continue;
            if (g == NULL) pairs_forget(c, i);
            else instrument_gather(c, g, i);
        }
    }
}

/* ---- their order ---- */

static bool seller_is_before(const struct index_seller *a, const struct index_seller *b)
{
    bool none_a = price_is_none(a->price), none_b = price_is_none(b->price);
    if (none_a != none_b) return none_b;
    if (a->price.v != b->price.v) return a->price.v < b->price.v;
    if (a->volume != b->volume) return a->volume < b->volume;
    return a->account < b->account;
}

static void sellers_sink(struct index_selling *s, uint32_t at, uint32_t n)
{
    for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && seller_is_before(&s[child].input, &s[child + 1].input)) child += 1;
        if (!seller_is_before(&s[at].input, &s[child].input)) return;
        struct index_selling kept = s[at];
        s[at] = s[child];
        s[child] = kept;
    }
}

static void sellers_sort(struct index_selling *s, uint32_t n)
{
    for (uint32_t i = n / 2; i-- > 0;) sellers_sink(s, i, n);
    for (uint32_t end = n; end-- > 1;) {
        struct index_selling kept = s[0];
        s[0] = s[end];
        s[end] = kept;
        sellers_sink(s, 0, end);
    }
}

/* ---- the price ---- */

/* Whether nobody who weighs at most `cap` has more than its share of all. */
static bool cap_holds(const struct index_selling *s, uint32_t n, int64_t share_e6, int64_t cap)
{
    int128_t all = 0;
    for (uint32_t i = 0; i < n; i++) all += int64_min(s[i].input.volume, cap);
    return (int128_t)cap * E6 <= all * share_e6;
}

/* The largest that holds; where none does (too few are left for such a share), the least volume:
 * all weigh the same. */
static int64_t cap_find(const struct index_selling *s, uint32_t n, int64_t share_e6)
{
    int64_t least = INT64_MAX, most = 0;
    for (uint32_t i = 0; i < n; i++) {
        least = int64_min(least, s[i].input.volume);
        most = int64_max(most, s[i].input.volume);
    }
    if (cap_holds(s, n, share_e6, most)) return most;
    int64_t holds = 0, fails = most; /* what holds lies below what does not: the sum is concave */
    while (fails - holds > 1) {
        int64_t middle = holds + (fails - holds) / 2;
        if (cap_holds(s, n, share_e6, middle)) holds = middle;
        else fails = middle;
    }
    return holds == 0 ? least : holds;
}

static enum index_spot_result weigh(const struct command_index_create *t, struct index_selling *s,
                                    struct index_spot_hour *h)
{
    uint32_t n = h->sellers, k = (n + 1) / 4;
    int128_t sum = 0, weights = 0;
    int64_t cap = cap_find(s + k, n - 2 * k, t->spot_share_e6);
    for (uint32_t i = 0; i < n; i++) {
        struct index_seller *one = &s[i].input;
        bool trimmed = i < k || i >= n - k, capped = one->volume > cap;
        one->status = trimmed  ? INDEX_SELLER_trimmed
                      : capped ? INDEX_SELLER_capped
                               : INDEX_SELLER_counted;
        if (trimmed) continue;
        one->weight = int64_min(one->volume, cap);
        sum += (int128_t)one->weight * one->price.v;
        weights += one->weight;
        if (capped) h->cap = cap;
    }
    h->trimmed = k;
    if (weights < t->spot_volume) return INDEX_SPOT_low_volume;
    h->price = PRICE((int64_t)int128_div_half_even(sum, weights));
    return INDEX_SPOT_priced;
}

/* Judges what was gathered: sellers by their average price. */
static void sellers_judge(struct core *c, const struct command_index_create *t,
                          struct gathering *g, struct index_spot_hour *h)
{
    struct index_selling *s = c->index_spot.sellers;
    for (uint32_t i = 0; i < g->count; i++) {
        through_exclude(g, &s[i]);
        struct index_seller *one = &s[i].input;
        count(g, &h->volume, one->volume);
        one->price = one->volume == 0
                         ? PRICE_NONE
                         : PRICE((int64_t)int128_div_half_even(one->value, one->volume));
        if (one->volume == 0) continue;
        one->status = INDEX_SELLER_counted;
        h->sellers += 1;
    }
    sellers_sort(s, g->count);
    h->unkept = g->unkept;
    if (!g->whole || g->unkept > 0) h->result = INDEX_SPOT_incomplete;
    else if (h->sellers == 0) h->result = INDEX_SPOT_no_trades;
    else if (h->sellers < t->spot_sellers) h->result = INDEX_SPOT_few_sellers;
    else h->result = weigh(t, s, h);
}

/* What is published: not those who only bought. */
static void inputs_keep(struct core *c, const struct gathering *g, struct index_spot_hour *h)
{
    struct index_spot *m = &c->index_spot;
    h->input_first = m->s->input_id + 1;
    for (uint32_t i = 0; i < g->count; i++) {
        struct index_seller *one = &m->sellers[i].input;
        if (one->volume == 0 && one->related == 0 && one->busted == 0) continue;
        one->id = ++m->s->input_id;
        m->inputs[one->id % index_spot_pairs(&c->limits)] = *one;
        h->inputs += 1;
    }
}

static struct index_spot_hour *hour_at(const struct core *c, uint32_t index, int64_t hour)
{
    uint32_t hours = index_input_hours(&c->limits);
    return &c->index_spot.hours[(size_t)index * hours + (size_t)(hour % hours)];
}

void index_spot_forget(struct core *c, uint32_t index, int64_t hour)
{
    hour_each(c, index, hour, NULL);
}

bool index_spot_price(struct core *c, uint32_t index, int64_t hour, struct index_hour *h)
{
    struct gathering g = {.whole = true};
    struct index_spot_hour *kept = hour_at(c, index, hour);
    *kept = (struct index_spot_hour){.hour = hour, .price = PRICE_NONE};
    hour_each(c, index, hour, &g);
    places_clear(c, &g);
    sellers_judge(c, &c->indices[index].terms, &g, kept);
    inputs_keep(c, &g, kept);
    if (kept->result != INDEX_SPOT_priced) return false;
    h->price = kept->price;
    return true;
}

/* ---- what is said ---- */

static void event_seller_push(struct outbox *out, uint32_t index, int64_t hour,
                              const struct index_seller *one)
{
    struct event_index_seller *e = outbox_push(out, EVENT_index_seller, sizeof *e);
    e->index = index;
    e->account = one->account;
    e->hour = TS(hour * NS_PER_HOUR);
    e->price = one->price;
    e->volume = one->volume;
    e->value_high = (int64_t)(one->value >> 64);
    e->value_low = (uint64_t)one->value;
    e->related = one->related;
    e->busted = one->busted;
    e->weight = one->weight;
    e->status = one->status;
    e->reserved = 0;
}

bool event_index_spot_push(const struct core *c, struct outbox *out, uint32_t index, int64_t hour)
{
    const struct index_spot_hour *h = hour_at(c, index, hour);
    if (h->hour != hour || h->input_first == 0) return false;
    uint64_t kept = index_spot_pairs(&c->limits);
    if (h->inputs > 0 && c->index_spot.s->input_id - h->input_first >= kept) return false;
    struct event_index_spot *e = outbox_push(out, EVENT_index_spot, sizeof *e);
    e->index = index;
    e->result = h->result;
    e->hour = TS(hour * NS_PER_HOUR);
    e->price = h->price;
    e->volume = h->volume;
    e->cap = h->cap;
    e->unkept = h->unkept;
    e->sellers = h->sellers;
    e->trimmed = h->trimmed;
    e->inputs = h->inputs;
    e->reserved = 0;
    for (uint64_t id = h->input_first; id < h->input_first + h->inputs; id++)
        event_seller_push(out, index, hour, &c->index_spot.inputs[id % kept]);
    return true;
}

/* ---- invariants ---- */

void index_spot_check(const struct core *c)
{
    const struct index_spot *m = &c->index_spot;
    uint32_t places = 0, paired = 0;
    for (uint32_t at = m->s->pair_free; at != NIL; at = m->pairs[at].next) places += 1;
    for (uint32_t i = 1; i <= c->s->instruments; i++) {
        ASSERT(m->tallies[i].first == NIL || hour_open(c, i) >= 0); /* (2) */
        for (uint32_t at = m->tallies[i].first; at != NIL; at = m->pairs[at].next) {
            const struct index_pair *pair = &m->pairs[at];
            ASSERT(pair->instrument == i && pair->volume >= 0 && pair->busted >= 0); /* (1) */
            ASSERT(pair_find(c, i, pair->seller, pair->buyer) == pair);
            paired += 1;
        }
    }
    ASSERT(paired + places == m->s->pairs && paired == m->s->pair_map_count); /* (3) */
}
