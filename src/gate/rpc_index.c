/* rpc_index.c: reference prices of hours (INDEX-02): who submits, what was made of it. */
#include "gate/rpc_settlement.h"

#include <string.h>

/* ---- what officers create ---- */

/* The order of the tiers; not given: spot, submissions, the previous hour, the committee. */
static int tiers_get(struct rpc_call *c, struct command_index_create *t)
{
    static const uint8_t otherwise[INDEX_TIERS_MAX] = {
        INDEX_TIER_spot, INDEX_TIER_submissions, INDEX_TIER_previous_hour, INDEX_TIER_committee};
    uint32_t array = param_find(c, c->params, "tiers"), n = 0;
    const struct json_token *tokens = c->json->tokens;
    if (array == 0) {
        memcpy(t->tiers, otherwise, sizeof t->tiers);
        return REJECT_none;
    }
    for (uint32_t i = array + 1; i < tokens[array].next; i = tokens[i].next) {
        uint8_t tier = 1;
        while (tier < INDEX_TIER_count && !json_equals(c->json, i, index_tier_words[tier])) tier++;
        if (tier == INDEX_TIER_count || n == INDEX_TIERS_MAX) return malformed(c, "tiers");
        t->tiers[n++] = tier;
    }
    return REJECT_none;
}

/* What the numbers may be is the core's to judge. */
static int fixed_get(struct rpc_call *c, const char *name, int64_t *value)
{
    return param_fixed(c, c->params, name, INT64_MIN, INT64_MAX, value);
}

static int seconds_get(struct rpc_call *c, const char *name, int64_t otherwise, int64_t *ns)
{
    int64_t seconds = param_int(c, c->params, name, otherwise);
    if (seconds > 7 * (int64_t)DAY_SECONDS) return malformed(c, name);
    *ns = seconds * NS_PER_SECOND;
    return REJECT_none;
}

/* What tier spot needs; without that tier nothing of it may be given. */
static int spot_get(struct rpc_call *c, struct command_index_create *t)
{
    enum { SELLERS = 5, SELLERS_MAX = 1000, VOLUME = 10, SHARE_E6 = 350000 }; /* [defaults] */
    static const char *const names[] = {"spot_sellers_minimum", "spot_volume_minimum",
                                        "spot_seller_share"};
    bool tier = false;
    for (uint32_t i = 0; i < INDEX_TIERS_MAX; i++) tier = tier || t->tiers[i] == INDEX_TIER_spot;
    for (uint32_t i = 0; i < 3 && !tier; i++) {
        if (param_find(c, c->params, names[i]) != 0) return malformed(c, names[i]);
    }
    if (!tier) return REJECT_none;
    int64_t sellers = param_int(c, c->params, names[0], SELLERS);
    if (sellers < 3 || sellers > SELLERS_MAX) return malformed(c, names[0]);
    t->spot_sellers = (uint32_t)sellers;
    t->spot_volume = param_int(c, c->params, names[1], VOLUME);
    if (t->spot_volume < 1 || t->spot_volume > QTY_MAX) return malformed(c, names[1]);
    t->spot_share_e6 = SHARE_E6;
    return param_fixed(c, c->params, names[2], 1, E6, &t->spot_share_e6);
}

static int terms_get(struct rpc_call *c, struct command_index_create *t)
{
    enum { MINIMUM = 3, CARRIES = 1, STALENESS = 3600, DELAY = 300 }; /* [defaults] */
    int64_t minimum = param_int(c, c->params, "minimum_sources", MINIMUM);
    int64_t carries = param_int(c, c->params, "carries_max", CARRIES);
    param_text(c, c->params, "index_name", t->name, sizeof t->name);
    for (const char *p = t->name; *p != 0; p++) {
        if (strchr(":,;.\"\\ ", *p) != NULL) return malformed(c, "index_name");
    }
    if (minimum < 3 || minimum > INDEX_SOURCES_MAX) return malformed(c, "minimum_sources");
    if (carries > 8784) return malformed(c, "carries_max");
    t->minimum = (uint32_t)minimum;
    t->carries_max = (uint32_t)carries;
    t->deviation_e6 = E6 / 4; /* [default] */
    int reason = accounts_of(c, c->params, "sources", INDEX_SOURCES_MAX, t->sources,
                             &t->source_count);
    if (reason == REJECT_none) reason = tiers_get(c, t);
    if (reason == REJECT_none) reason = spot_get(c, t);
    if (reason == REJECT_none)
        reason = seconds_get(c, "staleness_seconds", STALENESS, &t->staleness_ns);
    if (reason == REJECT_none) reason = seconds_get(c, "delay_seconds", DELAY, &t->delay_ns);
    if (reason == REJECT_none) reason = fixed_get(c, "deviation", &t->deviation_e6);
    if (reason == REJECT_none) reason = fixed_get(c, "deviation_minimum", &t->deviation_min.v);
    if (reason == REJECT_none) reason = fixed_get(c, "value_minimum", &t->value_min.v);
    if (reason == REJECT_none && t->source_count < t->minimum)
        return malformed(c, "minimum_sources");
    return reason;
}

static void terms_write(struct rpc_call *c, const struct command_index_create *t)
{
    json_key_string(c->out, "index_name", t->name);
    json_key(c->out, "source_names");
    json_open_array(c->out);
    for (uint32_t i = 0; i < t->source_count && i < INDEX_SOURCES_MAX; i++)
        json_string(c->out, directory_name(c->names, DIRECTORY_account, t->sources[i]));
    json_close_array(c->out);
    json_key(c->out, "tiers");
    json_open_array(c->out);
    for (uint32_t i = 0; i < INDEX_TIERS_MAX && t->tiers[i] != 0; i++)
        json_string(c->out, index_tier_words[t->tiers[i] % INDEX_TIER_count]);
    json_close_array(c->out);
    json_key_int(c->out, "minimum_sources", t->minimum);
    json_key_int(c->out, "carries_max", t->carries_max);
    json_key_int(c->out, "staleness_seconds", t->staleness_ns / NS_PER_SECOND);
    json_key_int(c->out, "delay_seconds", t->delay_ns / NS_PER_SECOND);
    json_key_fixed(c->out, "deviation", t->deviation_e6, 6);
    json_key_price(c->out, "deviation_minimum", t->deviation_min);
    json_key_price(c->out, "value_minimum", t->value_min);
    if (t->spot_sellers == 0) return;
    json_key_int(c->out, "spot_sellers_minimum", t->spot_sellers);
    json_key_int(c->out, "spot_volume_minimum", t->spot_volume);
    json_key_fixed(c->out, "spot_seller_share", t->spot_share_e6, 6);
}

int rpc_index_create(struct rpc_call *c)
{
    const struct outbox *events;
    struct command *cmd = command_begin(c, COMMAND_index_create,
                                        sizeof cmd->header + sizeof cmd->index_create);
    int reason = terms_get(c, &cmd->index_create);
    if (reason == REJECT_none) reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    json_open_object(c->out);
    terms_write(c, &cmd->index_create);
    json_close_object(c->out);
    return REJECT_none;
}

/* ---- values ---- */

static int index_of(struct rpc_call *c, uint32_t *id)
{
    *id = id_of(c, c->params, "index_name", DIRECTORY_index);
    return *id == 0 ? REJECT_unknown_index : REJECT_none;
}

int rpc_index_submit(struct rpc_call *c)
{
    const struct outbox *events;
    struct command *cmd = command_begin(c, COMMAND_index_submit,
                                        sizeof cmd->header + sizeof cmd->index_submit);
    struct command_index_submit *s = &cmd->index_submit;
    int reason = account_own(c, &cmd->header.account);
    if (reason == REJECT_none) reason = index_of(c, &s->index);
    if (reason == REJECT_none) reason = param_time(c, c->params, "hour", &s->hour);
    if (reason == REJECT_none) reason = param_time(c, c->params, "observed_at", &s->observed);
    if (reason != REJECT_none) return reason;
    if (param_find(c, c->params, "hour") == 0)
        s->hour = TS(int64_div_floor(c->now.v, NS_PER_HOUR) * NS_PER_HOUR);
    if (param_decimal(c, c->params, "value", 6, &s->value.v) != DECIMAL_exact)
        return REJECT_invalid_price;
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_index_input *e = event_find(events, EVENT_index_input);
    json_open_object(c->out);
    json_key_string(c->out, "index_name", directory_name(c->names, DIRECTORY_index, s->index));
    json_key_ms(c->out, "hour", s->hour);
    json_key_price(c->out, "value", s->value);
    json_key_ms(c->out, "observed_at", e == NULL ? s->observed : e->observed);
    json_close_object(c->out);
    return REJECT_none;
}

int rpc_index_set_price(struct rpc_call *c)
{
    const struct outbox *events;
    struct command *cmd = command_begin(c, COMMAND_index_price,
                                        sizeof cmd->header + sizeof cmd->index_price);
    struct command_index_price *p = &cmd->index_price;
    int reason = index_of(c, &p->index);
    if (reason == REJECT_none) reason = param_time(c, c->params, "hour", &p->hour);
    if (reason != REJECT_none) return reason;
    if (param_decimal(c, c->params, "value", 6, &p->value.v) != DECIMAL_exact)
        return REJECT_invalid_price;
    param_text(c, c->params, "reason", p->reason, sizeof p->reason);
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_index_price *e = event_find(events, EVENT_index_price);
    if (e == NULL && request_answer(c, events)) return REJECT_none;
    json_open_object(c->out);
    if (e != NULL) rpc_write_index_price(c->out, e);
    json_close_object(c->out);
    return REJECT_none;
}

/* ---- what anybody may know ---- */

int rpc_get_index(struct rpc_call *c)
{
    enum { HOURS_MAX = 1000, HOURS_DEFAULT = 24 };
    struct query q = {.kind = QUERY_index};
    int64_t count = param_int(c, c->params, "count", HOURS_DEFAULT);
    int reason = index_of(c, &q.instrument);
    if (reason == REJECT_none) reason = param_time(c, c->params, "start_timestamp", &q.start);
    if (reason == REJECT_none) reason = param_time(c, c->params, "end_timestamp", &q.end);
    if (reason != REJECT_none) return reason;
    if (count < 1 || count > HOURS_MAX) return malformed(c, "count");
    q.count = (uint32_t)count;
    const struct outbox *events = query_ask(c, &q);
    const struct event_index *x = event_find(events, EVENT_index);
    json_open_object(c->out);
    if (x != NULL) terms_write(c, &x->terms);
    json_key(c->out, "hours");
    json_open_array(c->out);
    const unsigned char *end = events->bytes + events->used;
    const struct event_header *h = outbox_next(events, NULL);
    for (; h != NULL; h = outbox_next(events, h)) {
        if (h->kind != EVENT_index_price) continue;
        json_open_object(c->out);
        rpc_write_index_hour(c->out, c->names, (const void *)h, end);
        json_close_object(c->out);
    }
    json_close_array(c->out);
    json_close_object(c->out);
    return REJECT_none;
}

static int index_price_write(struct rpc_call *c, price_t price)
{
    json_open_object(c->out);
    json_key_price(c->out, "index_price", price);
    json_key_price(c->out, "estimated_delivery_price", price);
    json_close_object(c->out);
    return REJECT_none;
}

/* The latest hour's price of an index; or, as Deribit's clients ask, the mark of an instrument. */
int rpc_get_index_price(struct rpc_call *c)
{
    uint32_t i;
    struct query q = {.kind = QUERY_index, .count = 1};
    if (index_of(c, &q.instrument) == REJECT_none) {
        const struct event_index_price *p = event_find(query_ask(c, &q), EVENT_index_price);
        return index_price_write(c, p == NULL ? PRICE_NONE : p->price);
    }
    int reason = instrument_of(c, "index_name", &i);
    if (reason != REJECT_none) return reason;
    const struct event_ticker *t =
        event_find(query_ask(c, &(struct query){.kind = QUERY_ticker, .instrument = i,
                                                .now = c->now}), EVENT_ticker);
    if (t == NULL) return REJECT_unknown_instrument;
    return index_price_write(c, price_is_none(t->settlement) ? t->last : t->settlement);
}
