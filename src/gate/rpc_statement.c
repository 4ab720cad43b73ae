/* rpc_statement.c: an account's day, to the micro-dollar: private/get_statement.
 *
 * Built from the postings and trades that the core retains: for each asset what it began the day
 * with, what moved it, by the posting's code, and what it ended with; contracts are assets, so
 * positions are too. Opening and movements make the closing balance: asserted. Where the day's
 * beginning is no longer retained, `complete` says so; the history (dojima statement) has it.
 */
#include "base/time_text.h"
#include "gate/rpc_internal.h"

#include <string.h>

enum { LINES_MAX = 512, PAGE = 10000, TRADES_MAX = 1000, TOKEN_HOUR_TEXT = 11 /* -YYYYMMDDHH */ };

struct line {
    uint32_t asset;
    bool in_day;  /* something moved it that day */
    bool settled; /* opening and closing are known */
    int64_t opening;
    int64_t closing;
    int64_t after; /* of tokens: moved since the day's end */
    int64_t moved[POSTING_code_count];
};

struct statement {
    uint32_t account;
    ts_t start;
    ts_t end;
    bool complete;
    uint32_t count;
    struct line lines[LINES_MAX];
};

static struct line *line_of(struct statement *s, uint32_t asset)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->lines[i].asset == asset) return &s->lines[i];
    }
    if (s->count == LINES_MAX) return NULL;
    s->lines[s->count] = (struct line){.asset = asset};
    return &s->lines[s->count++];
}

/* Tokens of a class are one line, whatever their hours: its key is the class's first asset. */
static uint32_t token_key(uint32_t asset)
{
    return token_asset(token_asset_class(asset), TOKEN_HOUR_FIRST);
}

static bool token_take(struct statement *s, const struct event_posting *p)
{
    struct line *l = p->header.ts.v >= s->start.v ? line_of(s, token_key(p->asset)) : NULL;
    if (l == NULL) return p->header.ts.v < s->start.v;
    if (p->header.ts.v >= s->end.v) {
        l->after += p->amount;
        return true;
    }
    l->in_day = true;
    l->moved[p->code] += p->amount;
    return true;
}

/* What there is now, less what came since, is what the day ended with. */
static void tokens_close(struct rpc_call *c, struct statement *s)
{
    struct query q = {.kind = QUERY_account, .account = s->account, .now = c->now};
    const struct outbox *events = query_ask(c, &q);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_balance *b = (const struct event_balance *)(const void *)h;
        if (h->kind != EVENT_balance || !asset_is_token(b->asset) || b->balance == 0) continue;
        struct line *l = line_of(s, token_key(b->asset));
        if (l != NULL) l->closing += b->balance;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        struct line *l = &s->lines[i];
        if (!asset_is_token(l->asset)) continue;
        l->closing -= l->after;
        l->opening = l->closing;
        for (uint16_t code = 1; code < POSTING_code_count; code++) l->opening -= l->moved[code];
    }
}

/* Postings come newest first. False: more assets than a statement holds. */
static bool posting_take(struct statement *s, const struct event_posting *p)
{
    if (p->account != s->account || p->phase != PHASE_posted) return true;
    if (asset_is_token(p->asset)) return token_take(s, p);
    struct line *l = line_of(s, p->asset);
    if (l == NULL) return false;
    if (p->header.ts.v >= s->end.v) { /* afterwards: what it was before this one */
        l->opening = l->closing = p->balance - p->amount;
    } else if (p->header.ts.v >= s->start.v) {
        if (!l->in_day) l->closing = p->balance;
        l->in_day = true;
        l->moved[p->code] += p->amount;
        l->opening = p->balance - p->amount;
    } else if (!l->in_day && !l->settled) {
        l->opening = l->closing = p->balance;
    }
    l->settled = l->settled || p->header.ts.v < s->start.v;
    return true;
}

/* All that is retained, page by page, until the day's beginning is passed. */
static bool postings_take(struct rpc_call *c, struct statement *s)
{
    uint64_t from = 0;
    bool before = false;
    for (;;) {
        struct query q = {.kind = QUERY_ledger, .count = PAGE, .from_id = from, .now = c->now};
        const struct outbox *events = query_ask(c, &q);
        uint64_t last = 0;
        for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
             h = outbox_next(events, h)) {
            const struct event_posting *p = (const struct event_posting *)(const void *)h;
            if (h->kind != EVENT_posting) continue;
            last = p->posting_id;
            before = before || p->header.ts.v < s->start.v;
            if (!posting_take(s, p)) return false;
        }
        if (last == 0) break;
        from = last;
        if (last == 1) break;
    }
    s->complete = before || from <= 1;
    return true;
}

static void line_write(struct rpc_call *c, const struct line *l)
{
    bool contract = l->asset > ASSET_INSTRUMENT;
    int scale = contract ? 0 : asset_scale(l->asset);
    int128_t sum = l->opening;
    const char *name = directory_name(c->names, DIRECTORY_asset, l->asset);
    size_t length = strlen(name);
    if (asset_is_token(l->asset) && length > TOKEN_HOUR_TEXT) length -= TOKEN_HOUR_TEXT;
    json_open_object(c->out);
    json_key(c->out, contract ? "instrument_name" : "asset");
    json_string_n(c->out, name, length);
    json_key_fixed(c->out, "opening", l->opening, scale);
    json_key(c->out, "movements");
    json_open_object(c->out);
    for (uint16_t code = 1; code < POSTING_code_count; code++) {
        sum += l->moved[code];
        if (l->moved[code] != 0) json_key_fixed(c->out, posting_code_name(code), l->moved[code],
                                                scale);
    }
    json_close_object(c->out);
    ASSERT(sum == l->closing);
    json_key_fixed(c->out, "closing", l->closing, scale);
    json_close_object(c->out);
}

static void lines_write(struct rpc_call *c, const struct statement *s, bool contracts)
{
    json_key(c->out, contracts ? "positions" : "balances");
    json_open_array(c->out);
    for (uint32_t i = 0; i < s->count; i++) {
        const struct line *l = &s->lines[i];
        if ((l->asset > ASSET_INSTRUMENT) != contracts) continue;
        if (!l->in_day && l->opening == 0) continue;
        line_write(c, l);
    }
    json_close_array(c->out);
}

static void trades_write(struct rpc_call *c, const struct statement *s)
{
    const struct outbox *events = query_ask(
        c, &(struct query){.kind = QUERY_trades, .account = s->account, .count = TRADES_MAX,
                           .start = s->start, .end = TS(s->end.v - 1), .now = c->now});
    json_key(c->out, "trades");
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_trade *t = (const struct event_trade *)(const void *)h;
        if (h->kind != EVENT_trade) continue;
        for (int side = SIDE_buy; side <= SIDE_sell; side++) {
            if (t->account[side] == s->account) rpc_write_trade(c->out, c->names, t, side, NULL);
        }
    }
    json_close_array(c->out);
}

/* What the day ended with: its last mark-to-market, or an earlier one's where it had none; today's
 * as it stands. NULL: none is kept, or the day is yet to come. */
static const struct event_standing *standing_of(const struct outbox *events,
                                                const struct statement *s, ts_t now)
{
    if (now.v < s->start.v) return NULL;
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_standing *e = (const struct event_standing *)(const void *)h;
        if (h->kind != EVENT_standing) continue;
        if (e->mark_id == 0 ? now.v < s->end.v : e->taken.v < s->end.v) return e;
    }
    return NULL;
}

static void margin_write(struct rpc_call *c, const struct statement *s)
{
    const struct outbox *events = query_ask(
        c, &(struct query){.kind = QUERY_standings, .account = s->account, .now = c->now});
    const struct event_standing *e = standing_of(events, s, c->now);
    json_key(c->out, "margin");
    if (e == NULL) {
        json_null(c->out);
        return;
    }
    json_open_object(c->out);
    json_key_ms(c->out, "as_of", e->mark_id == 0 ? c->now : e->taken);
    if (e->mark_id == 0) json_key_null(c->out, "mark_id");
    else json_key_int(c->out, "mark_id", (int64_t)e->mark_id);
    json_key_string(c->out, "status", account_status_words[e->status % ACCOUNT_status_count]);
    json_key_fixed(c->out, "cash", e->cash.v, 6);
    json_key_fixed(c->out, "pending", e->pending.v, 6);
    json_key_fixed(c->out, "unsettled", e->unsettled.v, 6);
    json_key_fixed(c->out, "equity", e->equity.v, 6);
    json_key_fixed(c->out, "collateral_credit", e->credit.v, 6);
    json_key_fixed(c->out, "initial_margin", e->initial.v, 6);
    json_key_fixed(c->out, "maintenance_margin", e->maintenance.v, 6);
    json_key_fixed(c->out, "missing", e->missing.v, 6);
    json_key(c->out, "call");
    if (e->call == 0) {
        json_null(c->out);
    } else {
        json_open_object(c->out);
        json_key_int(c->out, "call_id", (int64_t)e->call);
        json_key_string(c->out, "state", call_state_words[e->call_state % CALL_state_count]);
        json_key_fixed(c->out, "amount", e->called.v, 6);
        json_key_ms(c->out, "deadline", e->deadline);
        json_close_object(c->out);
    }
    json_close_object(c->out);
}

int rpc_get_statement(struct rpc_call *c)
{
    static struct statement s; /* large; the loop has one thread */
    char date[TIME_TEXT_SIZE];
    s = (struct statement){0};
    int reason = param_date(c, c->params, "date", &s.start);
    if (reason != REJECT_none) return reason;
    s.end = TS(s.start.v + NS_PER_DAY);
    reason = account_read(c, &s.account);
    if (reason != REJECT_none) return reason;
    if (!postings_take(c, &s)) return REJECT_capacity_exhausted;
    tokens_close(c, &s);
    time_format_date(date, s.start);
    json_open_object(c->out);
    json_key_string(c->out, "account", directory_name(c->names, DIRECTORY_account, s.account));
    json_key_string(c->out, "date", date);
    json_key_bool(c->out, "complete", s.complete);
    lines_write(c, &s, false);
    lines_write(c, &s, true);
    margin_write(c, &s);
    trades_write(c, &s);
    json_close_object(c->out);
    return REJECT_none;
}
