/* rpc_spot.c: the spot market (INDEX-01): a product's terms, auctions beside the clock's, sealed
 * bids, and the solution of whoever solves. What may be read: rpc_spot_read.c. */
#include "gate/rpc_spot.h"

#include "base/time_text.h"
#include "gate/rpc_settlement.h"

#include <string.h>

/* ---- a product's terms ---- */

static const char *const zone_names[] = {"utc", "europe", "america", NULL};

static const struct param_spec terms_specs[] = {
    {.name = "auction", .kind = PARAM_bool},
    {.name = "intraday", .kind = PARAM_bool},
    {.name = "zone", .kind = PARAM_enum, .names = zone_names},
    {.name = "offset_hours", .kind = PARAM_decimal}, /* west of Greenwich: negative */
    {.name = "opens_at", .kind = PARAM_text, .max = 8},
    {.name = "closes_at", .kind = PARAM_text, .max = 8},
    {.name = "result_minutes", .kind = PARAM_int},
    {.name = "price_min", .kind = PARAM_decimal},
    {.name = "price_max", .kind = PARAM_decimal, .required = REQUIRED},
    {.name = NULL},
};

int spot_terms_get(struct rpc_call *c, struct command_product_create *p)
{
    enum { OPENS = 8 * 3600, CLOSES = 12 * 3600, RESULT_MINUTES = 60 }; /* [defaults] */
    uint32_t object = param_find(c, c->params, "spot");
    struct spot_terms *t = &p->spot;
    if (object == 0) return REJECT_none;
    int reason = params_check(c, object, terms_specs);
    if (reason != REJECT_none) return reason;
    int64_t offset = 0;
    int64_t minutes = param_int(c, object, "result_minutes", RESULT_MINUTES);
    bool whole = param_find(c, object, "offset_hours") == 0 ||
                 param_decimal(c, object, "offset_hours", 0, &offset) == DECIMAL_exact;
    if (!whole || offset < -12 || offset > 14) return malformed(c, "offset_hours");
    if (minutes < 1 || minutes >= 24 * 60) return malformed(c, "result_minutes");
    t->zone = (uint8_t)param_enum(c, object, "zone", zone_names, SPOT_ZONE_utc);
    t->offset_hours = (int8_t)offset;
    t->result_within = (uint32_t)minutes * 60;
    if (param_bool(c, object, "auction", true)) t->flags |= SPOT_FLAG_AUCTION;
    if (param_bool(c, object, "intraday", false)) t->flags |= SPOT_FLAG_INTRADAY;
    t->opens_at = OPENS;
    t->closes_at = CLOSES;
    reason = time_of_day_get(c, object, "opens_at", &t->opens_at);
    if (reason == REJECT_none) reason = time_of_day_get(c, object, "closes_at", &t->closes_at);
    if (reason == REJECT_none)
        reason = param_fixed(c, object, "price_min", -PRICE_MAX, PRICE_MAX, &t->price_min.v);
    if (reason == REJECT_none)
        reason = param_fixed(c, object, "price_max", -PRICE_MAX, PRICE_MAX, &t->price_max.v);
    if (reason != REJECT_none) return reason;
    bool fits = t->price_min.v < t->price_max.v && t->opens_at < t->closes_at &&
                p->contract_unit == UNIT_hour;
    return fits ? REJECT_none : malformed(c, "spot");
}

void spot_terms_write(struct json_writer *w, const struct spot_terms *t)
{
    json_key(w, "spot");
    json_open_object(w);
    json_key_bool(w, "auction", (t->flags & SPOT_FLAG_AUCTION) != 0);
    json_key_bool(w, "intraday", (t->flags & SPOT_FLAG_INTRADAY) != 0);
    json_key_string(w, "zone", zone_names[t->zone % SPOT_ZONE_count]);
    json_key_int(w, "offset_hours", t->offset_hours);
    json_key(w, "opens_at");
    time_of_day_write(w, t->opens_at);
    json_key(w, "closes_at");
    time_of_day_write(w, t->closes_at);
    json_key_int(w, "result_minutes", t->result_within / 60);
    json_key_price(w, "price_min", t->price_min);
    json_key_price(w, "price_max", t->price_max);
    json_close_object(w);
}

/* ---- auctions ---- */

int rpc_spot_open(struct rpc_call *c)
{
    const struct outbox *events;
    struct command *cmd = command_begin(c, COMMAND_spot_open,
                                        sizeof cmd->header + sizeof cmd->spot_open);
    struct command_spot_open *o = &cmd->spot_open;
    int64_t hours = param_int(c, c->params, "hours", 24);
    int reason = product_of(c, "product", &o->product);
    if (reason == REJECT_none) reason = param_time(c, c->params, "start", &o->start);
    if (reason == REJECT_none) reason = param_time(c, c->params, "closes_at", &o->closes);
    if (reason != REJECT_none) return reason;
    if (hours < 1 || hours > SPOT_HOURS_MAX) return malformed(c, "hours");
    o->hours = (uint32_t)hours;
    o->deadline = o->start;
    reason = param_time(c, c->params, "deadline", &o->deadline);
    if (reason == REJECT_none) reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_spot_auction *a = event_find(events, EVENT_spot_auction);
    if (a == NULL) return REJECT_unknown_spot_auction;
    rpc_write_spot_auction(c->out, c->names, a);
    return REJECT_none;
}

int spot_auction_ask(struct rpc_call *c, struct event_spot_auction *auction)
{
    struct query q = {.kind = QUERY_spot, .count = 1};
    int64_t id = param_int(c, c->params, "auction", 0);
    int reason = product_of(c, "product", &q.product);
    if (reason != REJECT_none) return reason;
    if (id <= 0 && q.product == 0) return REJECT_unknown_spot_auction;
    q.order_id = (uint64_t)id;
    const struct event_spot_auction *a = event_find(query_ask(c, &q), EVENT_spot_auction);
    if (a == NULL || a->hours > SPOT_HOURS_MAX) return REJECT_unknown_spot_auction;
    *auction = *a;
    return REJECT_none;
}

/* ---- bids ---- */

struct bid_form { /* a request on its way into a command */
    const struct event_spot_auction *auction;
    uint32_t hours[SPOT_HOURS_MAX];
    uint32_t hour_count;
};

/* An hour is named by when it begins, or counted from 0. */
static bool hour_read(struct rpc_call *c, uint32_t token, const struct event_spot_auction *a,
                      uint32_t *hour)
{
    char text[40];
    int64_t n;
    ts_t at;
    if (c->json->tokens[token].kind == JSON_string) {
        int length = json_text(c->json, token, text, sizeof text);
        if (length < 0 || time_parse(text, (size_t)length, &at) != 0) return false;
        n = (at.v - a->start.v) / NS_PER_HOUR;
        if (at.v < a->start.v || (at.v - a->start.v) % NS_PER_HOUR != 0) return false;
    } else if (json_decimal(c->json, token, 0, &n) != DECIMAL_exact || n < 0) {
        return false;
    }
    if (n >= a->hours) return false;
    *hour = (uint32_t)n;
    return true;
}

/* `hours`: not given, all. */
static int hours_get(struct rpc_call *c, struct bid_form *f)
{
    uint32_t array = param_find(c, c->params, "hours");
    const struct json_token *tokens = c->json->tokens;
    if (array == 0) {
        for (f->hour_count = 0; f->hour_count < f->auction->hours; f->hour_count++)
            f->hours[f->hour_count] = f->hour_count;
        return REJECT_none;
    }
    for (uint32_t i = array + 1; i < tokens[array].next; i = tokens[i].next) {
        if (f->hour_count == SPOT_HOURS_MAX ||
            !hour_read(c, i, f->auction, &f->hours[f->hour_count]))
            return malformed(c, "hours");
        f->hour_count += 1;
    }
    return f->hour_count > 0 ? REJECT_none : malformed(c, "hours");
}

static void step_set(struct rpc_call *c, const struct bid_form *f, struct spot_step *s,
                     uint32_t price, uint32_t amount)
{
    int scale = spot_scale(f->auction->kind);
    if (json_decimal(c->json, amount, scale, &s->qty.v) != DECIMAL_exact) s->inexact |= 1;
    if (json_decimal(c->json, price, 6, &s->price.v) != DECIMAL_exact) s->inexact |= 2;
}

static int step_add(struct rpc_call *c, const struct bid_form *f, uint32_t hour, uint32_t price,
                    uint32_t amount)
{
    struct command_spot_bid *b = &c->command->spot_bid;
    if (b->count == SPOT_STEPS_MAX) return malformed(c, "curve");
    struct spot_step *s = &b->steps[b->count++];
    s->hour = hour;
    step_set(c, f, s, price, amount);
    return REJECT_none;
}

/* `curve`: [price, amount] pairs, each for every hour; else one price with one amount, or with an
 * amount an hour. */
static int curve_get(struct rpc_call *c, const struct bid_form *f, uint32_t curve)
{
    const struct json_token *tokens = c->json->tokens;
    for (uint32_t i = curve + 1; i < tokens[curve].next; i = tokens[i].next) {
        if (tokens[i].kind != JSON_array || json_array_count(c->json, i) != 2)
            return malformed(c, "curve");
        for (uint32_t h = 0; h < f->hour_count; h++) {
            int reason = step_add(c, f, f->hours[h], i + 1, tokens[i + 1].next);
            if (reason != REJECT_none) return reason;
        }
    }
    return REJECT_none;
}

static int amounts_get(struct rpc_call *c, const struct bid_form *f)
{
    const struct json_token *tokens = c->json->tokens;
    uint32_t price = param_find(c, c->params, "price");
    uint32_t amount = param_find(c, c->params, "amount");
    uint32_t amounts = param_find(c, c->params, "amounts");
    if (price == 0) return REJECT_invalid_price;
    if ((amount != 0) == (amounts != 0)) return malformed(c, "amount");
    if (amounts != 0 && json_array_count(c->json, amounts) != f->hour_count)
        return malformed(c, "amounts");
    uint32_t at = amounts != 0 ? amounts + 1 : amount;
    for (uint32_t h = 0; h < f->hour_count; h++) {
        int reason = step_add(c, f, f->hours[h], price, at);
        if (reason != REJECT_none) return reason;
        if (amounts != 0) at = tokens[at].next;
    }
    return REJECT_none;
}

static int bid_build(struct rpc_call *c, const struct event_spot_auction *a)
{
    struct bid_form f = {.auction = a};
    struct command_spot_bid *b = &c->command->spot_bid;
    uint32_t curve = param_find(c, c->params, "curve");
    b->auction = a->id;
    b->parent = (uint64_t)param_int(c, c->params, "parent", 0);
    b->replaces = (uint64_t)param_int(c, c->params, "replaces", 0);
    b->side = (uint8_t)param_enum(c, c->params, "side", rpc_side_names, SIDE_buy);
    if (param_bool(c, c->params, "block", b->parent != 0)) b->kind = SPOT_BID_block;
    int reason = hours_get(c, &f);
    if (reason != REJECT_none) return reason;
    if (curve != 0 && b->kind == SPOT_BID_block) return malformed(c, "curve");
    reason = curve != 0 ? curve_get(c, &f, curve) : amounts_get(c, &f);
    return reason == REJECT_none && b->count == 0 ? malformed(c, "curve") : reason;
}

int rpc_spot_bid(struct rpc_call *c)
{
    const struct outbox *events;
    struct event_spot_auction a;
    uint32_t account;
    int reason = account_own(c, &account);
    if (reason == REJECT_none) reason = spot_auction_ask(c, &a);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_spot_bid,
                                        sizeof cmd->header + sizeof cmd->spot_bid);
    cmd->header.account = account;
    reason = bid_build(c, &a);
    if (reason != REJECT_none) return reason;
    cmd->header.size = (uint32_t)(sizeof cmd->header + offsetof(struct command_spot_bid, steps) +
                                  cmd->spot_bid.count * sizeof cmd->spot_bid.steps[0]);
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    json_open_object(c->out);
    json_key_int(c->out, "auction", (int64_t)a.id);
    json_key(c->out, "bids");
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_spot_bid)
            rpc_write_spot_bid(c->out, c->names, &a, (const void *)h, true);
    }
    json_close_array(c->out);
    json_close_object(c->out);
    return REJECT_none;
}

int rpc_spot_cancel(struct rpc_call *c)
{
    const struct outbox *events;
    struct command *cmd = command_begin(c, COMMAND_spot_cancel,
                                        sizeof cmd->header + sizeof cmd->spot_cancel);
    int reason = account_own(c, &cmd->header.account);
    if (reason != REJECT_none) return reason;
    cmd->spot_cancel.auction = (uint64_t)param_int(c, c->params, "auction", 0);
    cmd->spot_cancel.bid = (uint64_t)param_int(c, c->params, "bid", 0);
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_count *e = event_find(events, EVENT_count);
    json_int(c->out, e == NULL ? 0 : (int64_t)e->count);
    return REJECT_none;
}

/* ---- a solution ---- */

static int prices_get(struct rpc_call *c, const char *name, uint32_t hours, price_t *prices)
{
    uint32_t array = param_find(c, c->params, name), n = 0;
    const struct json_token *tokens = c->json->tokens;
    if (json_array_count(c->json, array) != hours) return malformed(c, name);
    for (uint32_t i = array + 1; i < tokens[array].next; i = tokens[i].next) {
        if (json_decimal(c->json, i, 6, &prices[n++].v) != DECIMAL_exact) return malformed(c, name);
    }
    return REJECT_none;
}

/* Which blocks, by id: their places are those of all blocks in order of id. */
static int accepted_get(struct rpc_call *c, struct command_spot_result *r)
{
    uint32_t array = param_find(c, c->params, "accepted"), found = 0, block = 0;
    const struct json_token *tokens = c->json->tokens;
    const struct outbox *events =
        query_ask(c, &(struct query){.kind = QUERY_spot_bids, .order_id = r->auction});
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_spot_bid *b = (const struct event_spot_bid *)(const void *)h;
        if (h->kind != EVENT_spot_bid || b->kind != SPOT_BID_block) continue;
        for (uint32_t i = array + 1; i < tokens[array].next; i = tokens[i].next) {
            int64_t id;
            if (json_decimal(c->json, i, 0, &id) != DECIMAL_exact || (uint64_t)id != b->id)
                continue;
            r->accepted[block / 8] |= (uint8_t)(1u << (block % 8));
            found += 1;
            break;
        }
        block += 1;
    }
    return found == json_array_count(c->json, array) ? REJECT_none : REJECT_unknown_spot_bid;
}

/* Sums of price x lots may be wider than 64 bits: they are told in 10^-6, in two words. */
static int surplus_get(struct rpc_call *c, const char *name, struct spot_surplus *s)
{
    char text[48];
    size_t n = param_text(c, c->params, name, text, sizeof text);
    bool negative = text[0] == '-';
    int128_t value = 0;
    if (n <= negative || n > 36) return malformed(c, name);
    for (size_t i = negative; i < n; i++) {
        if (text[i] < '0' || text[i] > '9') return malformed(c, name);
        value = value * 10 + (text[i] - '0');
    }
    if (negative) value = -value;
    *s = (struct spot_surplus){(int64_t)(value >> 64), (uint64_t)value};
    return REJECT_none;
}

int rpc_spot_result(struct rpc_call *c)
{
    const struct outbox *events;
    struct event_spot_auction a;
    int reason = spot_auction_ask(c, &a);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_spot_result,
                                        sizeof cmd->header + sizeof cmd->spot_result);
    struct command_spot_result *r = &cmd->spot_result;
    r->auction = a.id;
    r->version = (uint64_t)param_int(c, c->params, "version", 0);
    r->nodes = (uint32_t)(param_int(c, c->params, "nodes", 0) & UINT32_MAX);
    if (param_bool(c, c->params, "optimal", false)) r->flags = SPOT_RESULT_OPTIMAL;
    reason = prices_get(c, "prices", a.hours, r->prices);
    if (reason == REJECT_none) reason = prices_get(c, "dual_prices", a.hours, r->dual);
    if (reason == REJECT_none) reason = surplus_get(c, "surplus_e6", &r->surplus);
    if (reason == REJECT_none) reason = surplus_get(c, "bound_e6", &r->bound);
    if (reason == REJECT_none) reason = accepted_get(c, r);
    if (reason == REJECT_none) reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_spot_auction *done = event_find(events, EVENT_spot_auction);
    rpc_write_spot_auction(c->out, c->names, done == NULL ? &a : done);
    return REJECT_none;
}
