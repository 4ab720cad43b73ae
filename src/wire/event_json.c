/* event_json.c: see event_json.h. Every field of an event that carries something is written. */
#include "wire/event_json_internal.h"

#include "base/time_text.h"
#include "msg/reject.h"
#include "wire/words.h"

void event_json_id(struct json_writer *w, const char *key, uint32_t id,
                   const struct event_names *names,
                   const char *(*name)(void *context, uint32_t id))
{
    if (id == 0) return;
    const char *text = name == NULL ? "" : name(names->context, id);
    if (text[0] == 0) json_key_int(w, key, id);
    else json_key_string(w, key, text);
}

static const char *const cause_names[CAUSE_count] = {
    [CAUSE_new] = "new",
    [CAUSE_edited] = "edited",
    [CAUSE_filled] = "filled",
    [CAUSE_triggered] = "triggered",
    [CAUSE_refreshed] = "refreshed",
    [CAUSE_repriced] = "repriced",
    [CAUSE_cut] = "cut",
    [CAUSE_decremented] = "decremented",
    [CAUSE_cancelled_by_user] = "cancelled_by_user",
    [CAUSE_cancelled_by_officer] = "cancelled_by_officer",
    [CAUSE_cancelled_remainder] = "cancelled_remainder",
    [CAUSE_cancelled_self_match] = "cancelled_self_match",
    [CAUSE_cancelled_expired] = "cancelled_expired",
    [CAUSE_cancelled_disconnect] = "cancelled_disconnect",
    [CAUSE_cancelled_killed] = "cancelled_killed",
    [CAUSE_cancelled_reduce_only] = "cancelled_reduce_only",
    [CAUSE_cancelled_linked] = "cancelled_linked",
    [CAUSE_cancelled_margin] = "cancelled_margin",
    [CAUSE_cancelled_limit] = "cancelled_limit",
    [CAUSE_cancelled_quote] = "cancelled_quote",
    [CAUSE_cancelled_guard] = "cancelled_guard",
    [CAUSE_cancelled_position_limit] = "cancelled_position_limit",
    [CAUSE_answer] = "answer",
};

/* The name of a value, or its number where it has none. */
static void word_write(struct json_writer *w, const char *key, uint32_t value,
                       const char *const *words, uint32_t count)
{
    if (value < count && words[value] != NULL) json_key_string(w, key, words[value]);
    else json_key_int(w, key, value);
}

static void order_write(struct json_writer *w, const struct event_order *o,
                        const struct event_names *names)
{
    json_key(w, "order_id");
    json_uint_text(w, o->order_id);
    ID(account, o->account);
    ID(instrument, o->instrument);
    json_key_string(w, "state", o->state < ORDER_STATE_count ? order_state_words[o->state] : "");
    word_write(w, "cause", o->cause, cause_names, CAUSE_count);
    json_key_string(w, "direction", o->side == SIDE_buy ? "buy" : "sell");
    word_write(w, "type", o->type, order_type_words, ORDER_TYPE_count);
    word_write(w, "time_in_force", o->tif, tif_words, TIF_count);
    json_key_int(w, "flags", o->flags);
    json_key_price(w, "price", o->price);
    if (!price_is_none(o->trigger)) json_key_price(w, "trigger", o->trigger);
    json_key_int(w, "amount", o->qty.v);
    json_key_int(w, "filled", o->filled.v);
    json_key_int(w, "left", o->left.v);
    json_key_int(w, "shown", o->shown.v);
    if (o->smp_id != 0) {
        json_key(w, "smp_id");
        json_uint_text(w, o->smp_id);
    }
    if (o->linked_id != 0) {
        json_key(w, "linked_id");
        json_uint_text(w, o->linked_id);
    }
}

static void trade_write(struct json_writer *w, const struct event_trade *t,
                        const struct event_names *names)
{
    json_key(w, "trade_id");
    json_uint_text(w, t->trade_id);
    json_key_int(w, "trade_seq", (int64_t)t->instrument_seq);
    ID(instrument, t->instrument);
    json_key_string(w, "match_type", t->kind < TRADE_count ? trade_kind_words[t->kind] : "");
    json_key_string(w, "direction", t->aggressor_side == SIDE_buy ? "buy" : "sell");
    json_key_price(w, "price", t->price);
    json_key_int(w, "amount", t->qty.v);
    if (t->reference != 0) json_key_int(w, "reference", t->reference);
    for (int side = SIDE_buy; side <= SIDE_sell; side++) {
        json_key(w, side == SIDE_buy ? "buy" : "sell");
        json_open_object(w);
        ID(account, t->account[side]);
        json_key(w, "order_id");
        json_uint_text(w, t->order_id[side]);
        json_key_bool(w, "maker", t->maker[side] != 0);
        json_key_fixed(w, "fee", t->fee[side].v, 6);
        json_close_object(w);
    }
}

static void posting_write(struct json_writer *w, const struct event_posting *p,
                          const struct event_names *names)
{
    int scale = asset_scale(p->asset);
    json_key_int(w, "posting_id", (int64_t)p->posting_id);
    json_key_int(w, "chain_id", (int64_t)p->chain_id);
    ID(account, p->account);
    if (p->asset > ASSET_INSTRUMENT)
        ID_AS("asset", instrument, p->asset - ASSET_INSTRUMENT);
    else ID(asset, p->asset);
    ID(instrument, p->instrument);
    json_key_string(w, "code", posting_code_name(p->code));
    word_write(w, "phase", p->phase, posting_phase_words, 3);
    json_key_fixed(w, "amount", p->amount, scale);
    json_key_fixed(w, "balance", p->balance, scale);
    json_key(w, "reference");
    json_uint_text(w, p->reference);
}

static void level_write(struct json_writer *w, const struct event_level *l,
                        const struct event_names *names)
{
    ID(instrument, l->instrument);
    json_key_string(w, "side", l->side == SIDE_buy ? "buy" : "sell");
    json_key_price(w, "price", l->price);
    json_key_int(w, "amount", l->shown.v);
    json_key_int(w, "implied", l->implied.v);
    json_key_int(w, "orders", l->orders);
}

static void reject_write(struct json_writer *w, const struct event_reject *e,
                         const struct event_names *names)
{
    bool known = e->reason > REJECT_none && e->reason < REJECT_count;
    json_key_string(w, "reason", known ? reject_text((enum reject)e->reason)->name : "");
    json_key_string(w, "command",
                    e->command < COMMAND_kind_count
                        ? command_kind_name((enum command_kind)e->command)
                        : "");
    ID(account, e->account);
    ID(instrument, e->instrument);
    json_key_int(w, "entry", e->entry);
    json_key(w, "order_id");
    json_uint_text(w, e->order_id);
    if (e->detail != INT64_MIN) json_key_int(w, "detail", e->detail);
}

static void state_write(struct json_writer *w, const struct event_state *s,
                        const struct event_names *names)
{
    ID(product, s->product);
    ID(instrument, s->instrument);
    json_key_string(w, "state", s->state < STATE_count ? trading_state_words[s->state] : "");
    json_key_string(w, "before", s->before < STATE_count ? trading_state_words[s->before] : "");
    json_key_string(w, "reason", s->reason);
}

static void account_write(struct json_writer *w, const struct event_account *a,
                          const struct event_names *names)
{
    json_key_int(w, "id", a->id);
    json_key_string(w, "account", a->name);
    ID(member, a->member);
    json_key_int(w, "mode", a->mode);
    json_key_int(w, "origin", a->origin);
    json_key_bool(w, "killed", a->killed != 0);
    json_key_bool(w, "system", a->system != 0);
    json_key_fixed(w, "cash", a->cash.v, 6);
    json_key_fixed(w, "initial_margin", a->initial_margin.v, 6);
}

static void instrument_write(struct json_writer *w, const struct event_instrument *i,
                             const struct event_names *names)
{
    char text[TIME_TEXT_SIZE];
    json_key_int(w, "id", i->id);
    json_key_string(w, "instrument", i->name);
    ID(product, i->product);
    json_key_int(w, "hours", i->hours);
    json_key_bool(w, "is_spread", i->is_spread != 0);
    json_key_bool(w, "expired", i->expired != 0);
    time_format(text, i->expires_at);
    json_key_string(w, "expires_at", text);
    json_key_price(w, "tick_size", i->tick);
    json_key_fixed(w, "contract_size", i->contract_size, 6);
}

static void position_write(struct json_writer *w, const struct event_position *p,
                           const struct event_names *names)
{
    ID(account, p->account);
    ID(instrument, p->instrument);
    json_key_int(w, "size", p->qty.v);
    json_key_price(w, "average_price", p->average_price);
    json_key_price(w, "mark", p->mark);
    json_key_fixed(w, "unrealised", p->unrealised.v, 6);
    json_key_fixed(w, "realised", p->realised.v, 6);
    json_key_fixed(w, "initial_margin", p->initial_margin.v, 6);
}

static void request_write(struct json_writer *w, const struct event_request *r,
                          const struct event_names *names)
{
    json_key_int(w, "request", (int64_t)r->request_id);
    json_key_int(w, "command", r->command);
    json_key_int(w, "status", r->status);
    json_key_int(w, "principal", r->principal);
    json_key_int(w, "confirmer", r->confirmer);
    ID(account, r->account);
    ID(asset, r->asset);
    json_key_fixed(w, "amount", r->amount, asset_scale(r->asset));
    json_key_int(w, "refused", r->refused);
    json_key_string(w, "reason", r->reason);
}

static void call_write(struct json_writer *w, const struct event_call *e,
                       const struct event_names *names)
{
    json_key_int(w, "call", (int64_t)e->id);
    ID(account, e->account);
    ID(member, e->member);
    word_write(w, "state", e->state, call_state_words, CALL_state_count);
    json_key_fixed(w, "amount", e->called.v, 6);
    json_key_fixed(w, "missing", e->missing.v, 6);
    json_key_fixed(w, "equity", e->equity.v, 6);
    json_key_fixed(w, "credit", e->credit.v, 6);
    json_key_fixed(w, "requirement", e->requirement.v, 6);
    json_key_fixed(w, "maintenance", e->maintenance.v, 6);
    json_key_ms(w, "deadline", e->deadline);
    json_key_int(w, "slices", e->slices);
}

static void standing_write(struct json_writer *w, const struct event_standing *e,
                           const struct event_names *names)
{
    json_key_int(w, "mark", (int64_t)e->mark_id);
    ID(account, e->account);
    ID(member, e->member);
    json_key_fixed(w, "cash", e->cash.v, 6);
    json_key_fixed(w, "pending", e->pending.v, 6);
    json_key_fixed(w, "unsettled", e->unsettled.v, 6);
    json_key_fixed(w, "equity", e->equity.v, 6);
    json_key_fixed(w, "credit", e->credit.v, 6);
    json_key_fixed(w, "requirement", e->initial.v, 6);
    json_key_fixed(w, "maintenance", e->maintenance.v, 6);
    json_key_fixed(w, "missing", e->missing.v, 6);
    json_key_int(w, "call", (int64_t)e->call);
}

static void slice_write(struct json_writer *w, const struct event_slice *e,
                        const struct event_names *names)
{
    json_key_int(w, "call", (int64_t)e->call);
    ID(account, e->account);
    ID(instrument, e->instrument);
    json_key_int(w, "number", e->number);
    word_write(w, "result", e->result, slice_result_words, SLICE_result_count);
    if (e->reason != REJECT_none)
        json_key_string(w, "reason", reject_text((enum reject)e->reason)->name);
    json_key_string(w, "direction", e->side == SIDE_buy ? "buy" : "sell");
    json_key_int(w, "position", e->before.v);
    json_key_int(w, "amount", e->asked.v);
    json_key_int(w, "filled", e->filled.v);
    json_key_price(w, "limit", e->limit);
}

static void collateral_write(struct json_writer *w, const struct event_collateral *e,
                             const struct event_names *names)
{
    json_key_string(w, "asset", e->terms.name);
    ID(instrument, e->terms.instrument);
    json_key_price(w, "price", e->terms.price);
    json_key_fixed(w, "haircut", e->terms.haircut_e6, 6);
    json_key_string(w, "source", e->terms.source);
    json_key_fixed(w, "issued", e->issued, 9);
    json_key_fixed(w, "pledged", e->pledged, 9);
}

static void port_write(struct json_writer *w, const struct event_port *e,
                       const struct event_names *names)
{
    ID(account, e->account);
    ID_AS("from", member, e->from);
    ID_AS("to", member, e->to);
    word_write(w, "state", e->state, port_state_words, PORT_state_count);
    json_key_int(w, "positions", e->positions);
    json_key_int(w, "orders_cancelled", e->orders);
    json_key_fixed(w, "cash", e->cash.v, 6);
}

static void clearing_write(struct json_writer *w, const struct event_clearing *e)
{
    const struct clearing_settings *s = &e->settings;
    json_key_int(w, "call_ns", s->call_ns);
    json_key_int(w, "slice_ns", s->slice_ns);
    json_key_fixed(w, "slice_share", s->slice_share_e6, 6);
    json_key_int(w, "slice_lots_max", s->slice_lots_max);
    json_key_int(w, "slices_per_day", s->slices_per_day);
    json_key_fixed(w, "slice_width", s->slice_width_e6, 6);
    json_key_int(w, "slice_width_ticks", s->slice_width_ticks);
    json_key_fixed(w, "maintenance_share", s->maintenance_e6, 6);
    json_key_fixed(w, "collateral_cap", s->collateral_cap_e6, 6);
    json_key_string(w, "reason", e->reason);
}

static void margin_write(struct json_writer *w, const struct event_header *h,
                         const struct event_names *names)
{
    const void *e = h;
    switch ((enum event_kind)h->kind) {
    case EVENT_margin_terms: {
        const struct event_margin_terms *m = e;
        json_key_string(w, "group", m->terms.group);
        json_key_int(w, "accounts", m->accounts);
        json_key_string(w, "source", m->terms.source);
        json_key_string(w, "reason", m->terms.reason);
        break;
    }
    case EVENT_margin_flat: {
        const struct event_margin_flat *m = e;
        ID(product, m->product);
        json_key_fixed(w, "before", m->before.v, 6);
        json_key_fixed(w, "flat_margin", m->flat_margin.v, 6);
        json_key_string(w, "source", m->source);
        json_key_string(w, "reason", m->reason);
        break;
    }
    case EVENT_margin_inter: {
        const struct event_margin_inter *m = e;
        json_key_int(w, "credits", m->table.count);
        json_key_fixed(w, "offset_max", m->table.offset_e6, 6);
        json_key_string(w, "reason", m->table.reason);
        break;
    }
    case EVENT_margin_run: {
        const struct event_margin_run *m = e;
        json_key_int(w, "run", (int64_t)m->run);
        json_key_int(w, "phase", m->phase);
        json_key_int(w, "accounts", m->count);
        break;
    }
    default: break;
    }
}

static void halt_write(struct json_writer *w, const struct event_halt *h,
                       const struct event_names *names)
{
    json_key_int(w, "halt", (int64_t)h->id);
    ID(product, h->product);
    if (h->instrument != 0) ID(instrument, h->instrument);
    json_key_int(w, "rule", h->rule);
    json_key_int(w, "phase", h->phase);
    json_key_int(w, "step", h->step);
    if (h->cause != 0) json_key_int(w, "cause", h->cause);
    json_key_price(w, "price", h->price);
    json_key_price(w, "limit", h->limit);
    json_key_ms(w, "until", h->until);
    json_key_string(w, "reason", h->reason);
}

static void guards_write(struct json_writer *w, const struct event_guards *e,
                         const struct event_names *names)
{
    ID(product, e->product);
    json_key_int(w, "given", e->given);
    json_key_int(w, "loosened", e->loosened);
    json_key_int(w, "principal", e->principal);
    json_key_int(w, "confirmer", e->confirmer);
    json_key_string(w, "reason", e->reason);
}

/* The small ones. */
static void other_write(struct json_writer *w, const struct event_header *h,
                        const struct event_names *names)
{
    const void *e = h;
    switch ((enum event_kind)h->kind) {
    case EVENT_order_text: {
        const struct event_order_text *t = e;
        json_key(w, "order_id");
        json_uint_text(w, t->order_id);
        json_key_string(w, "client_order_id", t->client_order_id);
        json_key_string(w, "label", t->label);
        break;
    }
    case EVENT_auction: {
        const struct event_auction *a = e;
        ID(instrument, a->instrument);
        json_key_bool(w, "final", a->final != 0);
        json_key_price(w, "price", a->price);
        json_key_int(w, "amount", a->qty.v);
        json_key_int(w, "surplus", a->surplus.v);
        break;
    }
    case EVENT_killed: {
        const struct event_killed *k = e;
        ID(account, k->account);
        ID(member, k->member);
        json_key_bool(w, "on", k->on != 0);
        break;
    }
    case EVENT_balance: {
        const struct event_balance *b = e;
        ID(account, b->account);
        ID(asset, b->asset);
        json_key_fixed(w, "balance", b->balance, asset_scale(b->asset));
        json_key_fixed(w, "pending_out", b->pending_out, asset_scale(b->asset));
        json_key_fixed(w, "pledged", b->pledged, asset_scale(b->asset));
        break;
    }
    default: break;
    }
}

static void deal_write(struct json_writer *w, const struct event_header *h,
                       const struct event_names *names)
{
    if (h->kind == EVENT_block) {
        const struct deal *d = &((const struct event_block *)(const void *)h)->deal;
        json_key_int(w, "block_id", (int64_t)d->id);
        word_write(w, "state", d->state, deal_state_words, DEAL_STATE_count);
        ID(instrument, d->instrument);
        ID(account, d->account);
        ID_AS("counterparty", account, d->counterparty);
        json_key_string(w, "direction", d->side == SIDE_buy ? "buy" : "sell");
        json_key_price(w, "price", d->price);
        json_key_int(w, "amount", d->qty.v);
        json_key_string(w, "reference", d->reference);
        return;
    }
    const struct event_trade_bust *b = (const struct event_trade_bust *)(const void *)h;
    json_key(w, "trade_id");
    json_uint_text(w, b->trade_id);
    ID(instrument, b->instrument);
    json_key_bool(w, "adjusted", b->adjusted != 0);
    json_key_price(w, "price", b->price);
    json_key_int(w, "amount", b->qty.v);
    json_key_price(w, "adjusted_price", b->adjusted_price);
    json_key_string(w, "reason", b->reason);
}

static void limit_write(struct json_writer *w, const struct event_header *h,
                        const struct event_names *names)
{
    const void *e = h;
    if (h->kind == EVENT_holding) {
        const struct event_holding *x = e;
        json_key_string(w, "owner", x->owner);
        ID(product, x->product);
        json_key_string(w, "period", x->period);
        json_key_fixed(w, "size", x->net, 3);
        json_key_int(w, "accountability", x->level);
        ID_AS("account", account, x->alert_account);
    } else if (h->kind == EVENT_owner) {
        const struct event_owner *x = e;
        ID(account, x->account);
        json_key_string(w, "owner", x->owner);
        json_key_string(w, "reason", x->reason);
    } else if (h->kind == EVENT_supply) {
        const struct event_supply *x = e;
        ID(product, x->product);
        ID(instrument, x->instrument);
        json_key_int(w, "amount", x->amount.v);
        json_key_string(w, "reason", x->reason);
    } else {
        const struct event_exemption *x = e;
        json_key_int(w, "exemption", (int64_t)x->record.id);
        json_key_bool(w, "ended", x->ended != 0);
        json_key_string(w, "owner", x->record.owner_name);
        ID(product, x->record.product);
        json_key_int(w, "amount", x->record.amount.v);
        json_key_string(w, "reason", x->record.reason);
    }
}

static void name_write(struct json_writer *w, const struct event_header *h)
{
    const void *e = h;
    switch ((enum event_kind)h->kind) {
    case EVENT_asset:
        json_key_int(w, "id", ((const struct event_asset *)e)->id);
        json_key_string(w, "asset", ((const struct event_asset *)e)->name);
        break;
    case EVENT_member:
        json_key_int(w, "id", ((const struct event_member *)e)->id);
        json_key_string(w, "member", ((const struct event_member *)e)->name);
        break;
    case EVENT_product:
        json_key_int(w, "id", ((const struct event_product *)e)->id);
        json_key_string(w, "product", ((const struct event_product *)e)->terms.name);
        json_key_price(w, "tick_size", ((const struct event_product *)e)->terms.tick);
        break;
    case EVENT_count:
        json_key_int(w, "count", (int64_t)((const struct event_count *)e)->count);
        break;
    case EVENT_hash:
        json_key(w, "hash");
        json_uint_text(w, ((const struct event_hash *)e)->hash);
        break;
    case EVENT_venue:
        json_key_int(w, "dual_transfers",
                     ((const struct event_venue *)e)->settings.dual_transfers);
        json_key_int(w, "stale_ns", ((const struct event_venue *)e)->settings.stale_ns);
        json_key_string(w, "reason", ((const struct event_venue *)e)->reason);
        break;
    default: break;
    }
}

void event_json_write(struct json_writer *w, const struct event_header *event,
                      const struct event_names *names)
{
    const void *e = event;
    char text[TIME_TEXT_SIZE];
    json_open_object(w);
    json_key_string(w, "event",
                    event->kind < EVENT_kind_count ? event_kind_name((enum event_kind)event->kind)
                                                   : "");
    json_key_int(w, "seq", (int64_t)event->seq);
    json_key_int(w, "index", event->index);
    time_format(text, event->ts);
    json_key_string(w, "time", text);
    if (event->flags & EVENT_FLAG_REPEAT) json_key_bool(w, "repeat", true);
    switch ((enum event_kind)event->kind) {
    case EVENT_order: order_write(w, e, names); break;
    case EVENT_trade: trade_write(w, e, names); break;
    case EVENT_posting: posting_write(w, e, names); break;
    case EVENT_level: level_write(w, e, names); break;
    case EVENT_reject: reject_write(w, e, names); break;
    case EVENT_state: state_write(w, e, names); break;
    case EVENT_account: account_write(w, e, names); break;
    case EVENT_instrument: instrument_write(w, e, names); break;
    case EVENT_position: position_write(w, e, names); break;
    case EVENT_request: request_write(w, e, names); break;
    case EVENT_call: call_write(w, e, names); break;
    case EVENT_standing: standing_write(w, e, names); break;
    case EVENT_slice: slice_write(w, e, names); break;
    case EVENT_collateral: collateral_write(w, e, names); break;
    case EVENT_port: port_write(w, e, names); break;
    case EVENT_clearing: clearing_write(w, e); break;
    case EVENT_halt: halt_write(w, e, names); break;
    case EVENT_guards: guards_write(w, e, names); break;
    case EVENT_order_text:
    case EVENT_auction:
    case EVENT_killed:
    case EVENT_balance: other_write(w, event, names); break;
    case EVENT_block:
    case EVENT_trade_bust: deal_write(w, event, names); break;
    case EVENT_holding:
    case EVENT_owner:
    case EVENT_supply:
    case EVENT_exemption: limit_write(w, event, names); break;
    case EVENT_margin_terms:
    case EVENT_margin_flat:
    case EVENT_margin_inter:
    case EVENT_margin_run: margin_write(w, event, names); break;
    default:
        if (!event_json_default(w, event, names) &&
            !event_json_settlement(w, event, names) && !event_json_spot(w, event, names) &&
            !event_json_compute(w, event, names) && !event_json_delivery(w, event, names))
            name_write(w, event);
        break;
    }
    json_close_object(w);
}
