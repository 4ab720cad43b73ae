/* rpc_settlement.c: settlement prices, their records, and what a product says of them (CLEAR-03,
 * CLEAR-04). */
#include "gate/rpc_settlement.h"

#include <string.h>

enum { COUNT_MAX = 1000, COUNT_DEFAULT = 20 };

const char *const rpc_cycle_names[SETTLEMENT_CYCLES + 1] = {"day", "intraday"};

/* ---- times of day ---- */

static int two_digits(const char *text)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9') return -1;
    return (text[0] - '0') * 10 + text[1] - '0';
}

/* HH:MM or HH:MM:SS, in seconds; -1: it is none. */
static int32_t time_of_day(const char *text)
{
    size_t n = strlen(text);
    if ((n != 5 && n != 8) || text[2] != ':' || (n == 8 && text[5] != ':')) return -1;
    int hour = two_digits(text), minute = two_digits(text + 3);
    int second = n == 8 ? two_digits(text + 6) : 0;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return -1;
    return hour * 3600 + minute * 60 + second;
}

int time_of_day_get(struct rpc_call *c, uint32_t object, const char *name, uint32_t *seconds)
{
    char text[16];
    if (param_find(c, object, name) == 0) return REJECT_none;
    param_text(c, object, name, text, sizeof text);
    int32_t second = time_of_day(text);
    if (second < 0) return malformed(c, name);
    *seconds = (uint32_t)second;
    return REJECT_none;
}

void time_of_day_write(struct json_writer *w, uint32_t seconds)
{
    uint32_t parts[3] = {seconds / 3600, seconds / 60 % 60, seconds % 60};
    char text[9] = "00:00:00";
    for (int i = 0; i < 3; i++) {
        text[i * 3] = (char)('0' + parts[i] / 10);
        text[i * 3 + 1] = (char)('0' + parts[i] % 10);
    }
    json_string(w, text);
}

/* ---- a product's rules ---- */

static const struct param_spec cycle_specs[] = {
    {.name = "window_start", .kind = PARAM_text, .required = REQUIRED, .max = 8},
    {.name = "window_end", .kind = PARAM_text, .required = REQUIRED, .max = 8},
    {.name = "at", .kind = PARAM_text, .max = 8},
    {.name = NULL},
};
static const struct param_spec rules_specs[] = {
    {.name = "window_start", .kind = PARAM_text, .max = 8},
    {.name = "window_end", .kind = PARAM_text, .max = 8},
    {.name = "at", .kind = PARAM_text, .max = 8},
    {.name = "intraday", .kind = PARAM_object},
    {.name = "automatic", .kind = PARAM_bool},
    {.name = "index_name", .kind = PARAM_text, .max = INDEX_NAME_SIZE - 1},
    {.name = "spot_index_name", .kind = PARAM_text, .max = INDEX_NAME_SIZE - 1},
    {.name = "final_tick", .kind = PARAM_decimal},
    {.name = NULL},
};

/* A window and, where it is not given, the end of it as the time of its price. */
static int cycle_get(struct rpc_call *c, uint32_t object, struct settlement_cycle *s)
{
    if (param_find(c, object, "window_start") == 0 && param_find(c, object, "window_end") == 0 &&
        param_find(c, object, "at") == 0) return REJECT_none;
    if (param_find(c, object, "window_start") == 0) return malformed(c, "window_start");
    if (param_find(c, object, "window_end") == 0) return malformed(c, "window_end");
    int reason = time_of_day_get(c, object, "window_start", &s->start);
    if (reason == REJECT_none) reason = time_of_day_get(c, object, "window_end", &s->end);
    s->at = s->end;
    if (reason == REJECT_none) reason = time_of_day_get(c, object, "at", &s->at);
    if (reason != REJECT_none) return reason;
    if (s->start >= s->end) return malformed(c, "window_end");
    return s->at < s->end ? malformed(c, "at") : REJECT_none;
}

static int index_get(struct rpc_call *c, uint32_t object, struct command_product_create *p)
{
    struct settlement_rules *r = &p->settlement_rules;
    if (param_find(c, object, "spot_index_name") != 0) {
        r->spot_index = id_of(c, object, "spot_index_name", DIRECTORY_index);
        if (r->spot_index == 0) return REJECT_unknown_index;
    }
    if (param_find(c, object, "index_name") == 0) return REJECT_none;
    r->index = id_of(c, object, "index_name", DIRECTORY_index);
    if (r->index == 0) return REJECT_unknown_index;
    return p->settlement == SETTLEMENT_cash ? REJECT_none : malformed(c, "index_name");
}

int settlement_rules_get(struct rpc_call *c, struct command_product_create *p)
{
    struct settlement_rules *r = &p->settlement_rules;
    uint32_t rules = param_find(c, c->params, "settlement_rules");
    if (rules == 0) return REJECT_none;
    int reason = params_check(c, rules, rules_specs);
    uint32_t within = param_find(c, rules, "intraday");
    if (reason == REJECT_none && within != 0) reason = params_check(c, within, cycle_specs);
    if (reason == REJECT_none) reason = cycle_get(c, rules, &r->cycles[0]);
    if (reason == REJECT_none && within != 0) reason = cycle_get(c, within, &r->cycles[1]);
    if (reason == REJECT_none) reason = index_get(c, rules, p);
    if (reason != REJECT_none) return reason;
    if (param_bool(c, rules, "automatic", true)) r->flags |= SETTLEMENT_RULE_AUTOMATIC;
    return param_fixed(c, rules, "final_tick", 1, PRICE_MAX, &r->final_unit);
}

static void cycle_write(struct json_writer *w, const struct settlement_cycle *s)
{
    json_key(w, "window_start");
    time_of_day_write(w, s->start);
    json_key(w, "window_end");
    time_of_day_write(w, s->end);
    json_key(w, "at");
    time_of_day_write(w, s->at);
}

void settlement_rules_write(struct json_writer *w, const struct directory *d,
                            const struct settlement_rules *r)
{
    const struct settlement_cycle day = settlement_rules_cycle(r, 0);
    json_key(w, "settlement_rules");
    json_open_object(w);
    cycle_write(w, &day);
    if (r->cycles[1].end != 0) {
        json_key(w, "intraday");
        json_open_object(w);
        cycle_write(w, &r->cycles[1]);
        json_close_object(w);
    }
    json_key_bool(w, "automatic", (r->flags & SETTLEMENT_RULE_AUTOMATIC) != 0);
    if (r->index != 0) {
        json_key_string(w, "index_name", directory_name(d, DIRECTORY_index, r->index));
        json_key_price(w, "final_tick", settlement_rules_unit(r));
    }
    if (r->spot_index != 0)
        json_key_string(w, "spot_index_name", directory_name(d, DIRECTORY_index, r->spot_index));
    json_close_object(w);
}

/* ---- the venue's times of marking ---- */

int mark_times_get(struct rpc_call *c, struct venue_settings *settings)
{
    uint32_t array = param_find(c, c->params, "mark_times");
    const struct json_token *tokens = c->json->tokens;
    if (array == 0) return REJECT_none;
    for (uint32_t i = array + 1; i < tokens[array].next; i = tokens[i].next) {
        char text[16];
        if (settings->mark_count == MARK_TIMES_MAX || tokens[i].kind != JSON_string ||
            json_text(c->json, i, text, sizeof text) < 0) return malformed(c, "mark_times");
        int32_t second = time_of_day(text);
        uint32_t n = settings->mark_count;
        if (second < 0 || (n > 0 && (uint32_t)second <= settings->mark_at[n - 1]))
            return malformed(c, "mark_times");
        settings->mark_at[settings->mark_count++] = (uint32_t)second;
    }
    return REJECT_none;
}

void mark_times_write(struct json_writer *w, const struct venue_settings *settings)
{
    json_key(w, "mark_times");
    json_open_array(w);
    for (uint32_t i = 0; i < settings->mark_count && i < MARK_TIMES_MAX; i++)
        time_of_day_write(w, settings->mark_at[i]);
    json_close_array(w);
}

/* ---- records ---- */

/* Prices are in 10^-6 USD and weights of spreads in 10^-6 lots: the fraction in whole units. */
static void fraction_write(struct json_writer *w, const struct event_settlement *s)
{
    int weight = s->tier == SETTLEMENT_TIER_spread ? 6 : 0;
    bool has = s->tier == SETTLEMENT_TIER_vwap || s->tier == SETTLEMENT_TIER_spread ||
               s->tier == SETTLEMENT_TIER_parent || s->tier == SETTLEMENT_TIER_parts ||
               s->tier == SETTLEMENT_TIER_index;
    if (!has) return;
    json_key_fixed(w, "numerator", int128_join(s->numerator_high, s->numerator_low), 6 + weight);
    json_key_fixed(w, "denominator", int128_join(s->denominator_high, s->denominator_low), weight);
    json_key_fixed(w, "unit", s->unit.v, 6);
}

static void source_write(struct json_writer *w, const struct directory *d,
                         const struct event_settlement_source *s)
{
    json_open_object(w);
    json_key_string(w, "instrument_name", directory_name(d, DIRECTORY_instrument, s->instrument));
    json_key_price(w, "price", s->price);
    json_key_price(w, "implied", s->implied);
    json_key_fixed(w, "weight", s->weight, s->spread != 0 ? 6 : 0);
    if (s->spread != 0) {
        json_key_string(w, "spread", directory_name(d, DIRECTORY_instrument, s->spread));
        json_key_int(w, "apart", s->apart);
    }
    if (s->volume != 0) {
        json_key_int(w, "volume", s->volume);
        json_key_fixed(w, "value", int128_join(s->value_high, s->value_low), 6);
    }
    json_close_object(w);
}

static void day_write(struct json_writer *w, int64_t day)
{
    char text[TIME_TEXT_SIZE];
    time_format_date(text, TS(day * NS_PER_DAY));
    json_key_string(w, "day", text);
}

void rpc_write_settlement(struct json_writer *w, const struct directory *d,
                          const struct outbox *events, const struct event_settlement *s)
{
    uint32_t kept = 0;
    json_open_object(w);
    json_key_int(w, "settlement_id", (int64_t)s->id);
    json_key_string(w, "type", s->final ? "delivery" : "settlement");
    json_key_string(w, "instrument_name", directory_name(d, DIRECTORY_instrument, s->instrument));
    json_key_price(w, "settlement_price", s->price);
    json_key_price(w, "mark_price", s->price);
    json_key_ms(w, "timestamp", s->header.ts);
    day_write(w, s->day);
    json_key_string(w, "tier", settlement_tier_words[s->tier % SETTLEMENT_TIER_count]);
    json_key_string(w, "cycle", rpc_cycle_names[s->cycle % SETTLEMENT_CYCLES]);
    json_key_price(w, "previous", s->previous);
    json_key_price(w, "last", s->last);
    json_key_price(w, "bid", s->bid);
    json_key_price(w, "ask", s->ask);
    json_key_int(w, "trades", s->trades);
    fraction_write(w, s);
    if (s->tier == SETTLEMENT_TIER_parent) json_key_bool(w, "based", s->based != 0);
    if (s->principal != 0) json_key_int(w, "requested_by", s->principal);
    json_key(w, "sources");
    json_open_array(w);
    const struct event_header *h = &s->header;
    for (uint32_t i = 0; i < s->sources; i++) {
        h = outbox_next(events, h);
        if (h == NULL || h->kind != EVENT_settlement_source) break;
        source_write(w, d, (const struct event_settlement_source *)(const void *)h);
        kept += 1;
    }
    json_close_array(w);
    if (kept < s->sources) json_key_int(w, "sources_not_kept", s->sources - kept);
    json_close_object(w);
}

static void settlements_write(struct rpc_call *c, const struct outbox *events)
{
    json_key(c->out, "settlements");
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_settlement)
            rpc_write_settlement(c->out, c->names, events,
                                 (const struct event_settlement *)(const void *)h);
    }
    json_close_array(c->out);
}

int rpc_get_settlements(struct rpc_call *c)
{
    struct query q = {.kind = QUERY_settlements};
    int64_t count = param_int(c, c->params, "count", COUNT_DEFAULT);
    int reason = instrument_of(c, "instrument_name", &q.instrument);
    if (reason == REJECT_none) reason = product_of(c, "product", &q.product);
    if (reason != REJECT_none) return reason;
    if (count < 1 || count > COUNT_MAX) return malformed(c, "count");
    q.count = (uint32_t)count;
    q.from_id = (uint64_t)param_int(c, c->params, "from_id", 0);
    const struct outbox *events = query_ask(c, &q);
    json_open_object(c->out);
    settlements_write(c, events);
    json_close_object(c->out);
    return REJECT_none;
}

/* ---- making prices ---- */

static bool has_settlement(const struct outbox *events, uint32_t instrument)
{
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_settlement *s = (const struct event_settlement *)(const void *)h;
        if (h->kind == EVENT_settlement && s->instrument == instrument) return true;
    }
    return false;
}

/* Nothing to go by: neither trade, nor quote with a previous price, nor neighbour. */
static void unsettled_write(struct rpc_call *c, const struct outbox *events, uint32_t product)
{
    json_key(c->out, "unsettled");
    json_open_array(c->out);
    uint32_t count = directory_count(c->names, DIRECTORY_instrument);
    for (uint32_t i = 1; i <= count; i++) {
        const struct event_instrument *e = directory_instrument(c->names, i);
        if (e == NULL || e->product != product || e->expired != EXPIRY_none || e->is_spread)
            continue;
        if (!has_settlement(events, i)) json_string(c->out, e->name);
    }
    json_close_array(c->out);
}

int rpc_settle_day(struct rpc_call *c)
{
    const struct outbox *events;
    uint32_t product;
    int reason = product_of(c, "product", &product);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_settle_day,
                                        sizeof cmd->header + sizeof cmd->settle_day);
    cmd->settle_day.product = product;
    cmd->settle_day.cycle = (uint32_t)param_enum(c, c->params, "cycle", rpc_cycle_names, 0);
    reason = command_submit(c, &events);
    if (reason == REJECT_malformed_request) return malformed(c, "cycle");
    if (reason != REJECT_none) return reason;
    json_open_object(c->out);
    json_key_string(c->out, "product", directory_name(c->names, DIRECTORY_product, product));
    settlements_write(c, events);
    unsettled_write(c, events, product);
    json_close_object(c->out);
    return REJECT_none;
}

int rpc_settlement_price(struct rpc_call *c)
{
    const struct outbox *events;
    uint32_t instrument;
    int reason = instrument_of(c, "instrument_name", &instrument);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_settlement_price,
                                        sizeof cmd->header + sizeof cmd->settlement_price);
    cmd->settlement_price.instrument = instrument;
    if (param_decimal(c, c->params, "price", 6, &cmd->settlement_price.price.v) != DECIMAL_exact)
        return REJECT_invalid_price;
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_settlement *e = event_find(events, EVENT_settlement);
    if (e == NULL && request_answer(c, events)) return REJECT_none;
    json_open_object(c->out);
    json_key_string(c->out, "instrument_name",
                    directory_name(c->names, DIRECTORY_instrument, instrument));
    json_key_price(c->out, "price", cmd->settlement_price.price);
    if (e != NULL) json_key_int(c->out, "settlement_id", (int64_t)e->id);
    json_close_object(c->out);
    return REJECT_none;
}

/* ---- what an account was paid and charged (CLEAR-04) ---- */

static void variation_line(struct rpc_call *c, const struct event_posting *p)
{
    struct query q = {.kind = QUERY_settlements, .count = 1, .from_id = p->reference + 1};
    const struct outbox *events = query_ask(c, &q); /* the record that it was reckoned from */
    const struct event_settlement *s = event_find(events, EVENT_settlement);
    bool found = s != NULL && s->id == p->reference;
    json_open_object(c->out);
    json_key_string(c->out, "type", found && s->final ? "delivery" : "settlement");
    json_key_ms(c->out, "timestamp", p->header.ts);
    json_key_string(c->out, "instrument_name",
                    directory_name(c->names, DIRECTORY_instrument, p->instrument));
    json_key_fixed(c->out, "session_profit_loss", p->amount, 6);
    json_key_price(c->out, "mark_price", found ? s->price : PRICE_NONE);
    json_key_int(c->out, "settlement_id", (int64_t)p->reference);
    json_key_int(c->out, "chain_id", (int64_t)p->chain_id);
    json_key_fixed(c->out, "balance", p->balance, 6);
    json_close_object(c->out);
}

/* The newest first, from the ledger as far as it is kept for questions. */
int rpc_get_settlement_history(struct rpc_call *c)
{
    enum { LINES_MAX = 1000 };
    static struct event_posting lines[LINES_MAX];
    struct query q = {.kind = QUERY_ledger, .count = 10000};
    struct currency currency;
    uint32_t instrument, n = 0;
    int128_t sum = 0;
    int64_t count = param_int(c, c->params, "count", COUNT_DEFAULT);
    int reason = instrument_of(c, "instrument_name", &instrument);
    if (reason == REJECT_none) reason = currency_of(c, &currency);
    if (reason == REJECT_none) reason = account_read(c, &q.account);
    if (reason != REJECT_none) return reason;
    if (count < 1 || count > LINES_MAX) return malformed(c, "count");
    const struct outbox *events = query_ask(c, &q);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL && n < count;
         h = outbox_next(events, h)) {
        const struct event_posting *p = (const struct event_posting *)(const void *)h;
        if (h->kind != EVENT_posting || p->code != POSTING_variation) continue;
        if (instrument != 0 && p->instrument != instrument) continue;
        if (!currency_has(c, &currency, p->instrument)) continue;
        lines[n++] = *p;
    }
    json_open_object(c->out);
    json_key(c->out, "settlements");
    json_open_array(c->out);
    for (uint32_t i = 0; i < n; i++) {
        variation_line(c, &lines[i]);
        sum += lines[i].amount;
    }
    json_close_array(c->out);
    json_key_fixed(c->out, "sum", sum, 6);
    json_close_object(c->out);
    return REJECT_none;
}
