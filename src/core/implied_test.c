/* implied_test.c: MATCH-06 against a naive twin, and: no free money.
 *
 * Random small books of outrights and spreads; after every command (1) what is published, level by
 * level, is what the naive twin works out from the orders, and what the level events said; (2) the
 * command's prints leave the clearing house flat in lots and cost of every contract, so that money
 * neither comes nor goes; (3) nobody trades beyond the limit of his order; (4) no ring of three or
 * four orders crosses that should have traded; (5) a fill-or-kill fills wholly or not at all, and
 * is killed only where an immediate-or-cancel would not have filled either.
 *
 * DOJIMA_IMPLIED_BOOKS sets how many random books (default 4,000; once, 1,000,000).
 */
#include "core/implied_naive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "core/state.h"

enum { ACCOUNTS = 4, FIRST_ACCOUNT = 5, OUTRIGHTS = 4, COMMANDS_PER_BOOK = 24, KNOWN_ORDERS = 512,
       SAID_MAX = 1024 };

struct said { /* the last level event of a price */
    uint32_t instrument;
    uint32_t side;
    int64_t price;
    int64_t shown;
    int64_t implied;
};

struct limit { /* what an order may trade at */
    uint64_t id;
    int64_t price;
    uint32_t side;
};

struct world {
    struct core_limits limits;
    unsigned char *memory;
    unsigned char *pristine;
    size_t bytes;
    struct core *c;
    struct outbox out;
    struct outbox answer;
    struct naive naive;
    struct said said[SAID_MAX];
    uint32_t said_count;
    struct limit known[KNOWN_ORDERS];
    uint32_t known_count;
    uint64_t implied_trades; /* seen: prints of one order alone */
    uint64_t books_that_traded;
    uint64_t kills;
    int64_t floor;
    bool ratios; /* not all 1 */
};

static struct core_limits limits_tiny(void)
{
    struct core_limits l = core_limits_small();
    l.orders = 64;
    l.orders_closed = 8;
    l.levels = 64;
    l.client_ids = 1;
    l.answer_bytes = 4096;
    l.exposures = 64;
    l.instruments = 12;
    l.fills_per_command = 256;
    return l;
}

static void step(struct world *w, struct command *cmd, enum command_kind kind, uint32_t account)
{
    cmd->header.kind = (uint16_t)kind;
    cmd->header.size = command_size_full(kind);
    if (kind == COMMAND_order_new) cmd->header.size = (uint32_t)COMMAND_ORDER_NEW_BARE_SIZE;
    cmd->header.seq = core_seq(w->c) + 1;
    cmd->header.ts = TS(INT64_C(1798000000) * NS_PER_SECOND);
    cmd->header.account = account;
    assert_true(command_is_valid(cmd, cmd->header.size));
    core_step(w->c, cmd, &w->out);
}

/* ---- the venue: three months of one product, one of another, five spreads ---- */

static void seed_product(struct world *w, char name, uint8_t algorithm, int64_t floor)
{
    struct command cmd = {0};
    struct command_product_create *p = &cmd.product_create;
    p->name[0] = name;
    p->algorithm = algorithm;
    p->tick = PRICE(E6);
    p->contract_size = E6;
    p->pro_rata_minimum = QTY(2);
    p->protection = PRICE(2 * E6);
    p->flags = PRODUCT_FLAG_HAS_PROTECTION;
    if (floor != INT64_MIN) {
        p->flags |= PRODUCT_FLAG_HAS_FLOOR;
        p->floor = PRICE(floor);
    }
    step(w, &cmd, COMMAND_product_create, 0);
}

static void seed_list(struct world *w, uint32_t product, const char *period)
{
    struct command cmd = {0};
    cmd.instrument_list.product = product;
    memcpy(cmd.instrument_list.period, period, strlen(period));
    step(w, &cmd, COMMAND_instrument_list, 0);
}

static void seed_spread(struct world *w, uint32_t a, uint32_t b, int32_t ratio_a, int32_t ratio_b)
{
    if (!w->ratios) ratio_a = ratio_b = 1;
    struct command cmd = {.spread_list = {.legs = {a, b}, .ratios = {ratio_a, -ratio_b}}};
    step(w, &cmd, COMMAND_spread_list, 0);
    w->naive.spreads[w->naive.spread_count++] = (struct naive_spread){
        .id = w->c->s->instruments, .legs = {a, b}, .ratios = {ratio_a, ratio_b}};
}

static void set_state(struct world *w, uint32_t product, enum trading_state state)
{
    struct command cmd = {.state_set = {.product = product, .state = state}};
    step(w, &cmd, COMMAND_state_set, 0);
    for (uint32_t i = 1; i <= w->naive.instruments; i++) {
        if (w->c->instruments[i].product == product)
            w->naive.books[i].open = state == STATE_open;
    }
}

static void seed(struct world *w)
{
    seed_product(w, 'F', ALGORITHM_fifo, w->floor);
    seed_product(w, 'P', ALGORITHM_pro_rata, INT64_MIN);
    seed_list(w, 1, "2027M03");
    seed_list(w, 1, "2027M04");
    seed_list(w, 1, "2027M05");
    seed_list(w, 2, "2027M03");
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        struct command cmd = {0};
        cmd.account_create.account[0] = (char)('a' + i);
        cmd.account_create.member[0] = (char)('m' + i / 2);
        step(w, &cmd, COMMAND_account_create, 0);
    }
    seed_spread(w, 1, 2, 1, 1);
    seed_spread(w, 1, 3, 2, 1);
    seed_spread(w, 2, 3, 1, 1);
    seed_spread(w, 4, 1, 1, 3);
    seed_spread(w, 2, 4, 3, 2);
    w->naive.instruments = w->c->s->instruments;
    for (uint32_t i = 1; i <= w->naive.instruments; i++)
        w->naive.books[i] = (struct naive_book){
            .tick = E6, .floor = w->c->instruments[i].product == 1 ? w->floor : INT64_MIN};
    set_state(w, 1, STATE_open);
    set_state(w, 2, STATE_open);
}

static void world_open(struct world *w, int64_t floor, bool ratios)
{
    memset(w, 0, sizeof *w);
    w->floor = floor;
    w->ratios = ratios;
    w->limits = limits_tiny();
    w->bytes = core_bytes(&w->limits);
    w->memory = aligned_alloc(64, w->bytes);
    w->pristine = malloc(w->bytes);
    memset(w->memory, 0, w->bytes);
    w->c = core_open(&w->limits, w->memory);
    assert_non_null(w->c);
    w->out.capacity = w->answer.capacity = core_outbox_bytes(&w->limits);
    w->out.bytes = malloc(w->out.capacity);
    w->answer.bytes = malloc(w->answer.capacity);
    seed(w);
    memcpy(w->pristine, w->memory, w->bytes);
}

static void world_close(struct world *w)
{
    core_close(w->c);
    free(w->memory);
    free(w->pristine);
    free(w->out.bytes);
    free(w->answer.bytes);
}

static void world_reset(struct world *w)
{
    memcpy(w->memory, w->pristine, w->bytes);
    w->said_count = 0;
    w->known_count = 0;
    for (uint32_t i = 1; i <= w->naive.instruments; i++) w->naive.books[i].open = true;
}

/* ---- what the last command's events must satisfy ---- */

static struct said *said_at(struct world *w, uint32_t instrument, uint32_t side, int64_t price)
{
    for (uint32_t i = 0; i < w->said_count; i++) {
        struct said *s = &w->said[i];
        if (s->instrument == instrument && s->side == side && s->price == price) return s;
    }
    assert_true(w->said_count < SAID_MAX);
    w->said[w->said_count] = (struct said){instrument, side, price, 0, 0};
    return &w->said[w->said_count++];
}

static const struct limit *limit_of(struct world *w, const struct event_order *o)
{
    for (uint32_t i = 0; i < w->known_count; i++) {
        if (w->known[i].id != o->order_id) continue;
        w->known[i].price = o->price.v;
        return &w->known[i];
    }
    assert_true(w->known_count < KNOWN_ORDERS);
    w->known[w->known_count] = (struct limit){o->order_id, o->price.v, o->side};
    return &w->known[w->known_count++];
}

static void check_limits(struct world *w, const struct event_trade *t)
{
    if (t->kind == TRADE_implied_leg) return; /* of a spread, whose own print has its price */
    for (int side = 0; side < 2; side++) {
        if (t->order_id[side] == 0) {
            w->implied_trades += 1;
            continue;
        }
        uint32_t k = 0;
        while (k < w->known_count && w->known[k].id != t->order_id[side]) k++;
        assert_true(k < w->known_count);
        if (side == SIDE_buy) assert_true(t->price.v <= w->known[k].price);
        else assert_true(t->price.v >= w->known[k].price);
    }
}

/* What the clearing house took on in each contract: lots and cost end at zero. */
static void check_flat(const struct world *w)
{
    int64_t lots[NAIVE_INSTRUMENTS_MAX] = {0}, cost[NAIVE_INSTRUMENTS_MAX] = {0};
    const struct event_header *h = NULL;
    while ((h = outbox_next(&w->out, h)) != NULL) {
        if (h->kind != EVENT_trade) continue;
        const struct event_trade *t = (const struct event_trade *)(const void *)h;
        if (t->instrument > OUTRIGHTS) continue; /* a spread is held in its legs */
        for (int side = 0; side < 2; side++) {
            if (t->account[side] != w->c->s->account_ccp) continue;
            int64_t signed_lots = side == SIDE_buy ? t->qty.v : -t->qty.v;
            lots[t->instrument] += signed_lots;
            cost[t->instrument] += signed_lots * t->price.v;
        }
    }
    for (uint32_t i = 1; i <= OUTRIGHTS; i++) {
        assert_int_equal(lots[i], 0);
        assert_int_equal(cost[i], 0);
        const struct exposure *x = &w->c->exposures[w->c->instruments[i].exposure_ccp];
        assert_true(x->position == 0 && x->cost == 0);
    }
}

static void check_published(struct world *w)
{
    for (uint32_t i = 1; i <= w->naive.instruments; i++) {
        const struct query q = {.kind = QUERY_book, .instrument = i, .count = 1000};
        const struct event_header *h = NULL;
        uint32_t levels[2] = {0, 0};
        core_query(w->c, &q, &w->answer);
        while ((h = outbox_next(&w->answer, h)) != NULL) {
            const struct event_level *l = (const struct event_level *)(const void *)h;
            enum side side = (enum side)l->side;
            assert_int_equal(l->shown.v, naive_shown(&w->naive, i, side, l->price.v));
            assert_int_equal(l->implied.v, naive_implied(&w->naive, i, side, l->price.v));
            const struct said *s = said_at(w, i, l->side, l->price.v);
            assert_int_equal(l->shown.v, s->shown);
            assert_int_equal(l->implied.v, s->implied);
            levels[side] += 1;
        }
        assert_int_equal(levels[0], naive_levels(&w->naive, i, SIDE_buy));
        assert_int_equal(levels[1], naive_levels(&w->naive, i, SIDE_sell));
    }
    uint32_t live = 0; /* and nothing else is still said to be there */
    for (uint32_t i = 0; i < w->said_count; i++) live += w->said[i].shown + w->said[i].implied > 0;
    uint32_t all = 0;
    for (uint32_t i = 1; i <= w->naive.instruments; i++)
        all += naive_levels(&w->naive, i, SIDE_buy) + naive_levels(&w->naive, i, SIDE_sell);
    assert_int_equal(live, all);
}

static void check(struct world *w)
{
    const struct event_header *h = NULL;
    while ((h = outbox_next(&w->out, h)) != NULL) {
        const void *e = h;
        if (h->kind == EVENT_order) {
            (void)limit_of(w, e);
        } else if (h->kind == EVENT_trade) {
            check_limits(w, e);
        } else if (h->kind == EVENT_level) {
            const struct event_level *l = e;
            struct said *s = said_at(w, l->instrument, l->side, l->price.v);
            s->shown = l->shown.v;
            s->implied = l->implied.v;
        }
    }
    check_flat(w);
    naive_read(&w->naive, w->c, &w->answer);
    check_published(w);
    if (w->c->s->elections_count > 0 || w->c->s->implied_sweep != 0) return;
    assert_false(naive_crosses_three(&w->naive));
    if (w->floor == INT64_MIN) assert_false(naive_crosses_four(&w->naive));
}

/* ---- random commands ---- */

static void random_new(struct world *w, struct random *r, struct command *cmd)
{
    struct command_order_new *o = &cmd->order_new;
    *cmd = (struct command){0};
    o->instrument = (uint32_t)(1 + random_below(r, w->naive.instruments));
    o->side = (uint8_t)random_below(r, 2);
    o->flags = ORDER_FLAG_HAS_PRICE | ORDER_FLAG_HAS_QTY;
    int64_t base = o->instrument > OUTRIGHTS ? -3 : w->floor == INT64_MIN ? 97 : -1;
    o->price = PRICE((base + (int64_t)random_below(r, 7)) * E6);
    o->qty = QTY(1 + (int64_t)random_below(r, 9));
    uint64_t dice = random_below(r, 20);
    if (dice < 2) o->tif = TIF_immediate_or_cancel;
    else if (dice < 5) o->tif = TIF_fill_or_kill;
    else if (dice == 5) o->flags |= ORDER_FLAG_POST_ONLY;
    else if (dice == 6) o->type = ORDER_TYPE_market;
    else if (dice == 7) o->min_qty = QTY(1 + (int64_t)random_below(r, (uint64_t)o->qty.v));
    else if (dice == 8) o->flags |= ORDER_FLAG_REDUCE_ONLY;
    else if (dice == 9) {
        o->type = ORDER_TYPE_stop_limit;
        o->trigger = o->price;
        o->flags |= ORDER_FLAG_HAS_TRIGGER;
    } else if (dice == 10) {
        o->type = ORDER_TYPE_pegged;
        o->peg = (uint8_t)(1 + random_below(r, PEG_count - 1));
    } else if (dice < 14) {
        o->flags |= ORDER_FLAG_HAS_MAX_SHOW;
        o->max_show = QTY(1 + (int64_t)random_below(r, 3));
    }
    if (random_below(r, 4) == 0) {
        o->smp_id = 1;
        o->smp_mode = (uint8_t)random_below(r, SMP_count);
    }
}

/* Whether the order that the last command entered was killed; it must not have filled then. */
static bool was_killed(const struct world *w)
{
    const struct event_order *last = NULL;
    const struct event_header *h = NULL;
    uint64_t id = 0;
    while ((h = outbox_next(&w->out, h)) != NULL) {
        const struct event_order *o = (const struct event_order *)(const void *)h;
        if (h->kind != EVENT_order) continue;
        if (id == 0 && o->cause == CAUSE_new) id = o->order_id;
        if (o->order_id == id) last = o;
    }
    if (last == NULL || last->state == ORDER_STATE_filled) return false;
    assert_int_equal(last->state, ORDER_STATE_cancelled);
    return true;
}

static int64_t filled_of_first(const struct world *w)
{
    const struct event_header *h = NULL;
    uint64_t id = 0;
    int64_t filled = 0;
    while ((h = outbox_next(&w->out, h)) != NULL) {
        const struct event_order *o = (const struct event_order *)(const void *)h;
        if (h->kind != EVENT_order) continue;
        if (id == 0 && o->cause == CAUSE_new) id = o->order_id;
        if (o->order_id == id) filled = o->filled.v;
    }
    return filled;
}

/* A fill-or-kill, and where it is killed the same order as immediate-or-cancel in its place. */
static void fill_or_kill(struct world *w, struct command *cmd, uint32_t account)
{
    static unsigned char before[1 << 20];
    assert_true(w->bytes <= sizeof before);
    memcpy(before, w->memory, w->bytes);
    bool due = w->c->s->implied_sweep != 0 || w->c->s->elections_count != 0; /* from before */
    step(w, cmd, COMMAND_order_new, account);
    if (!was_killed(w)) return;
    assert_int_equal(filled_of_first(w), 0);
    for (const struct event_header *h = NULL; !due && (h = outbox_next(&w->out, h)) != NULL;)
        assert_int_not_equal(h->kind, EVENT_trade);
    memcpy(w->memory, before, w->bytes);
    cmd->order_new.tif = TIF_immediate_or_cancel;
    step(w, cmd, COMMAND_order_new, account);
    assert_true(filled_of_first(w) < cmd->order_new.qty.v);
    memcpy(w->memory, before, w->bytes);
    cmd->order_new.tif = TIF_fill_or_kill;
    step(w, cmd, COMMAND_order_new, account);
    w->kills += 1;
}

static void random_step(struct world *w, struct random *r)
{
    struct command cmd;
    uint32_t account = FIRST_ACCOUNT + (uint32_t)random_below(r, ACCOUNTS);
    uint64_t dice = random_below(r, 40);
    if (dice < 3 && w->known_count > 0) {
        const struct limit *order = &w->known[random_below(r, w->known_count)];
        cmd = (struct command){.order_cancel = {.order_id = order->id}};
        uint32_t slot = (uint32_t)(order->id & 0xffffff);
        step(w, &cmd, COMMAND_order_cancel, w->c->pools.orders[slot].account);
    } else if (dice < 5 && w->known_count > 0) {
        const struct limit *order = &w->known[random_below(r, w->known_count)];
        cmd = (struct command){.order_edit = {.order_id = order->id}};
        cmd.order_edit.flags = ORDER_FLAG_HAS_QTY;
        cmd.order_edit.qty = QTY(1 + (int64_t)random_below(r, 9));
        uint32_t slot = (uint32_t)(order->id & 0xffffff);
        step(w, &cmd, COMMAND_order_edit, w->c->pools.orders[slot].account);
    } else if (dice == 5) {
        uint32_t product = 1 + (uint32_t)random_below(r, 2);
        bool open = w->naive.books[product == 1 ? 1 : 4].open;
        set_state(w, product, !open ? STATE_open : random_below(r, 2) ? STATE_pre_open
                                                                      : STATE_halted);
    } else {
        random_new(w, r, &cmd);
        bool open = w->naive.books[cmd.order_new.instrument].open;
        bool kill = cmd.order_new.tif == TIF_fill_or_kill && open;
        if (kill) fill_or_kill(w, &cmd, account);
        else step(w, &cmd, COMMAND_order_new, account);
        /* With a floor or ratios it may trade as a leg, with a spread order that it completes. */
        if ((cmd.order_new.flags & ORDER_FLAG_POST_ONLY) && w->floor == INT64_MIN && !w->ratios)
            assert_int_equal(filled_of_first(w), 0);
    }
}

static uint64_t books_wanted(void)
{
    const char *text = getenv("DOJIMA_IMPLIED_BOOKS");
    return text != NULL ? strtoull(text, NULL, 10) : 4000;
}

static void run_books(int64_t floor, bool ratios, uint64_t first, uint64_t books)
{
    static struct world w;
    world_open(&w, floor, ratios);
    for (uint64_t book = first; book < first + books; book++) {
        struct random r = {book};
        uint64_t before = w.implied_trades;
        world_reset(&w);
        for (int i = 0; i < COMMANDS_PER_BOOK; i++) {
            random_step(&w, &r);
            check(&w);
        }
        if (book % 64 == 0) core_check(w.c);
        if (w.implied_trades > before) w.books_that_traded += 1;
    }
    print_message("%llu books: %llu traded with implied prices, %llu prints, %llu kills\n",
                  (unsigned long long)books, (unsigned long long)w.books_that_traded,
                  (unsigned long long)w.implied_trades, (unsigned long long)w.kills);
    assert_true(w.books_that_traded > books / 8); /* the test is about something */
    world_close(&w);
}

static void no_free_money(void **state)
{
    (void)state;
    run_books(INT64_MIN, false, 1, books_wanted());
}

static void no_free_money_at_a_floor(void **state)
{
    (void)state;
    run_books(0, false, 1, books_wanted() / 4);
}

static void no_free_money_with_ratios(void **state)
{
    (void)state;
    run_books(INT64_MIN, true, 1, books_wanted() / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_free_money),
                                       cmocka_unit_test(no_free_money_at_a_floor),
                                       cmocka_unit_test(no_free_money_with_ratios)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
