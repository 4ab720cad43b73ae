/* index_spot_test.c: the spot tier (INDEX-02) of random hours against a naive twin that keeps every
 * trade and judges them one by one; what one owner can move at most; a pool that is too small;
 * trades undone; snapshots.
 */
#include "core/world_test.h"

#include "base/random.h"
#include "core/index_spot.h"
#include "core/limit.h"

#include <stdio.h>

enum { ACCOUNTS = 14, HOURS = 300, TRADES_MAX = 128 };

struct trade_kept {
    uint32_t seller;
    uint32_t buyer;
    int64_t price;
    int64_t lots;
    uint64_t id;
    bool busted;
    bool pooled; /* of an auction: nobody deals with anybody */
};

struct market {
    struct world w;
    struct random r;
    uint32_t account[ACCOUNTS];
    uint32_t instrument;
    int64_t hour;
    struct trade_kept trades[TRADES_MAX];
    uint32_t count;
};

static void tick_until(struct market *m, int64_t to)
{
    while (core_due(m->w.c).v <= to) {
        struct command tick = {0};
        m->w.ts = TS(int64_max(core_due(m->w.c).v, m->w.ts.v));
        assert_int_equal(world_step(&m->w, &tick, COMMAND_tick, 0), REJECT_none);
        if (world_event(&m->w, EVENT_index_price) != NULL && m->w.ts.v >= to) break;
    }
    m->w.ts = TS(to);
}

static struct market market_open(uint64_t seed, uint32_t exposures)
{
    struct core_limits l = core_limits_small();
    l.accounts = 40;
    l.balances = 80;
    l.exposures = exposures;
    l.instruments = HOURS + 8;
    l.index_hours = 24;
    l.trades = 256;
    struct market m = {.w = world_open(&l), .r = {seed}};
    char name[ACCOUNT_NAME_SIZE] = "a0";
    struct command create = {.index_create = {
        .name = "IX", .source_count = 3, .minimum = 3, .tiers = {INDEX_TIER_spot},
        .staleness_ns = NS_PER_HOUR, .delay_ns = NS_PER_SECOND, .deviation_e6 = E6,
        .spot_sellers = 4, .spot_volume = 20, .spot_share_e6 = 400000}};
    struct command terms = world_product_terms("SP");
    for (int i = 0; i < ACCOUNTS; i++) {
        name[1] = (char)('a' + i);
        m.account[i] = world_account(&m.w, name, "m");
    }
    for (int i = 0; i < 3; i++) create.index_create.sources[i] = m.account[i];
    assert_int_equal(world_step(&m.w, &create, COMMAND_index_create, 0), REJECT_none);
    terms.product_create.settlement_rules.spot_index = 1;
    terms.product_create.offbook = (struct product_offbook){
        .no_bust_range = PRICE(0), .bust_window_ns = NS_PER_HOUR};
    (void)world_product(&m.w, &terms);
    assert_int_equal(world_state(&m.w, 1, STATE_open), REJECT_none);
    m.w.check_every = 97;
    m.hour = m.w.ts.v / NS_PER_HOUR + 1;
    return m;
}

static void hour_list(struct market *m)
{
    char period[32];
    int64_t day = m->hour / 24; /* 20822 is 4 January 2027 */
    int n = (int)(day - 20822) + 4;
    static const int lengths[] = {31, 28, 31, 30, 31};
    int month = 0;
    while (n > lengths[month]) n -= lengths[month++];
    (void)snprintf(period, sizeof period, "2027D%02d%02dH%02d", month + 1, n, (int)(m->hour % 24));
    m->instrument = world_list(&m->w, 1, period);
    m->count = 0;
}

static void owner_give(struct market *m, uint32_t account, uint64_t owner)
{
    struct command cmd = {.owner_set = {.owner = {'o', (char)('0' + owner)}}};
    (void)world_step(&m->w, &cmd, COMMAND_owner_set, account);
}

static void trade_make(struct market *m)
{
    struct trade_kept t = {
        .seller = m->account[random_below(&m->r, ACCOUNTS)],
        .buyer = m->account[random_below(&m->r, ACCOUNTS)],
        .price = ((int64_t)random_below(&m->r, 200) - 20) * 1000,
        .lots = 1 + (int64_t)random_below(&m->r, random_below(&m->r, 6) == 0 ? 500 : 12)};
    world_trade(&m->w, m->instrument, t.buyer, t.seller, t.price, t.lots);
    const struct event_trade *e = world_event(&m->w, EVENT_trade);
    t.id = e->trade_id;
    m->trades[m->count++] = t;
}

/* Orders gather, and the book opens at one price; owners may stand on both sides. */
static void auction_make(struct market *m)
{
    const struct event_header *e = NULL;
    assert_int_equal(world_settle(&m->w, m->instrument, 0), REJECT_none); /* busts refer to it */
    assert_int_equal(world_state(&m->w, 1, STATE_pre_open), REJECT_none);
    for (uint64_t i = 4 + random_below(&m->r, 12); i > 0; i--) {
        enum side side = random_below(&m->r, 2) == 0 ? SIDE_buy : SIDE_sell;
        int64_t price = 1000 * (int64_t)(50 + random_below(&m->r, 100));
        assert_int_equal(world_order(&m->w, m->account[random_below(&m->r, ACCOUNTS)],
                                     m->instrument, side, price,
                                     1 + (int64_t)random_below(&m->r, 30)), REJECT_none);
    }
    assert_int_equal(world_state(&m->w, 1, STATE_open), REJECT_none);
    while ((e = outbox_next(&m->w.out, e)) != NULL) {
        const struct event_trade *t = (const void *)e;
        if (e->kind != EVENT_trade) continue;
        assert_true(t->kind == TRADE_auction && m->count < TRADES_MAX);
        m->trades[m->count++] = (struct trade_kept){
            .seller = t->account[SIDE_sell], .buyer = t->account[SIDE_buy], .price = t->price.v,
            .lots = t->qty.v, .id = t->trade_id, .pooled = true};
    }
    for (int i = 0; i < ACCOUNTS; i++) { /* what is left goes */
        struct command cmd = {.cancel_many = {.instrument = m->instrument}};
        (void)world_step(&m->w, &cmd, COMMAND_cancel_many, m->account[i]);
    }
}

static void trade_undo(struct market *m)
{
    struct trade_kept *t = &m->trades[random_below(&m->r, m->count)];
    struct command cmd = {.trade_bust = {.trade_id = t->id, .reason = "x"}};
    if (world_settle(&m->w, m->instrument, 0) != REJECT_none) return;
    if (world_step(&m->w, &cmd, COMMAND_trade_bust, 0) != REJECT_none) return;
    if (world_confirm(&m->w, m->w.c->s->request_id, 2) != REJECT_none) return;
    if (m->w.c->trades[t->id % m->w.c->limits.trades].busted != 0) t->busted = true;
}

/* ---- the twin: by owner, over a plain list; the cap found by counting up ---- */

struct naive {
    uint32_t owner;
    uint32_t account;
    int64_t volume;
    int128_t value;
    int64_t price;
};

static int compare(const void *a, const void *b)
{
    const struct naive *x = a, *y = b;
    if (x->price != y->price) return x->price < y->price ? -1 : 1;
    if (x->volume != y->volume) return x->volume < y->volume ? -1 : 1;
    return x->account < y->account ? -1 : 1;
}

/* What an owner bought in auctions of the hour. */
static int64_t naive_bought(const struct market *m, uint32_t owner)
{
    int64_t lots = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        const struct trade_kept *t = &m->trades[i];
        if (!t->pooled || t->busted) continue;
        if (limit_owner_key(m->w.c, t->buyer) == owner) lots += t->lots;
    }
    return lots;
}

/* Takes from the owner's sales in auctions, all at one price an hour, what it bought there. */
static int64_t naive_counts(const struct market *m, uint32_t i, uint32_t owner)
{
    const struct trade_kept *t = &m->trades[i];
    int64_t before = 0, bought = naive_bought(m, owner);
    if (!t->pooled) return owner == limit_owner_key(m->w.c, t->buyer) ? 0 : t->lots;
    for (uint32_t k = 0; k < i; k++) {
        const struct trade_kept *other = &m->trades[k];
        if (!other->pooled || other->busted) continue;
        if (limit_owner_key(m->w.c, other->seller) == owner) before += other->lots;
    }
    int64_t gone = int64_max(0, int64_min(bought - before, t->lots));
    return t->lots - gone;
}

static uint32_t naive_sellers(const struct market *m, struct naive *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        const struct trade_kept *t = &m->trades[i];
        uint32_t owner = limit_owner_key(m->w.c, t->seller), at = 0;
        int64_t lots = t->busted ? 0 : naive_counts(m, i, owner);
        if (lots == 0) continue;
        while (at < n && s[at].owner != owner) at += 1;
        if (at == n) s[n++] = (struct naive){.owner = owner, .account = t->seller};
        if (t->seller < s[at].account) s[at].account = t->seller;
        s[at].volume += lots;
        s[at].value += (int128_t)lots * t->price;
    }
    for (uint32_t i = 0; i < n; i++)
        s[i].price = (int64_t)int128_div_half_even(s[i].value, s[i].volume);
    qsort(s, n, sizeof *s, compare);
    return n;
}

static int64_t naive_price(const struct market *m, int64_t *low, int64_t *high)
{
    struct naive s[TRADES_MAX];
    uint32_t n = naive_sellers(m, s), k = (n + 1) / 4;
    int64_t cap = 0, least = INT64_MAX, weights = 0;
    int128_t sum = 0;
    if (n < 4) return INT64_MIN;
    for (int64_t one = 1; one <= 40000; one++) {
        int64_t all = 0;
        for (uint32_t i = k; i < n - k; i++) all += int64_min(s[i].volume, one);
        if (one * 10 <= all * 4) cap = one;
    }
    for (uint32_t i = k; i < n - k; i++) least = int64_min(least, s[i].volume);
    if (cap == 0) cap = least;
    for (uint32_t i = k; i < n - k; i++) {
        weights += int64_min(s[i].volume, cap);
        sum += (int128_t)int64_min(s[i].volume, cap) * s[i].price;
    }
    *low = s[k].price;
    *high = s[n - k - 1].price;
    return weights < 20 ? INT64_MIN : (int64_t)int128_div_half_even(sum, weights);
}

static void hours_against_the_twin(void **state)
{
    (void)state;
    struct market m = market_open(11, 16384);
    uint32_t priced = 0, none = 0, busted = 0, pooled = 0;
    for (int h = 0; h < HOURS; h++, m.hour++) {
        hour_list(&m);
        if (random_below(&m.r, 3) == 0) auction_make(&m);
        for (uint32_t i = 0; i < m.count; i++) pooled += 1;
        uint64_t trades = random_below(&m.r, 5) == 0 ? random_below(&m.r, 4)
                                                     : 6 + random_below(&m.r, 50);
        for (uint64_t i = 0; i < trades; i++) trade_make(&m);
        for (uint64_t i = random_below(&m.r, 4); i > 0 && m.count > 0; i--) trade_undo(&m);
        for (uint32_t i = 0; i < m.count; i++) busted += m.trades[i].busted ? 1 : 0;
        if (random_below(&m.r, 40) == 0)
            owner_give(&m, m.account[random_below(&m.r, ACCOUNTS)], random_below(&m.r, 3));
        int64_t low = 0, high = 0, want = naive_price(&m, &low, &high);
        tick_until(&m, (m.hour + 1) * NS_PER_HOUR + NS_PER_SECOND);
        const struct event_index_price *p = world_event(&m.w, EVENT_index_price);
        assert_non_null(p);
        assert_int_equal(p->hour.v, m.hour * NS_PER_HOUR);
        assert_int_equal(p->price.v, want);
        if (want == INT64_MIN) none += 1;
        else assert_true(want >= low && want <= high);
        priced += want == INT64_MIN ? 0 : 1;
    }
    assert_true(priced > HOURS / 3 && none > HOURS / 20 && busted > 10 && pooled > 100);
    core_check(m.w.c);
    world_close(&m.w);
}

/* Whatever one owner does, the price stays within what the others sold at. */
static void one_owner_moves_nothing_out(void **state)
{
    (void)state;
    struct market m = market_open(5, 16384);
    for (int h = 0; h < 200; h++, m.hour++) {
        int64_t low = INT64_MAX, high = INT64_MIN;
        hour_list(&m);
        for (uint32_t i = 1; i <= 5 + random_below(&m.r, 6); i++) {
            int64_t price = 1000000 + (int64_t)random_below(&m.r, 50) * 1000;
            world_trade(&m.w, m.instrument, m.account[13], m.account[i], price,
                        10 + (int64_t)random_below(&m.r, 20));
            low = int64_min(low, price);
            high = int64_max(high, price);
        }
        int64_t wild = ((int64_t)random_below(&m.r, 4000) - 1000) * 10000;
        world_trade(&m.w, m.instrument, m.account[13], m.account[0], wild,
                    1 + (int64_t)random_below(&m.r, 100000));
        tick_until(&m, (m.hour + 1) * NS_PER_HOUR + NS_PER_SECOND);
        const struct event_index_price *p = world_event(&m.w, EVENT_index_price);
        assert_non_null(p);
        assert_true(p->price.v >= low && p->price.v <= high);
    }
    world_close(&m.w);
}

/* No room for a trade: it happens, and the hour is not priced by the others alone. */
static void a_full_pool_makes_the_tier_unusable(void **state)
{
    (void)state;
    struct market m = market_open(7, 64);
    hour_list(&m);
    uint32_t pairs = index_spot_pairs(&m.w.c->limits), made = 0;
    for (uint32_t s = 1; s < ACCOUNTS && made < pairs; s++) {
        for (uint32_t b = 0; b < s && made < pairs; b++, made++)
            world_trade(&m.w, m.instrument, m.account[b], m.account[s], 1000000, 10);
    }
    assert_int_equal(m.w.c->index_spot.s->pairs, pairs);
    world_trade(&m.w, m.instrument, m.account[13], m.account[0], 2000000, 7);
    tick_until(&m, (m.hour + 1) * NS_PER_HOUR + NS_PER_SECOND);
    const struct event_index_spot *e = world_event(&m.w, EVENT_index_spot);
    const struct event_index_price *p = world_event(&m.w, EVENT_index_price);
    assert_int_equal(e->result, INDEX_SPOT_incomplete);
    assert_int_equal(e->unkept, 7);
    assert_int_equal(p->tier, INDEX_TIER_none);
    m.hour += 1; /* the next hour has its room again */
    hour_list(&m);
    for (uint32_t s = 1; s <= 5; s++)
        world_trade(&m.w, m.instrument, m.account[0], m.account[s], 1000000, 10);
    tick_until(&m, (m.hour + 1) * NS_PER_HOUR + NS_PER_SECOND);
    p = world_event(&m.w, EVENT_index_price);
    assert_int_equal(p->price.v, 1000000);
    core_check(m.w.c);
    world_close(&m.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hours_against_the_twin),
        cmocka_unit_test(one_owner_moves_nothing_out),
        cmocka_unit_test(a_full_pool_makes_the_tier_unusable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
