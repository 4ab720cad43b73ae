/* workload.c: see workload.h. */
#include "sim/workload.h"

#include <stdio.h>
#include <string.h>

static void begin(struct command *c, enum command_kind kind)
{
    memset(c, 0, sizeof *c);
    c->header.kind = (uint16_t)kind;
    c->header.size = command_size_full(kind);
}

static void text_set(char *to, size_t size, const char *format, unsigned number)
{
    (void)snprintf(to, size, format, number);
}

static uint32_t pick(struct workload *w, const uint32_t *ids, uint32_t count, uint32_t otherwise)
{
    if (count == 0) return otherwise;
    return ids[random_below(&w->random, count)];
}

/* 1 product, 3 instruments, a spread, 4 accounts, 4 deposits, open: WORKLOAD_SETUP commands. */
static void setup(struct workload *w, uint64_t seq, struct command *c)
{
    unsigned n = (unsigned)seq;
    if (n == 1) {
        begin(c, COMMAND_product_create);
        text_set(c->product_create.name, sizeof c->product_create.name, "S%u", n);
        c->product_create.tick = PRICE(E6 / 2);
        c->product_create.contract_size = E6;
        c->product_create.flat_margin = MONEY(10 * E6);
        c->product_create.pro_rata_minimum = QTY(2);
        c->product_create.top_minimum = QTY(1);
    } else if (n <= 4) {
        begin(c, COMMAND_instrument_list);
        c->instrument_list.product = 1;
        text_set(c->instrument_list.period, sizeof c->instrument_list.period, "2027M%02u", n);
    } else if (n == 5) {
        begin(c, COMMAND_spread_list);
        c->spread_list.legs[0] = pick(w, w->instruments, w->instrument_count > 0, 1);
        c->spread_list.legs[1] = c->spread_list.legs[0] + 1;
        c->spread_list.ratios[0] = 1;
        c->spread_list.ratios[1] = -1;
    } else if (n <= 9) {
        begin(c, COMMAND_account_create);
        text_set(c->account_create.account, sizeof c->account_create.account, "account%u", n);
        text_set(c->account_create.member, sizeof c->account_create.member, "member%u", n / 2);
    } else if (n <= 13) {
        begin(c, COMMAND_deposit);
        uint32_t i = n - 10;
        c->header.account = i < w->account_count ? w->accounts[i] : 5 + i;
        c->transfer.asset = ASSET_USD;
        c->transfer.amount = MONEY(5000 * E6 * (int64_t)(i + 1));
    } else if (n == 14) {
        begin(c, COMMAND_settlement_price);
        c->settlement_price.instrument = pick(w, w->instruments, w->instrument_count > 0, 1);
        c->settlement_price.price = PRICE(100 * E6);
    } else {
        begin(c, COMMAND_state_set);
        c->state_set.product = 1;
        c->state_set.state = n == 15 ? STATE_pre_open : STATE_open;
    }
}

void workload_order(struct workload *w, struct command *c)
{
    begin(c, COMMAND_order_new);
    struct random *r = &w->random;
    struct command_order_new *o = &c->order_new;
    c->header.account = pick(w, w->accounts, w->account_count, 5);
    o->instrument = pick(w, w->instruments, w->instrument_count, 1);
    o->side = (uint8_t)random_below(r, 2);
    o->qty = QTY(1 + (int64_t)random_below(r, 9));
    o->price = PRICE((190 + (int64_t)random_below(r, 21)) * E6 / 2);
    o->flags = ORDER_FLAG_HAS_PRICE | ORDER_FLAG_HAS_QTY;
    c->header.size = COMMAND_ORDER_NEW_BARE_SIZE;
}

static void order_varied(struct workload *w, struct command *c)
{
    workload_order(w, c);
    struct random *r = &w->random;
    struct command_order_new *o = &c->order_new;
    if (random_below(r, 3) == 0) {
        static const uint8_t types[] = {ORDER_TYPE_market, ORDER_TYPE_market_limit,
                                        ORDER_TYPE_stop_limit, ORDER_TYPE_stop_market,
                                        ORDER_TYPE_take_limit, ORDER_TYPE_limit};
        o->type = types[random_below(r, sizeof types)];
        o->tif = (uint8_t)random_below(r, TIF_fill_or_kill + 1);
        if (o->tif == TIF_good_til_date) o->tif = TIF_good_til_day;
        o->trigger = PRICE((185 + (int64_t)random_below(r, 31)) * E6 / 2);
        o->flags |= ORDER_FLAG_HAS_TRIGGER;
    }
    if (random_below(r, 6) == 0) {
        o->max_show = QTY(1 + (int64_t)random_below(r, 4));
        o->flags |= ORDER_FLAG_HAS_MAX_SHOW;
    }
    if (random_below(r, 8) == 0) o->flags |= ORDER_FLAG_POST_ONLY;
    if (random_below(r, 16) == 0) o->flags |= ORDER_FLAG_REDUCE_ONLY;
    if (random_below(r, 8) == 0) {
        o->smp_id = 1 + random_below(r, 3);
        o->smp_mode = (uint8_t)random_below(r, SMP_count);
    }
    if (random_below(r, 4) != 0) return;
    w->serial += 1;
    (void)snprintf(o->label, sizeof o->label, "label %u", (unsigned)random_below(r, 5));
    (void)snprintf(o->client_order_id, sizeof o->client_order_id, "c%llu",
                   (unsigned long long)(w->serial - random_below(r, 2)));
    c->header.flags = COMMAND_FLAG_REPEAT_SAFE;
    c->header.size = COMMAND_ORDER_NEW_TEXT_SIZE;
}

static void order_known(struct workload *w, struct command *c, bool edit)
{
    begin(c, edit ? COMMAND_order_edit : COMMAND_order_cancel);
    uint64_t i = w->order_count == 0 ? 0 : random_below(&w->random, w->order_count);
    c->header.account = w->order_accounts[i];
    if (!edit) {
        c->order_cancel.order_id = w->orders[i];
        return;
    }
    c->order_edit.order_id = w->orders[i];
    c->order_edit.flags = ORDER_FLAG_HAS_QTY;
    c->order_edit.qty = QTY(1 + (int64_t)random_below(&w->random, 12));
    if (random_below(&w->random, 2) == 0) {
        c->order_edit.flags |= ORDER_FLAG_HAS_PRICE;
        c->order_edit.price = PRICE((190 + (int64_t)random_below(&w->random, 21)) * E6 / 2);
    }
}

static void mass_quote(struct workload *w, struct command *c)
{
    begin(c, COMMAND_mass_quote);
    struct command_mass_quote *q = &c->mass_quote;
    c->header.account = pick(w, w->accounts, w->account_count, 5);
    q->count = 1 + (uint32_t)random_below(&w->random, 3);
    for (uint32_t i = 0; i < q->count; i++) {
        int64_t middle = 195 + (int64_t)random_below(&w->random, 11);
        q->quotes[i].instrument = pick(w, w->instruments, w->instrument_count, 1);
        q->quotes[i].bid_price = PRICE((middle - 2) * E6 / 2);
        q->quotes[i].ask_price = PRICE((middle + 2) * E6 / 2);
        q->quotes[i].bid_qty = QTY((int64_t)random_below(&w->random, 4));
        q->quotes[i].ask_qty = QTY((int64_t)random_below(&w->random, 4));
    }
    c->header.size = (uint32_t)(sizeof c->header + offsetof(struct command_mass_quote, quotes) +
                                q->count * sizeof q->quotes[0]);
}

static void officer(struct workload *w, struct command *c)
{
    struct random *r = &w->random;
    switch (random_below(r, 5)) {
    case 0:
        begin(c, random_below(r, 3) == 0 ? COMMAND_withdraw : COMMAND_deposit);
        c->header.account = pick(w, w->accounts, w->account_count, 5);
        c->transfer.asset = ASSET_USD;
        c->transfer.amount = MONEY((1 + (int64_t)random_below(r, 2000)) * E6);
        return;
    case 1:
        begin(c, COMMAND_state_set);
        c->state_set.product = 1;
        c->state_set.state =
            random_below(r, 2) == 0 ? STATE_open : 1 + (uint32_t)random_below(r, 4);
        return;
    case 2:
        begin(c, COMMAND_settlement_price);
        c->settlement_price.instrument = pick(w, w->instruments, w->instrument_count, 1);
        c->settlement_price.price = PRICE((95 + (int64_t)random_below(r, 11)) * E6);
        return;
    case 3: begin(c, COMMAND_mark_to_market); return;
    default:
        begin(c, COMMAND_cancel_many);
        c->header.account = pick(w, w->accounts, w->account_count, 5);
        return;
    }
}

void workload_next(struct workload *w, uint64_t seq, struct command *command)
{
    if (seq <= WORKLOAD_SETUP) {
        setup(w, seq, command);
        return;
    }
    uint64_t luck = random_below(&w->random, 100);
    if (luck < 60) order_varied(w, command);
    else if (luck < 75) order_known(w, command, false);
    else if (luck < 85) order_known(w, command, true);
    else if (luck < 92) mass_quote(w, command);
    else if (luck < 95) officer(w, command);
    else if (luck < 97) {
        begin(command, COMMAND_state_set); /* most of the time the venue is open */
        command->state_set.product = 1;
        command->state_set.state = STATE_open;
    } else begin(command, COMMAND_tick);
}

static void id_add(uint32_t *ids, uint32_t *count, uint32_t id)
{
    for (uint32_t i = 0; i < *count; i++) {
        if (ids[i] == id) return;
    }
    if (*count < WORKLOAD_IDS) ids[(*count)++] = id;
}

void workload_see(struct workload *w, const struct outbox *events)
{
    for (const struct event_header *e = NULL; (e = outbox_next(events, e)) != NULL;) {
        if (e->kind == EVENT_order) {
            const struct event_order *o = (const struct event_order *)(const void *)e;
            uint32_t i = w->order_count;
            if (o->state != ORDER_STATE_open && o->state != ORDER_STATE_untriggered) continue;
            if (i < WORKLOAD_ORDERS) w->order_count += 1;
            else i = (uint32_t)random_below(&w->random, WORKLOAD_ORDERS);
            w->orders[i] = o->order_id;
            w->order_accounts[i] = o->account;
        } else if (e->kind == EVENT_account) {
            const struct event_account *a = (const struct event_account *)(const void *)e;
            if (a->system == 0) id_add(w->accounts, &w->account_count, a->id);
        } else if (e->kind == EVENT_instrument) {
            const struct event_instrument *n = (const struct event_instrument *)(const void *)e;
            id_add(w->instruments, &w->instrument_count, n->id);
        }
    }
}
