/* event_json_delivery.c: the events of delivery as JSON (DELIV-01 to -06). Work is in CT. */
#include "wire/event_json_delivery.h"

#include "wire/event_json_internal.h"
#include "wire/words.h"

enum { WORK_SCALE = 9 };

static void work_write(struct json_writer *w, const char *key, int64_t work)
{
    json_key_fixed(w, key, work, WORK_SCALE);
}

static void flag_write(struct json_writer *w, uint32_t flags, uint32_t flag, const char *key)
{
    if ((flags & flag) != 0) json_key_bool(w, key, true);
}

void notice_write(struct json_writer *w, const struct event_notice *e)
{
    json_key_price(w, "price", e->price);
    json_key_int(w, "open", e->open.v);
    json_key_int(w, "allotted", e->allotted.v);
    json_key_int(w, "cash_settled", e->cash.v);
    json_key_int(w, "allocations", e->allocations);
    json_key_int(w, "state_seq", (int64_t)e->state_seq);
    json_key_hex(w, "seed", e->seed, sizeof e->seed);
    json_key_ms(w, "timestamp", e->header.ts);
}

void allocation_write(struct json_writer *w, const struct event_allocation *e)
{
    json_key_int(w, "allocation", (int64_t)e->id);
    if (e->of != 0) json_key_int(w, "of", (int64_t)e->of);
    json_key_string(w, "state", allocation_state_words[e->state % ALLOCATION_state_count]);
    if (e->reason != 0)
        json_key_string(w, "reason", delivery_reason_words[e->reason % DELIVERY_REASON_count]);
    json_key_string(w, "grade", grade_words[e->grade % GRADE_count]);
    json_key_int(w, "amount", e->lots.v);
    work_write(w, "work_per_hour", e->work_hour);
    work_write(w, "work_due", e->work_due);
    work_write(w, "work_done", e->work_done);
    work_write(w, "work_made_up", e->work_made_up);
    work_write(w, "work_short", e->work_short);
    work_write(w, "work_bought_in", e->work_bought);
    work_write(w, "work_resold", e->work_resold);
    json_key_price(w, "price", e->price);
    if ((e->flags & ALLOCATION_FLAG_RESOLD) != 0)
        json_key_price(w, "resale_price", e->price_resold);
    json_key_fixed(w, "grade_factor", e->factor_e6, 6);
    json_key_ms(w, "start", e->first_hour);
    json_key_ms(w, "end", e->end);
    if (e->due.v != 0) json_key_ms(w, "due", e->due);
    json_key_ms(w, "window_until", e->window_until);
    json_key_fixed(w, "margin_buyer", e->margin_buyer.v, 6);
    json_key_fixed(w, "margin_seller", e->margin_seller.v, 6);
    json_key_fixed(w, "paid", e->paid.v, 6);
    json_key_fixed(w, "damages", e->damages.v, 6);
    if (e->auction != 0) json_key_int(w, "auction", (int64_t)e->auction);
    flag_write(w, e->flags, ALLOCATION_FLAG_CANARY, "canary");
    flag_write(w, e->flags, ALLOCATION_FLAG_PAID, "block_paid");
    flag_write(w, e->flags, ALLOCATION_FLAG_REPLACEMENT, "replacement");
    flag_write(w, e->flags, ALLOCATION_FLAG_FALSIFIED, "falsified");
    flag_write(w, e->flags, ALLOCATION_FLAG_UNTAKEN, "failure_to_take");
    flag_write(w, e->flags, ALLOCATION_FLAG_RESOLD, "resold");
    flag_write(w, e->flags, ALLOCATION_FLAG_ON_SALE, "on_sale");
}

void allocation_parties_write(struct json_writer *w, const struct event_allocation *e)
{
    json_key_hex(w, "buyer_key", e->buyer_key, sizeof e->buyer_key);
    json_key_hex(w, "seller_key", e->seller_key, sizeof e->seller_key);
    json_key_string(w, "buyer_endpoint", e->buyer_endpoint);
    json_key_string(w, "seller_endpoint", e->seller_endpoint);
}

static bool has_verdict(const struct event_delivery_hour *e)
{
    bool any = false;
    for (size_t i = 0; i < sizeof e->verifier_key; i++) any = any || e->verifier_key[i] != 0;
    return any;
}

void delivery_hour_write(struct json_writer *w, const struct event_delivery_hour *e)
{
    json_key_int(w, "allocation", (int64_t)e->allocation);
    json_key_ms(w, "hour", e->hour);
    json_key_string(w, "state", hour_state_words[e->state % HOUR_state_count]);
    work_write(w, "work_due", e->work_due);
    work_write(w, "work_claimed", e->work_claimed);
    work_write(w, "work", e->work);
    json_key_int(w, "tasks", (int64_t)e->tasks);
    if (e->tasks != 0) json_key_hex(w, "root", e->root, sizeof e->root);
    if (has_verdict(e)) {
        json_key_string(w, "outcome", proof_outcome_words[e->outcome % PROOF_outcome_count]);
        json_key_int(w, "sampled", (int64_t)e->sampled);
        json_key_int(w, "failed", (int64_t)e->failed);
        json_key_fixed(w, "fault_rate_bound_95", e->bound_e6, 6);
        json_key_bool(w, "attested", (e->flags & HOUR_FLAG_ATTESTED) != 0);
        json_key_hex(w, "seed", e->seed, sizeof e->seed);
        json_key_hex(w, "verifier_key", e->verifier_key, sizeof e->verifier_key);
    }
    if (!price_is_none(e->reference)) json_key_price(w, "reference_price", e->reference);
    json_key_fixed(w, "paid", e->paid.v, 6);
    if (e->challenged_until.v != 0) json_key_ms(w, "challenged_until", e->challenged_until);
    flag_write(w, e->flags, HOUR_FLAG_MAKE_UP, "make_up");
    flag_write(w, e->flags, HOUR_FLAG_UNTAKEN, "failure_to_take");
    flag_write(w, e->flags, HOUR_FLAG_UNVERIFIED, "unverified");
    flag_write(w, e->flags, HOUR_FLAG_SHORT, "short");
    flag_write(w, e->flags, HOUR_FLAG_RESOLD, "resold");
}

void delivery_cash_write(struct json_writer *w, const struct event_delivery_cash *e)
{
    if (e->allocation != 0) json_key_int(w, "allocation", (int64_t)e->allocation);
    json_key_string(w, "reason", delivery_reason_words[e->reason % DELIVERY_REASON_count]);
    json_key_int(w, "amount", e->lots.v);
    work_write(w, "work", e->work);
    json_key_price(w, "price", e->price);
    if (!price_is_none(e->reference)) json_key_price(w, "reference_price", e->reference);
    json_key_fixed(w, "difference", e->difference.v, 6);
    json_key_fixed(w, "damages", e->damages.v, 6);
    json_key_ms(w, "timestamp", e->header.ts);
}

void tender_write(struct json_writer *w, const struct command_tender *t)
{
    json_key_int(w, "amount", t->lots.v);
    json_key_string(w, "grade", grade_words[t->grade % GRADE_count]);
    json_key_hex(w, "public_key", t->public_key, sizeof t->public_key);
    json_key_string(w, "endpoint", t->endpoint);
}

void intake_write(struct json_writer *w, const struct command_intake *t)
{
    if (t->withdraw != 0) json_key_bool(w, "withdrawn", true);
    json_key_string(w, "grade_minimum", grade_words[t->grade_minimum % GRADE_count]);
    json_key(w, "regions");
    json_open_array(w);
    for (uint32_t i = 0; i < t->region_count && i < DELIVERY_REGIONS_MAX; i++)
        json_string(w, t->regions[i]);
    json_close_array(w);
    json_key_hex(w, "public_key", t->public_key, sizeof t->public_key);
    json_key_string(w, "endpoint", t->endpoint);
}

/* ---- whole events ---- */

static void tender_event(struct json_writer *w, const struct event_tender *e,
                         const struct event_names *names)
{
    ID(account, e->account);
    ID(instrument, e->terms.instrument);
    json_key_int(w, "resource_id", e->terms.resource);
    if (e->withdrawn != 0) json_key_bool(w, "withdrawn", true);
    tender_write(w, &e->terms);
}

static void intake_event(struct json_writer *w, const struct event_intake *e,
                         const struct event_names *names)
{
    ID(account, e->account);
    ID(instrument, e->terms.instrument);
    intake_write(w, &e->terms);
}

static void allocation_event(struct json_writer *w, const struct event_allocation *e,
                             const struct event_names *names)
{
    ID(instrument, e->instrument);
    ID_AS("buyer", account, e->buyer);
    ID_AS("seller", account, e->seller);
    json_key_int(w, "resource_id", e->resource);
    allocation_write(w, e);
}

static void cash_event(struct json_writer *w, const struct event_delivery_cash *e,
                       const struct event_names *names)
{
    ID(instrument, e->instrument);
    ID_AS("buyer", account, e->buyer);
    ID_AS("seller", account, e->seller);
    ID_AS("at_fault", account, e->at_fault);
    delivery_cash_write(w, e);
}

bool event_json_delivery(struct json_writer *w, const struct event_header *event,
                         const struct event_names *names)
{
    const void *e = event;
    switch ((enum event_kind)event->kind) {
    case EVENT_tender: tender_event(w, e, names); return true;
    case EVENT_intake: intake_event(w, e, names); return true;
    case EVENT_notice:
        ID(instrument, ((const struct event_notice *)e)->instrument);
        notice_write(w, e);
        return true;
    case EVENT_allocation: allocation_event(w, e, names); return true;
    case EVENT_delivery_hour:
        ID(instrument, ((const struct event_delivery_hour *)e)->instrument);
        delivery_hour_write(w, e);
        return true;
    case EVENT_delivery_cash: cash_event(w, e, names); return true;
    default: return false;
    }
}
