/* event_json_settlement.c: the events of settlement and reference prices as JSON (event_json.h).
 * Prices in USD; sums that are fractions of two whole numbers as they are kept, in 10^-6. */
#include "wire/event_json_settlement.h"

#include "wire/event_json_internal.h"
#include "wire/words.h"

static void settlement_write(struct json_writer *w, const struct event_settlement *s,
                             const struct event_names *names)
{
    ID(instrument, s->instrument);
    json_key_bool(w, "final", s->final != 0);
    json_key_price(w, "price", s->price);
    json_key_int(w, "id", (int64_t)s->id);
    json_key_string(w, "tier", settlement_tier_words[s->tier % SETTLEMENT_TIER_count]);
    json_key_int(w, "cycle", s->cycle);
    json_key_int(w, "day", s->day);
    json_key_price(w, "previous", s->previous);
    json_key_price(w, "last", s->last);
    json_key_price(w, "bid", s->bid);
    json_key_price(w, "ask", s->ask);
    json_key_price(w, "unit", s->unit);
    json_key_bool(w, "based", s->based != 0);
    json_key_fixed(w, "numerator_e6", int128_join(s->numerator_high, s->numerator_low), 0);
    json_key_fixed(w, "denominator", int128_join(s->denominator_high, s->denominator_low), 0);
    json_key_int(w, "trades", s->trades);
    json_key_int(w, "principal", s->principal);
    json_key_int(w, "sources", s->sources);
}

static void source_write(struct json_writer *w, const struct event_settlement_source *s,
                         const struct event_names *names)
{
    json_key_int(w, "id", (int64_t)s->id);
    json_key_int(w, "settlement_id", (int64_t)s->settlement_id);
    ID(instrument, s->instrument);
    ID_AS("spread", instrument, s->spread);
    json_key_price(w, "price", s->price);
    json_key_price(w, "implied", s->implied);
    json_key_int(w, "weight", s->weight);
    json_key_int(w, "volume", s->volume);
    json_key_fixed(w, "value", int128_join(s->value_high, s->value_low), 6);
    json_key_int(w, "apart", s->apart);
}

static void wait_write(struct json_writer *w, const struct event_settlement_wait *s,
                       const struct event_names *names)
{
    bool known = s->reason > REJECT_none && s->reason < REJECT_count;
    ID(instrument, s->instrument);
    json_key_string(w, "reason", known ? reject_text((enum reject)s->reason)->name : "");
    if (s->missing == 0) return;
    json_key_int(w, "missing", s->missing);
    json_key_ms(w, "first_missing", s->first_missing);
}

static void mark_write(struct json_writer *w, const struct event_mark *m)
{
    json_key_int(w, "id", (int64_t)m->mark_id);
    json_key_int(w, "chain_id", (int64_t)m->chain_id);
    json_key_bool(w, "scheduled", m->scheduled != 0);
    json_key_int(w, "instruments", m->instruments);
    json_key_int(w, "positions", (int64_t)m->positions);
    json_key_fixed(w, "paid", m->paid.v, 6);
}

void index_price_write(struct json_writer *w, const struct event_index_price *p)
{
    json_key_ms(w, "hour", p->hour);
    json_key_price(w, "price", p->price);
    json_key_string(w, "tier", index_tier_words[p->tier % INDEX_TIER_count]);
    json_key_int(w, "counted", p->counted);
    json_key_int(w, "trimmed", p->trimmed);
}

static void index_price_event(struct json_writer *w, const struct event_index_price *p,
                              const struct event_names *names)
{
    ID_AS("index_name", index, p->index);
    index_price_write(w, p);
    json_key_int(w, "inputs", p->inputs);
    json_key_int(w, "principal", p->principal);
}

void index_input_write(struct json_writer *w, const struct event_index_input *i)
{
    json_key_price(w, "value", i->value);
    json_key_ms(w, "observed_at", i->observed);
    json_key_string(w, "status", index_input_words[i->status % INDEX_INPUT_count]);
}

static void index_input_event(struct json_writer *w, const struct event_index_input *i,
                              const struct event_names *names)
{
    ID_AS("index_name", index, i->index);
    ID_AS("source", account, i->source);
    json_key_ms(w, "hour", i->hour);
    index_input_write(w, i);
}

void cascade_write(struct json_writer *w, const struct event_cascade *e)
{
    json_key_int(w, "contracts", e->children);
    json_key_int(w, "listed", e->listed);
    json_key_int(w, "hours", e->hours);
    json_key_int(w, "positions", (int64_t)e->positions);
}

static void cascade_event(struct json_writer *w, const struct event_cascade *e,
                          const struct event_names *names)
{
    ID_AS("instrument_name", instrument, e->instrument);
    cascade_write(w, e);
    json_key_int(w, "open_interest", e->open_interest);
    json_key_price(w, "price", e->price);
    json_key_int(w, "chain_id", (int64_t)e->chain_id);
}

void index_spot_write(struct json_writer *w, const struct event_index_spot *s)
{
    json_key_string(w, "result", index_spot_words[s->result % INDEX_SPOT_result_count]);
    json_key_price(w, "price", s->price);
    json_key_int(w, "volume", s->volume);
    json_key_int(w, "volume_unkept", s->unkept);
    json_key_int(w, "sellers", s->sellers);
    json_key_int(w, "trimmed", s->trimmed);
    json_key_int(w, "weight_maximum", s->cap);
}

static void index_spot_event(struct json_writer *w, const struct event_index_spot *s,
                             const struct event_names *names)
{
    ID_AS("index_name", index, s->index);
    json_key_ms(w, "hour", s->hour);
    index_spot_write(w, s);
    json_key_int(w, "inputs", s->inputs);
}

void index_seller_write(struct json_writer *w, const struct event_index_seller *s)
{
    json_key_int(w, "volume", s->volume);
    json_key_fixed(w, "value", int128_join(s->value_high, s->value_low), 6);
    json_key_price(w, "price", s->price);
    json_key_int(w, "weight", s->weight);
    json_key_int(w, "volume_related", s->related);
    json_key_int(w, "volume_busted", s->busted);
    json_key_string(w, "status", index_seller_words[s->status % INDEX_SELLER_count]);
}

static void index_seller_event(struct json_writer *w, const struct event_index_seller *s,
                               const struct event_names *names)
{
    ID_AS("index_name", index, s->index);
    ID(account, s->account);
    json_key_ms(w, "hour", s->hour);
    index_seller_write(w, s);
}

bool event_json_settlement(struct json_writer *w, const struct event_header *h,
                           const struct event_names *names)
{
    const void *e = h;
    switch ((enum event_kind)h->kind) {
    case EVENT_settlement: settlement_write(w, e, names); return true;
    case EVENT_settlement_source: source_write(w, e, names); return true;
    case EVENT_settlement_wait: wait_write(w, e, names); return true;
    case EVENT_mark: mark_write(w, e); return true;
    case EVENT_cascade: cascade_event(w, e, names); return true;
    case EVENT_index_price: index_price_event(w, e, names); return true;
    case EVENT_index_input: index_input_event(w, e, names); return true;
    case EVENT_index_spot: index_spot_event(w, e, names); return true;
    case EVENT_index_seller: index_seller_event(w, e, names); return true;
    case EVENT_index:
        json_key_int(w, "id", ((const struct event_index *)e)->id);
        json_key_string(w, "index_name", ((const struct event_index *)e)->terms.name);
        return true;
    default: return false;
    }
}
