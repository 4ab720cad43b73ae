/* implied_naive.c: see implied_naive.h. */
#include "core/implied_naive.h"

#include "base/assert.h"

void naive_read(struct naive *n, const struct core *c, struct outbox *answer)
{
    n->order_count = 0;
    for (uint32_t i = 1; i <= n->instruments; i++) {
        const struct query q = {.kind = QUERY_book_orders, .instrument = i};
        const struct event_header *h = NULL;
        core_query(c, &q, answer);
        while ((h = outbox_next(answer, h)) != NULL) {
            if (h->kind != EVENT_order) continue;
            const struct event_order *o = (const struct event_order *)(const void *)h;
            ASSERT(n->order_count < NAIVE_ORDERS_MAX);
            n->orders[n->order_count++] = (struct naive_order){
                .instrument = i, .side = o->side, .price = o->price.v, .shown = o->shown.v};
        }
    }
}

int64_t naive_shown(const struct naive *n, uint32_t instrument, enum side side, int64_t price)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < n->order_count; i++) {
        const struct naive_order *o = &n->orders[i];
        if (o->instrument == instrument && o->side == side && o->price == price) sum += o->shown;
    }
    return sum;
}

static struct naive_quote best_of(const struct naive *n, uint32_t instrument, enum side side)
{
    struct naive_quote best = {0};
    for (uint32_t i = 0; i < n->order_count; i++) {
        const struct naive_order *o = &n->orders[i];
        if (o->instrument != instrument || o->side != side) continue;
        if (!best.any || (side == SIDE_buy ? o->price > best.price : o->price < best.price))
            best = (struct naive_quote){.any = true, .price = o->price};
    }
    if (best.any) best.qty = naive_shown(n, instrument, side, best.price);
    return best;
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static bool spread_open(const struct naive *n, const struct naive_spread *s)
{
    return n->books[s->id].open && n->books[s->legs[0]].open && n->books[s->legs[1]].open;
}

/* What the orders of the other two books imply for one of a spread's three: the six formulas. */
static struct naive_quote quote_of(const struct naive *n, const struct naive_spread *s,
                                   uint32_t instrument, enum side side)
{
    enum side other = side == SIDE_buy ? SIDE_sell : SIDE_buy;
    struct naive_quote a = {0}, b = {0}, spread = {0}, q = {0};
    if (!spread_open(n, s)) return q;
    int64_t units;
    if (instrument == s->id) { /* S bid = A bid - B ask, S ask = A ask - B bid */
        a = best_of(n, s->legs[0], side);
        b = best_of(n, s->legs[1], other);
        if (!a.any || !b.any) return q;
        q.price = a.price - b.price;
        q.qty = least(a.qty / s->ratios[0], b.qty / s->ratios[1]);
    } else if (instrument == s->legs[0]) { /* A bid = S bid + B bid, A ask = S ask + B ask */
        spread = best_of(n, s->id, side);
        b = best_of(n, s->legs[1], side);
        if (!spread.any || !b.any) return q;
        q.price = spread.price + b.price;
        units = least(spread.qty, b.qty / s->ratios[1]);
        q.qty = units * s->ratios[0];
    } else { /* B bid = A bid - S ask, B ask = A ask - S bid */
        spread = best_of(n, s->id, other);
        a = best_of(n, s->legs[0], side);
        if (!spread.any || !a.any) return q;
        q.price = a.price - spread.price;
        units = least(spread.qty, a.qty / s->ratios[0]);
        q.qty = units * s->ratios[1];
    }
    const struct naive_book *book = &n->books[instrument];
    q.any = q.qty > 0 && q.price % book->tick == 0 &&
            (instrument == s->id || book->floor == INT64_MIN || q.price >= book->floor);
    return q;
}

static bool concerns(const struct naive_spread *s, uint32_t instrument)
{
    return s->id == instrument || s->legs[0] == instrument || s->legs[1] == instrument;
}

int64_t naive_implied(const struct naive *n, uint32_t instrument, enum side side, int64_t price)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < n->spread_count; i++) {
        if (!concerns(&n->spreads[i], instrument)) continue;
        struct naive_quote q = quote_of(n, &n->spreads[i], instrument, side);
        if (q.any && q.price == price) sum += q.qty;
    }
    return sum;
}

uint32_t naive_levels(const struct naive *n, uint32_t instrument, enum side side)
{
    int64_t prices[NAIVE_ORDERS_MAX + NAIVE_SPREADS_MAX];
    uint32_t count = 0, different = 0;
    for (uint32_t i = 0; i < n->order_count; i++) {
        const struct naive_order *o = &n->orders[i];
        if (o->instrument == instrument && o->side == side) prices[count++] = o->price;
    }
    for (uint32_t i = 0; i < n->spread_count; i++) {
        if (!concerns(&n->spreads[i], instrument)) continue;
        struct naive_quote q = quote_of(n, &n->spreads[i], instrument, side);
        if (q.any) prices[count++] = q.price;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t k = 0;
        while (k < i && prices[k] != prices[i]) k++;
        if (k == i) different += 1;
    }
    return different;
}

bool naive_crosses_three(const struct naive *n)
{
    for (uint32_t i = 0; i < n->spread_count; i++) {
        const struct naive_spread *s = &n->spreads[i];
        struct naive_quote bid = best_of(n, s->id, SIDE_buy), ask = best_of(n, s->id, SIDE_sell);
        struct naive_quote in_bid = quote_of(n, s, s->id, SIDE_buy);
        struct naive_quote in_ask = quote_of(n, s, s->id, SIDE_sell);
        if (bid.any && in_ask.any && bid.price >= in_ask.price) return true;
        if (ask.any && in_bid.any && ask.price <= in_bid.price) return true;
    }
    return false;
}

static uint32_t other_leg(const struct naive_spread *s, uint32_t leg)
{
    return s->legs[0] == leg ? s->legs[1] : s->legs[0];
}

static bool is_plain(const struct naive_spread *s)
{
    return s->ratios[0] == 1 && s->ratios[1] == 1;
}

static bool pair_crosses(const struct naive *n, const struct naive_spread *s,
                         const struct naive_spread *t, uint32_t leg)
{
    if (s->id == t->id || !concerns(t, leg) || other_leg(s, leg) == other_leg(t, leg)) return false;
    if (!is_plain(s) || !is_plain(t)) return false;
    struct naive_quote bid = quote_of(n, s, leg, SIDE_buy), ask = quote_of(n, t, leg, SIDE_sell);
    return bid.any && ask.any && bid.price >= ask.price;
}

bool naive_crosses_four(const struct naive *n)
{
    for (uint32_t i = 0; i < n->spread_count; i++) {
        for (uint32_t k = 0; k < n->spread_count; k++) {
            for (int leg = 0; leg < 2; leg++) {
                if (pair_crosses(n, &n->spreads[i], &n->spreads[k], n->spreads[i].legs[leg]))
                    return true;
            }
        }
    }
    return false;
}
