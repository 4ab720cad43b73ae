/* settlement.c: windows, records, and the one place that sets a settlement price. See settlement.h.
 */
#include "core/settlement.h"

#include "core/dual.h"
#include "core/schedule.h"
#include "core/span.h"

#include <string.h>

/* ---- windows ---- */

static bool cycle_is_valid(const struct settlement_cycle *s)
{
    if (s->end == 0) return s->start == 0 && s->at == 0;
    return s->start < s->end && s->end <= s->at && s->at < DAY_SECONDS;
}

bool settlement_rules_are_valid(const struct settlement_rules *r)
{
    const struct settlement_cycle *day = &r->cycles[0], *within = &r->cycles[1];
    bool apart = within->end == 0 || day->end == 0 || within->at <= day->start;
    bool known = (r->flags & ~(uint32_t)SETTLEMENT_RULE_AUTOMATIC) == 0;
    uint32_t start = settlement_rules_cycle(r, 0).start;
    if (within->end != 0 && day->end == 0 && within->at > start) return false;
    return known && cycle_is_valid(day) && cycle_is_valid(within) && apart &&
           r->final_unit >= 0 && r->final_unit <= PRICE_MAX;
}

struct settlement_cycle settlement_cycle_of(const struct core *c, uint32_t product, uint32_t cycle)
{
    return settlement_rules_cycle(&c->products[product].terms.settlement_rules, cycle);
}

static int64_t instant(int64_t day, uint32_t second)
{
    return day * NS_PER_DAY + (int64_t)second * NS_PER_SECOND;
}

/* The first window of the instrument that closes after now. */
static void window_next(const struct core *c, uint32_t instrument, int64_t *open, int64_t *close)
{
    uint32_t product = c->instruments[instrument].product;
    *open = *close = INT64_MAX;
    for (int64_t day = c->s->day; day <= c->s->day + 1; day++) {
        for (uint32_t i = 0; i < SETTLEMENT_CYCLES; i++) {
            struct settlement_cycle s = settlement_cycle_of(c, product, i);
            if (s.end == 0 || instant(day, s.end) <= c->s->ts.v) continue;
            if (instant(day, s.start) >= *open) continue;
            *open = instant(day, s.start);
            *close = instant(day, s.end);
        }
    }
}

static void window_add(struct window *w, price_t price, int64_t lots)
{
    if (lots > WINDOW_LOTS_MAX - w->qty) return;
    w->qty += lots;
    w->value += (int128_t)price.v * lots;
    w->trades += 1;
}

void settlement_trade(struct core *c, uint32_t instrument, price_t price, int64_t lots)
{
    struct window *w = &c->windows[instrument];
    if (c->s->ts.v < w->open || c->s->ts.v >= w->close) {
        int64_t open, close;
        window_next(c, instrument, &open, &close);
        c->instruments[instrument].window_open = open;
        if (c->s->ts.v < open) return; /* the sums of the window before are kept until then */
        *w = (struct window){.open = open, .close = close};
    }
    window_add(w, price, lots);
}

void settlement_untrade(struct core *c, uint32_t instrument, ts_t ts, price_t price, int64_t lots)
{
    struct window *w = &c->windows[instrument];
    if (ts.v < w->open || ts.v >= w->close || w->trades == 0 || w->qty < lots) return;
    w->qty -= lots;
    w->value -= (int128_t)price.v * lots;
    w->trades -= 1;
}

const struct window *settlement_window(const struct core *c, uint32_t instrument, int64_t day,
                                       uint32_t cycle)
{
    const struct window *w = &c->windows[instrument];
    struct settlement_cycle s =
        settlement_cycle_of(c, c->instruments[instrument].product, cycle);
    return s.end != 0 && w->open == instant(day, s.start) && w->qty > 0 ? w : NULL;
}

/* ---- what a price is made from ---- */

price_t settlement_previous(const struct core *c, uint32_t instrument, int64_t day)
{
    const struct instrument *in = &c->instruments[instrument];
    bool computed = in->settlement_day == day && in->settlement_tier != SETTLEMENT_TIER_manual;
    return computed ? in->settlement_before : in->settlement;
}

/* The day's last print; PRICE_NONE: none. */
static price_t last_of_day(const struct core *c, uint32_t instrument, int64_t day)
{
    const struct instrument *in = &c->instruments[instrument];
    return in->day != day || price_is_none(in->open) ? PRICE_NONE : in->last;
}

/* Best prices of the book; both none where it crosses (an auction's). */
static void quotes(const struct core *c, uint32_t instrument, price_t *bid, price_t *ask)
{
    const struct book *b = book_of(c, instrument);
    const struct level *buy = book_best(&c->pools, b, SIDE_buy);
    const struct level *sell = book_best(&c->pools, b, SIDE_sell);
    *bid = buy == NULL ? PRICE_NONE : price_of(c, instrument, buy->px);
    *ask = sell == NULL ? PRICE_NONE : price_of(c, instrument, sell->px);
    if (buy == NULL || sell == NULL || bid->v < ask->v) return;
    *bid = *ask = PRICE_NONE;
}

struct settlement_made settlement_made_of(const struct core *c, uint32_t instrument, int64_t day)
{
    struct settlement_made made = {.price = PRICE_NONE, .day = day, .unit = PRICE(1),
                                   .denominator = 1};
    made.previous = settlement_previous(c, instrument, day);
    made.last = last_of_day(c, instrument, day);
    quotes(c, instrument, &made.bid, &made.ask);
    return made;
}

int64_t settlement_round(int128_t numerator, int128_t denominator, int64_t unit, price_t previous)
{
    ASSERT(denominator > 0 && unit > 0);
    int128_t whole = denominator * unit;
    int128_t low = int128_div_floor(numerator, whole);
    int128_t twice = (numerator - low * whole) * 2;
    bool up = twice > whole;
    if (twice == whole) {
        int128_t middle = low * unit * 2 + unit; /* twice the value itself */
        int128_t before = price_is_none(previous) ? middle : (int128_t)previous.v * 2;
        up = before > middle || (before == middle && (low & 1) != 0);
    }
    int128_t price = (low + (up ? 1 : 0)) * unit;
    if (price > PRICE_MAX) return PRICE_MAX;
    return price < -PRICE_MAX ? -PRICE_MAX : (int64_t)price;
}

/* ---- records ---- */

struct event_settlement *settlement_open(struct core *c, uint32_t instrument,
                                         const struct settlement_made *made)
{
    struct instrument *in = &c->instruments[instrument];
    struct event_settlement *e = outbox_push(c->out, EVENT_settlement, sizeof *e);
    struct event_header header = e->header;
    ASSERT(price_fits(made->price));
    *e = (struct event_settlement){
        .header = header, .instrument = instrument, .final = made->final ? 1 : 0,
        .price = made->price, .id = ++c->s->settlement_id, .tier = (uint8_t)made->tier,
        .cycle = (uint8_t)made->cycle, .based = made->based ? 1 : 0, .day = made->day,
        .previous = made->previous, .bid = made->bid, .ask = made->ask, .last = made->last,
        .unit = made->unit, .numerator_high = (int64_t)(made->numerator >> 64),
        .numerator_low = (uint64_t)made->numerator,
        .denominator_high = (int64_t)(made->denominator >> 64),
        .denominator_low = (uint64_t)made->denominator, .trades = made->trades,
        .principal = made->principal};
    in->settlement_before = settlement_previous(c, instrument, made->day);
    in->settlement_day = made->day;
    in->settlement = made->price;
    in->settlement_id = e->id;
    in->settlement_tier = (uint8_t)made->tier;
    in->settlement_cycle = (uint8_t)made->cycle;
    if (c->span_instruments[instrument].group != 0) span_settled(c, instrument);
    price_limit_base(c, instrument);
    if (in->terms.expired == EXPIRY_waits) schedule_expiry(c, instrument, c->s->ts);
    return e;
}

void settlement_source(struct core *c, struct event_settlement *e,
                       const struct event_settlement_source *source)
{
    struct event_settlement_source *s = outbox_push(c->out, EVENT_settlement_source, sizeof *s);
    struct event_header header = s->header;
    *s = *source;
    s->header = header;
    s->id = ++c->s->settlement_source_id;
    s->settlement_id = e->id;
    e->sources += 1;
    if (e->source_first == 0) e->source_first = s->id;
    c->settlement_sources[s->id % settlement_sources_kept(&c->limits)] = *s;
}

void settlement_close(struct core *c, const struct event_settlement *e)
{
    c->settlements[e->id % c->limits.settlements] = *e;
}

/* ---- by hand ---- */

static bool is_computed(const struct core *c, const struct instrument *in)
{
    return in->settlement_day == c->s->day && in->settlement_tier != SETTLEMENT_TIER_none &&
           in->settlement_tier != SETTLEMENT_TIER_manual;
}

static enum reject price_check(const struct core *c, const struct command_settlement_price *s)
{
    if (s->instrument == NIL || s->instrument > c->s->instruments)
        return REJECT_unknown_instrument;
    if (instrument_is_final(c, s->instrument)) return REJECT_instrument_expired;
    return price_fits(s->price) ? REJECT_none : REJECT_invalid_price;
}

/* An officer's price. In place of one that was computed for the day it takes two. */
void settlement_price(struct core *c, const struct command *cmd)
{
    const struct command_settlement_price *s = &cmd->settlement_price;
    enum reject reason = price_check(c, s);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    bool computed = is_computed(c, &c->instruments[s->instrument]);
    if (computed && dual_wait(c, cmd)) return;
    struct settlement_made made = settlement_made_of(c, s->instrument, c->s->day);
    made.price = s->price;
    made.tier = computed ? SETTLEMENT_TIER_override : SETTLEMENT_TIER_manual;
    made.principal = cmd->header.principal;
    settlement_close(c, settlement_open(c, s->instrument, &made));
}

void settle_day(struct core *c, const struct command *cmd)
{
    const struct command_settle_day *s = &cmd->settle_day;
    bool known = s->product != NIL && s->product <= c->s->products;
    bool has = known && settlement_cycle_of(c, s->product, s->cycle).end != 0;
    if (!has) {
        reject_push(c, cmd, known ? REJECT_malformed_request : REJECT_unknown_product, INT64_MIN);
        return;
    }
    curve_settle(c, s->product, s->cycle, c->s->day, cmd->header.principal);
}

/* ---- questions ---- */

static void record_push(const struct core *c, struct outbox *out,
                        const struct event_settlement *kept)
{
    uint64_t kept_sources = settlement_sources_kept(&c->limits);
    uint64_t last = c->s->settlement_source_id;
    struct event_settlement *e = outbox_push(out, EVENT_settlement, sizeof *e);
    uint16_t flags = e->header.flags;
    *e = *kept;
    e->header.flags = flags;
    for (uint32_t i = 0; i < e->sources; i++) {
        uint64_t id = e->source_first + i;
        if (last - id >= kept_sources) continue; /* gone; the history has it */
        struct event_settlement_source *s =
            outbox_push(out, EVENT_settlement_source, sizeof *s);
        *s = c->settlement_sources[id % kept_sources];
        s->header.flags = flags;
    }
}

void query_settlements(const struct core *c, const struct query *q, struct outbox *out)
{
    enum { COUNT_DEFAULT = 100, COUNT_MAX = 10000 };
    uint32_t count = q->count == 0 ? COUNT_DEFAULT : q->count < COUNT_MAX ? q->count : COUNT_MAX;
    uint64_t last = c->s->settlement_id;
    uint64_t oldest = last > c->limits.settlements ? last - c->limits.settlements : 0;
    for (uint64_t id = last; id > oldest && count > 0; id--) {
        const struct event_settlement *s = &c->settlements[id % c->limits.settlements];
        if (q->from_id != 0 && id >= q->from_id) continue;
        if (q->instrument != 0 && s->instrument != q->instrument) continue;
        if (q->product != 0 && c->instruments[s->instrument].product != q->product) continue;
        record_push(c, out, s);
        count -= 1;
    }
}

/* ---- invariants ---- */

void settlement_check(const struct core *c)
{
    for (uint32_t i = 1; i <= c->s->instruments; i++) {
        const struct instrument *in = &c->instruments[i];
        const struct window *w = &c->windows[i];
        ASSERT(w->open <= w->close && w->qty >= 0 && w->qty <= WINDOW_LOTS_MAX);
        ASSERT(w->qty > 0 || (w->trades == 0 && w->value == 0));
        ASSERT((in->settlement_id == 0) == price_is_none(in->settlement));
        ASSERT(in->settlement_id <= c->s->settlement_id);
        if (in->settlement_id == 0) continue;
        const struct event_settlement *s = &c->settlements[in->settlement_id %
                                                           c->limits.settlements];
        if (s->id != in->settlement_id) continue; /* written over since */
        ASSERT(s->instrument == i && s->price.v == in->settlement.v); /* (1) */
        ASSERT(s->day == in->settlement_day && s->tier == in->settlement_tier);
    }
}
