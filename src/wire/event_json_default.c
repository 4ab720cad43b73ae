/* event_json_default.c: the events of the default fund and of defaults as JSON (event_json.h). */
#include "wire/event_json_default.h"

#include "base/time_text.h"
#include "wire/event_json_internal.h"
#include "wire/words.h"

static void time_write(struct json_writer *w, const char *key, ts_t ts)
{
    char text[TIME_TEXT_SIZE];
    if (ts.v == 0) return;
    time_format(text, ts);
    json_key_string(w, key, text);
}

void fund_settings_write(struct json_writer *w, const struct command_fund_set *s)
{
    json_key_fixed(w, "assessment_multiple", s->assessment_e6, 6);
    json_key_int(w, "assessment_days", s->assessment_days);
    json_key_int(w, "refill_days", s->refill_days);
    json_key_int(w, "bidders_min", s->bidders_min);
    json_key_fixed(w, "near", s->near_e6, 6);
    json_key_fixed(w, "far", s->far_e6, 6);
    json_key_fixed(w, "skin_minimum", s->skin_e6, 6);
    json_key_int(w, "porting_hours", s->porting_hours);
}

static void fund_write(struct json_writer *w, const struct event_fund *f)
{
    json_key_int(w, "date", f->date);
    json_key_fixed(w, "total", f->total.v, 6);
    json_key_fixed(w, "paid", f->paid.v, 6);
    json_key_fixed(w, "cover_2", f->cover2.v, 6);
    json_key_fixed(w, "capital", f->capital.v, 6);
    json_key_fixed(w, "skin_in_the_game", f->skin.v, 6);
    json_key_int(w, "members", f->members);
    json_key_int(w, "defaults_open", f->defaults_open);
    fund_settings_write(w, &f->settings);
}

static void share_write(struct json_writer *w, const struct event_fund_share *s,
                        const struct event_names *names)
{
    ID(member, s->member);
    ID(account, s->account);
    json_key_fixed(w, "share", s->due.v, 6);
    json_key_fixed(w, "paid", s->balance.v, 6);
    json_key_fixed(w, "call", s->call.v, 6);
    time_write(w, "call_deadline", s->call_deadline);
    json_key_fixed(w, "assessed", s->assessed.v, 6);
    json_key_fixed(w, "assessment", s->assessment.v, 6);
    time_write(w, "assessment_deadline", s->assessment_deadline);
    json_key_fixed(w, "cap", s->cap.v, 6);
    json_key_bool(w, "defaulted", s->defaulted != 0);
    json_key_int(w, "flags", s->flags);
}

static void default_write(struct json_writer *w, const struct event_default *d,
                          const struct event_names *names)
{
    static const char *const states[DEFAULT_STATUS_count] = {"none", "open", "closed"};
    ID(member, d->member);
    ID(account, d->account);
    json_key_string(w, "state", d->status < DEFAULT_STATUS_count ? states[d->status] : "");
    json_key_int(w, "layer", d->layer);
    json_key_int(w, "number", d->number);
    json_key_bool(w, "waiting", d->waiting != 0);
    json_key_fixed(w, "margin", d->margin.v, 6);
    json_key_fixed(w, "deficit", d->deficit.v, 6);
    json_key_fixed(w, "paid", d->paid.v, 6);
    json_key_fixed(w, "recovered", d->recovered.v, 6);
    time_write(w, "declared", d->declared);
    json_key_string(w, "reason", d->reason);
}

static void layer_write(struct json_writer *w, const struct event_default_layer *l,
                        const struct event_names *names)
{
    ID(member, l->member);
    json_key_string(w, "layer", l->layer < LAYER_count ? default_layer_words[l->layer] : "");
    json_key_int(w, "tier", l->tier);
    json_key_int(w, "payers", l->payers);
    json_key_fixed(w, "amount", l->amount.v, 6);
    json_key_fixed(w, "deficit", l->deficit.v, 6);
}

static void portfolio_write(struct json_writer *w, const struct event_portfolio *a,
                            const struct event_names *names)
{
    json_key_int(w, "auction", (int64_t)a->auction);
    ID(member, a->member);
    json_key_int(w, "status", a->status);
    json_key_int(w, "portions", a->portions);
    json_key_int(w, "awarded", a->awarded);
    json_key_int(w, "bidders", a->bidders);
    json_key_int(w, "bidders_min", a->bidders_min);
    json_key_int(w, "flags", a->flags);
    time_write(w, "deadline", a->deadline);
    json_key_fixed(w, "reserve", a->reserve.v, 6);
    json_key_fixed(w, "paid", a->paid.v, 6);
    if (a->worst.v != INT64_MIN) json_key_fixed(w, "worst", a->worst.v, 6);
}

bool event_json_default(struct json_writer *w, const struct event_header *event,
                        const struct event_names *names)
{
    const void *e = event;
    switch ((enum event_kind)event->kind) {
    case EVENT_fund: fund_write(w, e); return true;
    case EVENT_fund_share: share_write(w, e, names); return true;
    case EVENT_default: default_write(w, e, names); return true;
    case EVENT_default_layer: layer_write(w, e, names); return true;
    case EVENT_portfolio: portfolio_write(w, e, names); return true;
    case EVENT_close_out: {
        const struct event_close_out *x = e;
        ID(account, x->account);
        ID(member, x->member);
        json_key_bool(w, "over", x->over != 0);
        json_key_int(w, "slices", x->slices);
        json_key_fixed(w, "cash", x->cash.v, 6);
        json_key_fixed(w, "shortfall", x->shortfall.v, 6);
        json_key_string(w, "reason", x->reason);
        return true;
    }
    case EVENT_portfolio_bid: {
        const struct event_portfolio_bid *b = e;
        json_key_int(w, "auction", (int64_t)b->auction);
        json_key_int(w, "bid", (int64_t)b->bid);
        ID(account, b->account);
        ID(member, b->member);
        json_key_int(w, "portions", b->portions);
        json_key_int(w, "awarded", b->awarded);
        json_key_fixed(w, "price", b->price.v, 6);
        json_key_fixed(w, "paid", b->paid.v, 6);
        if (b->refused != REJECT_none) {
            json_key_string(w, "refused", reject_text((enum reject)b->refused)->name);
        }
        return true;
    }
    default: return false;
    }
}
