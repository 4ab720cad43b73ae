/* hash.c: one number for the whole state.
 *
 * What is hashed is what matters to the future: not list links, pool indices or free lists, but the
 * orders, where they stand in their queues, and all records. Source: XXH3 (xxhash.com), 64 bits.
 */
#include "core/index_spot.h"
#include "core/settlement.h"
#include "core/span.h"
#include "core/standing.h"
#include "core/token.h"
#include "core/default.h"
#include "core/delivery.h"
#include "core/state.h"
#include "core/spot.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static void add(XXH3_state_t *h, const void *bytes, size_t size)
{
    (void)XXH3_64bits_update(h, bytes, size);
}

static void add_to(void *h, const void *bytes, size_t size) { add(h, bytes, size); }
static void add_u64(XXH3_state_t *h, uint64_t v) { add(h, &v, sizeof v); }

static void hash_order(XXH3_state_t *h, const struct core *c, uint32_t o)
{
    const struct order *order = order_at(c, o);
    const struct order_info *i = &c->info[o];
    add_u64(h, order->id);
    add(h, &order->px, sizeof order->px + sizeof order->left + sizeof order->shown);
    uint32_t words[4] = {order->account, order->instrument, order->flags,
                         (uint32_t)(order->side | order->type << 8 | order->tif << 16 |
                                    order->state << 24)};
    add(h, words, sizeof words);
    int64_t numbers[12] = {i->qty.v, i->filled.v, (int64_t)i->notional,
                           (int64_t)(i->notional >> 64), i->created.v, i->modified.v,
                           i->max_show.v, i->min_qty.v, i->limit_px.v, i->trigger_px.v,
                           i->offset, i->expires_at.v};
    add(h, numbers, sizeof numbers);
    add_u64(h, i->smp_id);
    add_u64(h, (uint64_t)i->smp_mode | (uint64_t)i->peg << 8 | (uint64_t)i->link_type << 16 |
                   (uint64_t)i->fill_condition << 24 | (uint64_t)i->session << 32);
    if (order->flags & ORDER_BIT_TEXT) add(h, &c->texts[o], sizeof c->texts[o]);
}

static void hash_book(XXH3_state_t *h, const struct core *c, const struct book *b)
{
    for (int side = 0; side < 2; side++) {
        for (uint32_t l = b->side[side].best; l != NIL; l = c->pools.levels[l].worse) {
            add_u64(h, (uint64_t)c->pools.levels[l].px.v);
            for (uint32_t o = c->pools.levels[l].first; o != NIL; o = order_at(c, o)->next)
                add_u64(h, order_at(c, o)->id);
        }
        add_u64(h, UINT64_MAX);
    }
}

static void hash_instrument(XXH3_state_t *h, const struct core *c, uint32_t i)
{
    const struct instrument *in = &c->instruments[i];
    hash_book(h, c, &in->book);
    hash_book(h, c, &in->stops);
    hash_book(h, c, &in->takes);
    int64_t numbers[14] = {in->product, in->tick.v, in->last.v, in->session_last.v,
                           in->settlement.v, (int64_t)in->trade_seq, in->day, in->volume.v,
                           in->open.v, in->high.v, in->low.v, in->open_interest.v,
                           (int64_t)(in->top[0] ? order_at(c, in->top[0])->id : 0),
                           (int64_t)(in->top[1] ? order_at(c, in->top[1])->id : 0)};
    add(h, numbers, sizeof numbers);
    const struct window *w = &c->windows[i];
    int64_t settled[14] = {in->window_open, in->expiry_due, in->settlement_day,
                           in->settlement_before.v, (int64_t)in->settlement_id,
                           in->settlement_tier, in->settlement_cycle, w->open, w->close, w->qty,
                           w->trades, (int64_t)w->value, (int64_t)(w->value >> 64), 0};
    add(h, settled, sizeof settled);
    add_u64(h, in->own_state);
    add_u64(h, in->spot);
    add(h, in->cascaded_from, sizeof in->cascaded_from);
    if (product_of(c, i)->terms.flags & PRODUCT_FLAG_GUARDED)
        add(h, &c->guards[i], sizeof c->guards[i]);
    add(h, (const unsigned char *)&in->terms + sizeof in->terms.header,
        sizeof in->terms - sizeof in->terms.header);
}

static void hash_accounts(XXH3_state_t *h, const struct core *c)
{
    add(h, c->members, ((size_t)c->s->members + 1) * sizeof *c->members);
    for (uint32_t i = 1; i <= c->s->accounts; i++) {
        const struct account *a = &c->accounts[i];
        add(h, a->name, sizeof a->name);
        int64_t numbers[9] = {a->member,
                              a->mode | a->origin << 8 | a->killed << 16 |
                                  (int64_t)a->status << 24,
                              a->order_count, a->requirement.v, a->fees_paid.v, a->month_lots.v,
                              a->month_number, a->credit.v, a->port_to};
        add(h, numbers, sizeof numbers);
    }
    for (uint32_t i = 1; i <= c->s->balances; i++) {
        const struct balance *b = &c->balances[i];
        if (b->account == NIL) continue;
        int64_t numbers[5] = {b->account, b->asset, b->amount, b->pending_out, b->pledged};
        add(h, numbers, sizeof numbers);
    }
    for (uint32_t i = 1; i <= c->s->exposures; i++) {
        const struct exposure *x = &c->exposures[i];
        int64_t numbers[14] = {x->account, x->instrument, x->position, (int64_t)x->cost,
                               (int64_t)(x->cost >> 64), (int64_t)x->entry_cost,
                               (int64_t)(x->entry_cost >> 64), x->open_buys, x->open_sells,
                               (int64_t)x->buy_value, x->requirement.v, x->realised.v,
                               x->reduce_only, x->cover};
        add(h, numbers, sizeof numbers);
    }
}

static void hash_limits(XXH3_state_t *h, const struct core *c)
{
    const struct limits *m = &c->limit;
    add(h, m->s, sizeof *m->s);
    add_u64(h, c->s->limit_sweep);
    add(h, m->owners, ((size_t)m->s->owners + 1) * sizeof *m->owners);
    add(h, m->account_owner, ((size_t)c->s->accounts + 1) * sizeof *m->account_owner);
    add(h, m->groups, ((size_t)c->s->products + 1) * sizeof *m->groups);
    add(h, m->buckets, ((size_t)m->s->buckets + 1) * sizeof *m->buckets);
    add(h, m->maps, ((size_t)c->s->instruments + 1) * sizeof *m->maps);
    for (uint32_t i = 1; i <= m->s->holdings; i++) {
        const struct limit_holding *x = &m->holdings[i];
        add(h, &x->net, 3 * sizeof x->net);
        uint32_t words[4] = {x->owner, x->bucket, x->links, x->alerted};
        add(h, words, sizeof words);
    }
    for (uint32_t i = 0; i < m->record_count; i++) {
        if (m->records[i].id != 0) add(h, &m->records[i], sizeof m->records[i]);
    }
}

static void hash_collateral(XXH3_state_t *h, const struct core *c)
{
    add(h, &c->s->clearing, sizeof c->s->clearing);
    add_u64(h, c->s->call_id);
    add_u64(h, c->s->record_id);
    for (uint32_t i = ASSET_USD + 1; i <= c->s->assets; i++)
        add(h, &c->assets[i], sizeof c->assets[i]);
    for (uint32_t i = 1; i <= c->s->accounts; i++) {
        struct margin_call call = c->calls[i];
        call.place = call.place != 0;
        if (call.id != 0) add(h, &call, sizeof call);
    }
}

/* Sums follow from positions and orders; what does not is hashed. */
static void hash_span(XXH3_state_t *h, const struct core *c)
{
    const struct span_venue *v = c->span_venue;
    add(h, &v->table, sizeof v->table);
    uint64_t run[6] = {v->run, v->committed, (uint64_t)v->begun.v, (uint64_t)v->until.v, v->open,
                       v->results};
    add(h, run, sizeof run);
    for (uint32_t g = 1; g <= v->groups; g++)
        add(h, &c->span_groups[g].terms, sizeof c->span_groups[g].terms);
    for (uint32_t i = 1; i <= c->s->accounts; i++) {
        const struct span_account *a = &c->span_accounts[i];
        if (a->run == 0 && a->staged_run == 0) continue;
        uint64_t words[5] = {i, a->run, a->staged_run, a->staged, (uint64_t)a->staged_span};
        add(h, words, sizeof words);
        add(h, &a->result, sizeof a->result);
        add_u64(h, (uint64_t)a->span_at_run);
        if (a->staged != 0) add(h, &a->staged_result, sizeof a->staged_result);
    }
}

static void hash_index(XXH3_state_t *h, const struct core *c, uint32_t i)
{
    const struct index *x = &c->indices[i];
    uint32_t kept = c->limits.index_hours, inputs = index_input_hours(&c->limits);
    add(h, x, sizeof *x);
    add(h, &c->index_hours[(size_t)i * kept], kept * sizeof *c->index_hours);
    add(h, &c->index_inputs[(size_t)i * inputs * INDEX_SOURCES_MAX],
        (size_t)inputs * INDEX_SOURCES_MAX * sizeof *c->index_inputs);
    add(h, &c->index_spot.hours[(size_t)i * inputs], inputs * sizeof *c->index_spot.hours);
}

/* Places in the pool are not hashed; the order of a list is that of the commands. */
static void hash_index_spot(XXH3_state_t *h, const struct core *c)
{
    const struct index_spot *m = &c->index_spot;
    add_u64(h, m->s->input_id);
    for (uint32_t i = 1; i <= c->s->instruments; i++) {
        if (m->tallies[i].unkept != 0) add_u64(h, (uint64_t)m->tallies[i].unkept);
        for (uint32_t at = m->tallies[i].first; at != NIL; at = m->pairs[at].next) {
            struct index_pair pair = m->pairs[at];
            pair.next = NIL;
            add(h, &pair, sizeof pair);
        }
    }
}

uint64_t core_hash(const struct core *c)
{
    const struct venue_state *s = c->s;
    XXH3_state_t h;
    XXH3_INITSTATE(&h);
    (void)XXH3_64bits_reset(&h);
    uint64_t counters[] = {s->seq, (uint64_t)s->ts.v, (uint64_t)s->day, s->order_serial,
                           s->trade_id, s->posting_id, s->chain_id, s->settlement_id,
                           s->request_id, s->halt_id, s->answer_bytes_used, s->assets, s->members,
                           s->accounts, s->products, s->instruments, s->orders_live,
                           s->timers, s->elections_count, s->implied_sweep, s->client_ids};
    add(&h, counters, sizeof counters);
    add(&h, &s->settings, sizeof s->settings);
    uint64_t clearing[] = {s->settlement_source_id, s->mark_id, (uint64_t)s->mark_due,
                           (uint64_t)s->schedule_due, s->indices};
    add(&h, clearing, sizeof clearing);
    for (uint32_t i = 1; i <= s->indices; i++) hash_index(&h, c, i);
    hash_index_spot(&h, c);
    hash_accounts(&h, c);
    hash_collateral(&h, c);
    for (uint32_t i = 1; i <= s->products; i++) {
        add(&h, &c->products[i].terms, sizeof c->products[i].terms);
        add_u64(&h, c->products[i].state);
        add_u64(&h, (uint64_t)c->products[i].settle_due);
        add_u64(&h, (uint64_t)c->products[i].spot_due);
        add(&h, &c->products[i].interruption, sizeof c->products[i].interruption);
    }
    for (uint32_t i = 1; i <= s->instruments; i++) hash_instrument(&h, c, i);
    for (uint32_t o = 1; o <= s->orders_used; o++) {
        uint8_t state = order_at(c, o)->state;
        if (state == ORDER_STATE_open || state == ORDER_STATE_untriggered) hash_order(&h, c, o);
    }
    for (uint32_t i = 0; i < s->elections_count; i++)
        add_u64(&h, order_at(c, c->elections[(s->elections_first + i) %
                                             order_slots(&c->limits)])->id);
    for (uint32_t i = 1; i <= s->client_ids; i++)
        add(&h, &c->client_ids[i], sizeof c->client_ids[i]);
    default_hash(c, add_to, &h);
    spot_hash(c, add_to, &h);
    standing_hash(c, add_to, &h);
    certify_hash(c, add_to, &h);
    token_hash(c, add_to, &h);
    delivery_hash(c, add_to, &h);
    add(&h, c->answers, s->answer_bytes_used);
    hash_span(&h, c);
    for (uint32_t i = 0; i < c->limits.requests; i++) {
        if (c->requests[i].id != 0)
            add(&h, &c->requests[i], offsetof(struct pending_request, bytes) +
                                         c->requests[i].header.size);
    }
    hash_limits(&h, c);
    add(&h, c->deal.s, sizeof *c->deal.s);
    for (uint32_t i = 0; i < c->deal.count; i++) {
        if (c->deal.deals[i].id != 0) add(&h, &c->deal.deals[i], sizeof c->deal.deals[i]);
    }
    add(&h, c->marks, ((size_t)s->instruments + 1) * sizeof *c->marks);
    return XXH3_64bits_digest(&h);
}
