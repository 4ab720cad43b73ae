/* delivery_notice.c: notice day (DELIV-01): who delivers to whom.
 *
 * 1. Ages are reckoned; lots of longs that filed an intake stand in order of age, those of one date
 *    in the order of a hash of the seed and their account.
 * 2. N = min(lots tendered, lots with an intake) are assigned to shorts, each floor(N x its tender
 *    / all tenders); what is left over goes one lot each in the order of a hash of the seed and the
 *    account, as at OCC.
 * 3. Oldest first, a long's lots take from the assigned tenders that its constraints allow, in that
 *    order of shorts, a short's tenders in the order of their filing. What found none then takes
 *    from tenders beyond the assignment.
 * 4. What found each other is an allocation. Every other lot ends in money at the final price:
 *    where one side did what it had to and the other did not, the other pays damages: a seller
 *    those of an hour with nothing, a buyer those of a shortfall (its seller may sell again). What
 *    conversions left with the clearing house (convert.c) is nobody's fault.
 *
 * The seed is four XXH3 hashes of (name, date, sequence number of the command before, which): all
 * of it is published, so anybody can do this again.
 *
 * Upstream: delivery_age, delivery_file, settle. Downstream: delivery.c.
 */
#include "core/delivery_internal.h"

#include "core/settle.h"
#include "core/span.h"
#include "core/value.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <string.h>

struct key { /* what is sorted, ascending; ties by index */
    int64_t first;
    uint64_t second;
    uint32_t index;
    uint32_t reserved;
};

struct holder { /* an account's position in the instrument */
    uint32_t account;
    uint32_t exposure;
    uint32_t intake;   /* of a long; NIL: none */
    uint32_t lapsed;   /* of a short: a tender's certificate is no longer good */
    uint32_t own;      /* 1: the clearing house's side of conversions */
    uint32_t reserved;
    int64_t lots;
    int64_t tendered;
    int64_t quota;
    int64_t matched;
    uint64_t tie;
};

struct offer { /* a tender that is good */
    uint32_t tender;
    uint32_t holder;
    int64_t left;
    struct token_class class;
};

struct block { /* lots of one date */
    uint32_t holder;
    uint32_t reserved;
    int64_t day;
    int64_t left;
};

struct pair {
    uint32_t holder; /* long */
    uint32_t offer;
    int64_t lots;
};

struct notice {
    uint32_t instrument;
    uint32_t longs, shorts, offers, blocks, pairs;
    uint32_t allocations;
    bool crowded; /* a pool was full */
    price_t price;
    uint64_t seed[4];
    struct holder *holders; /* longs from the front, shorts from the middle */
    struct holder *sellers;
    struct offer *offer;
    struct block *block;
    struct pair *pair;
    struct key *keys;
};

/* ---- scratch ---- */

static size_t rounded(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

struct sizes {
    size_t accounts, tenders, blocks, pairs;
};

static struct sizes sizes_of(const struct core_limits *l)
{
    struct sizes z = {.accounts = (size_t)l->accounts + 1, .tenders = (size_t)l->allocations + 1};
    z.blocks = (size_t)l->exposures + z.accounts;
    z.pairs = 2 * (z.blocks + z.tenders);
    return z;
}

size_t delivery_scratch_bytes(const struct core_limits *l)
{
    struct sizes z = sizes_of(l);
    return rounded(sizeof(struct notice)) + 2 * rounded(z.accounts * sizeof(struct holder)) +
           rounded(z.tenders * sizeof(struct offer)) + rounded(z.blocks * sizeof(struct block)) +
           rounded(z.pairs * sizeof(struct pair)) + rounded(z.pairs * sizeof(struct key));
}

void delivery_scratch_open(struct notice *n, const struct core_limits *l)
{
    struct sizes z = sizes_of(l);
    unsigned char *at = (unsigned char *)n + rounded(sizeof *n);
    n->holders = (struct holder *)(void *)at;
    at += rounded(z.accounts * sizeof *n->holders);
    n->sellers = (struct holder *)(void *)at;
    at += rounded(z.accounts * sizeof *n->sellers);
    n->offer = (struct offer *)(void *)at;
    at += rounded(z.tenders * sizeof *n->offer);
    n->block = (struct block *)(void *)at;
    at += rounded(z.blocks * sizeof *n->block);
    n->pair = (struct pair *)(void *)at;
    at += rounded(z.pairs * sizeof *n->pair);
    n->keys = (struct key *)(void *)at;
}

/* ---- order ---- */

static bool key_before(const struct key *a, const struct key *b)
{
    if (a->first != b->first) return a->first < b->first;
    if (a->second != b->second) return a->second < b->second;
    return a->index < b->index;
}

static void key_sink(struct key *keys, uint32_t at, uint32_t count)
{
    struct key moved = keys[at];
    for (uint32_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && key_before(&keys[child], &keys[child + 1])) child += 1;
        if (!key_before(&moved, &keys[child])) break;
        keys[at] = keys[child];
        at = child;
    }
    keys[at] = moved;
}

static void keys_sort(struct key *keys, uint32_t count)
{
    for (uint32_t i = count / 2; i > 0; i--) key_sink(keys, i - 1, count);
    for (uint32_t end = count; end > 1; end--) {
        struct key last = keys[end - 1];
        keys[end - 1] = keys[0];
        keys[0] = last;
        key_sink(keys, 0, end - 1);
    }
}

static void seed_make(const struct core *c, struct notice *n)
{
    const struct event_instrument *t = &c->instruments[n->instrument].terms;
    struct {
        char name[INSTRUMENT_NAME_SIZE];
        int64_t date;
        uint64_t seq;
    } of = {.date = c->s->day, .seq = c->s->seq - 1};
    memcpy(of.name, t->name, sizeof of.name);
    for (uint64_t i = 0; i < 4; i++) n->seed[i] = XXH3_64bits_withSeed(&of, sizeof of, i);
}

static uint64_t tie_of(const struct core *c, const struct notice *n, uint32_t account)
{
    const char *name = c->accounts[account].name;
    return XXH3_64bits_withSeed(name, ACCOUNT_NAME_SIZE, n->seed[0]);
}

/* ---- who is there ---- */

static void blocks_collect(const struct core *c, struct notice *n, uint32_t holder)
{
    const struct holder *h = &n->holders[holder];
    int64_t left = h->lots;
    for (uint32_t g = c->deliver.age_first[h->exposure]; g != NIL && left > 0;
         g = c->deliver.ages[g].next) {
        int64_t lots = int64_min(left, c->deliver.ages[g].lots);
        n->block[n->blocks++] = (struct block){holder, 0, c->deliver.ages[g].day, lots};
        left -= lots;
    }
    if (left > 0) n->block[n->blocks++] = (struct block){holder, 0, INT64_MAX, left};
}

static void holders_collect(struct core *c, struct notice *n)
{
    const struct instrument *in = &c->instruments[n->instrument];
    for (uint32_t e = in->exposures; e != NIL; e = c->exposures[e].next_of_instrument) {
        const struct exposure *x = &c->exposures[e];
        if (e == in->exposure_ccp || x->position == 0) continue;
        struct holder h = {.account = x->account, .exposure = e,
                           .tie = tie_of(c, n, x->account)};
        h.lots = int64_abs(x->position);
        h.own = x->account == c->span_venue->account_conversion;
        if (x->position < 0) {
            n->sellers[n->shorts++] = h;
            continue;
        }
        age_reckon(c, e, c->s->day);
        h.intake = intake_for(c, x->account, n->instrument);
        n->holders[n->longs++] = h;
        if (h.intake != NIL) blocks_collect(c, n, n->longs - 1);
    }
}

static uint32_t seller_find(const struct notice *n, uint32_t account)
{
    for (uint32_t i = 0; i < n->shorts; i++) {
        if (n->sellers[i].account == account) return i;
    }
    return UINT32_MAX;
}

static void offer_collect(const struct core *c, struct notice *n, uint32_t tender, int64_t lots)
{
    const struct tender *x = &c->deliver.tenders[tender];
    uint32_t holder = seller_find(n, x->account);
    if (holder == UINT32_MAX) return;
    struct holder *h = &n->sellers[holder];
    struct offer o = {.tender = tender, .holder = holder};
    if (!tender_is_good(c, x, n->instrument, &o.class)) {
        h->lapsed = 1;
        return;
    }
    o.left = int64_min(lots, h->lots - h->tendered); /* bought back since */
    if (o.left <= 0) return;
    h->tendered += o.left;
    n->offer[n->offers++] = o;
}

/* In the order of filing; of the spot market's hours what stands ready comes behind. */
static void offers_collect(const struct core *c, struct notice *n)
{
    for (uint32_t i = 1; i <= c->deliver.s->tenders; i++) {
        const struct tender *x = &c->deliver.tenders[i];
        if (x->account != NIL && x->terms.instrument == n->instrument)
            offer_collect(c, n, i, x->terms.lots.v);
    }
    if (!delivery_is_prompt(c, n->instrument)) return;
    for (uint32_t i = 1; i <= c->deliver.s->tenders; i++) {
        const struct tender *x = &c->deliver.tenders[i];
        if (x->account != NIL && x->terms.instrument == NIL) offer_collect(c, n, i, QTY_MAX);
    }
}

/* ---- assignment: pro rata, floored, the rest one by one (OCC) ---- */

static void shorts_order(struct notice *n)
{
    for (uint32_t i = 0; i < n->shorts; i++)
        n->keys[i] = (struct key){.second = n->sellers[i].tie, .index = i};
    keys_sort(n->keys, n->shorts);
}

static void shorts_assign(struct notice *n)
{
    int128_t tendered = 0, wanted = 0;
    for (uint32_t i = 0; i < n->shorts; i++) tendered += n->sellers[i].tendered;
    for (uint32_t i = 0; i < n->blocks; i++) wanted += n->block[i].left;
    int128_t assigned = tendered < wanted ? tendered : wanted, left = assigned;
    if (assigned == 0) return;
    for (uint32_t i = 0; i < n->shorts; i++) {
        struct holder *h = &n->sellers[i];
        h->quota = (int64_t)int128_div_floor(assigned * h->tendered, tendered);
        left -= h->quota;
    }
    shorts_order(n);
    for (uint32_t i = 0; left > 0; i = (i + 1) % n->shorts) {
        struct holder *h = &n->sellers[n->keys[i].index];
        if (h->quota >= h->tendered) continue;
        h->quota += 1;
        left -= 1;
    }
}

/* Offers in the order of their shorts, a short's as they were filed. */
static void offers_order(struct notice *n)
{
    for (uint32_t i = 0; i < n->offers; i++) {
        const struct holder *h = &n->sellers[n->offer[i].holder];
        n->keys[i] = (struct key){.first = (int64_t)(h->tie >> 1), .second = n->offer[i].tender,
                                  .index = i};
    }
    keys_sort(n->keys, n->offers);
    for (uint32_t i = 0; i < n->offers; i++) { /* to their places, by cycles */
        struct offer moved = n->offer[i];
        uint32_t at = i;
        while (n->keys[at].index != UINT32_MAX) {
            uint32_t from = n->keys[at].index;
            n->keys[at].index = UINT32_MAX;
            if (from == i) {
                n->offer[at] = moved;
                break;
            }
            n->offer[at] = n->offer[from];
            at = from;
        }
    }
}

static void blocks_order(struct notice *n)
{
    for (uint32_t i = 0; i < n->blocks; i++) {
        const struct block *b = &n->block[i];
        n->keys[i] = (struct key){.first = b->day, .second = n->holders[b->holder].tie,
                                  .index = i};
    }
    keys_sort(n->keys, n->blocks);
}

/* What a block takes, within the assignment or beyond it. */
static void block_match(const struct core *c, struct notice *n, struct block *b, bool beyond)
{
    const struct intake *t = &c->deliver.intakes[n->holders[b->holder].intake];
    for (uint32_t i = 0; i < n->offers && b->left > 0; i++) {
        struct offer *o = &n->offer[i];
        struct holder *h = &n->sellers[o->holder];
        int64_t lots = int64_min(b->left, beyond ? o->left : int64_min(o->left, h->quota));
        const struct tender *x = &c->deliver.tenders[o->tender];
        if (lots <= 0 || !intake_allows(t, &o->class, x->terms.grade, h->account)) continue;
        n->pair[n->pairs++] = (struct pair){b->holder, i, lots};
        b->left -= lots;
        o->left -= lots;
        h->quota -= int64_min(lots, h->quota);
    }
}

static void blocks_match(const struct core *c, struct notice *n)
{
    offers_order(n);
    blocks_order(n);
    for (uint32_t i = 0; i < n->blocks; i++)
        block_match(c, n, &n->block[n->keys[i].index], false);
    for (uint32_t i = 0; i < n->blocks; i++)
        block_match(c, n, &n->block[n->keys[i].index], true);
}

/* ---- allocations ---- */

/* What a grade is worth against par, capped (UNIT-03). */
static int64_t factor_of(const struct delivery_terms *t, uint32_t grade)
{
    int64_t factor = (int64_t)int128_div_floor((int128_t)t->grade_e6[grade] * E6,
                                               t->grade_e6[t->class.grade]);
    return int64_min(factor, t->grade_cap_e6);
}

static void allocation_fill(const struct core *c, const struct notice *n, struct allotment *x,
                            const struct pair *p, int64_t work_hour)
{
    const struct event_instrument *in = &c->instruments[n->instrument].terms;
    const struct delivery_terms *t = terms_of(c, n->instrument);
    const struct offer *o = &n->offer[p->offer];
    const struct command_tender *tender = &c->deliver.tenders[o->tender].terms;
    const struct command_intake *intake =
        &c->deliver.intakes[n->holders[p->holder].intake].terms;
    struct event_allocation *e = &x->said;
    x->class = o->class;
    x->block_hours = in->hours;
    e->instrument = n->instrument;
    e->state = ALLOCATION_allotted;
    e->buyer = n->holders[p->holder].account;
    e->seller = n->sellers[o->holder].account;
    e->resource = tender->resource;
    e->grade = tender->grade;
    e->lots = QTY(p->lots);
    e->work_hour = work_hour;
    e->work_due = work_hour * (int64_t)in->hours;
    e->price = n->price;
    e->factor_e6 = factor_of(t, tender->grade);
    x->unit = PRICE((int64_t)int128_div_half_even((int128_t)n->price.v * e->factor_e6, E6));
    memcpy(e->buyer_key, intake->public_key, sizeof e->buyer_key);
    memcpy(e->seller_key, tender->public_key, sizeof e->seller_key);
    memcpy(e->buyer_endpoint, intake->endpoint, sizeof e->buyer_endpoint);
    memcpy(e->seller_endpoint, tender->endpoint, sizeof e->seller_endpoint);
}

static void hours_open(struct core *c, uint32_t a, uint32_t instrument, int64_t work)
{
    const struct event_instrument *in = &c->instruments[instrument].terms;
    struct event_allocation *e = &c->deliver.allocations[a].said;
    for (int64_t hour = in->start.v / NS_PER_HOUR; hour < in->end.v / NS_PER_HOUR; hour++) {
        if (!block_has_hour(c, instrument, hour)) continue;
        uint32_t h = hour_add(c, a, hour, work);
        ASSERT(h != NIL);
        if (e->first_hour.v == 0) e->first_hour = TS(hour * NS_PER_HOUR);
        e->end = TS((hour + 1) * NS_PER_HOUR);
    }
    e->window_until = TS(e->end.v + terms_of(c, instrument)->challenge_ns);
}

/* False: no room, or the sums are out of range. */
static bool allocation_open(struct core *c, struct notice *n, const struct pair *p)
{
    int64_t hours = c->instruments[n->instrument].terms.hours, buyer, seller;
    int128_t work = token_lot_work(c, n->instrument) * p->lots;
    if (work * hours > INT64_MAX / 4) return false;
    uint32_t a = allocation_take(c, (uint32_t)hours);
    if (a == NIL) return false;
    allocation_fill(c, n, &c->deliver.allocations[a], p, (int64_t)work);
    const struct event_allocation *e = &c->deliver.allocations[a].said;
    if (!allocation_margins(c, a, &buyer, &seller) ||
        !money_fits((int128_t)c->accounts[e->buyer].requirement.v + buyer) ||
        !money_fits((int128_t)c->accounts[e->seller].requirement.v + seller)) {
        allocation_drop(c, a);
        return false;
    }
    hours_open(c, a, n->instrument, (int64_t)work);
    c->deliver.allocations[a].said.margin_buyer = MONEY(buyer);
    c->deliver.allocations[a].said.margin_seller = MONEY(seller);
    pending_set(c, a, SIDE_buyer, buyer);
    pending_set(c, a, SIDE_seller, seller);
    allocation_say(c, a);
    return true;
}

/* One allocation for each buyer and tender that found each other. */
static int64_t allocations_open(struct core *c, struct notice *n)
{
    int64_t allotted = 0;
    for (uint32_t i = 0; i < n->pairs; i++) {
        const struct pair *p = &n->pair[i];
        n->keys[i] = (struct key){.first = p->holder, .second = p->offer, .index = i};
    }
    keys_sort(n->keys, n->pairs);
    for (uint32_t i = 0, next; i < n->pairs; i = next) {
        struct pair p = n->pair[n->keys[i].index];
        for (next = i + 1; next < n->pairs; next++) {
            const struct pair *more = &n->pair[n->keys[next].index];
            if (more->holder != p.holder || more->offer != p.offer) break;
            p.lots += more->lots;
        }
        if (!allocation_open(c, n, &p)) {
            n->crowded = true;
            continue;
        }
        n->holders[p.holder].matched += p.lots;
        n->sellers[n->offer[p.offer].holder].matched += p.lots;
        n->allocations += 1;
        allotted += p.lots;
    }
    return allotted;
}

/* ---- what ends in money ---- */

struct rest { /* lots of one side that found nobody */
    const struct holder *holder;
    int64_t lots;
    bool at_fault;
};

/* The i-th: of longs those who filed before those who did not; of shorts what was not tendered
 * before what was. False: there are no more. */
static bool long_rest(const struct notice *n, uint32_t i, struct rest *r)
{
    if (i >= 2 * n->longs) return false;
    r->holder = &n->holders[i % n->longs];
    bool mine = (r->holder->intake == NIL) == (i >= n->longs);
    r->at_fault = i >= n->longs && r->holder->own == 0;
    r->lots = mine ? r->holder->lots - r->holder->matched : 0;
    return true;
}

static bool short_rest(const struct notice *n, uint32_t i, struct rest *r)
{
    if (i >= 2 * n->shorts) return false;
    r->holder = &n->sellers[i % n->shorts];
    r->at_fault = i < n->shorts && r->holder->own == 0;
    r->lots = i < n->shorts ? r->holder->lots - r->holder->tendered
                            : r->holder->tendered - r->holder->matched;
    return true;
}

static enum delivery_reason reason_of(const struct notice *n, const struct rest *buyer,
                                      const struct rest *seller)
{
    if (seller->at_fault && !buyer->at_fault)
        return seller->holder->lapsed ? DELIVERY_REASON_no_certificate : DELIVERY_REASON_no_tender;
    if (buyer->at_fault) return DELIVERY_REASON_no_intake;
    bool room = !n->crowded && buyer->holder->own == 0 && seller->holder->own == 0;
    return room ? DELIVERY_REASON_constraints : DELIVERY_REASON_no_room;
}

static void rest_settle(struct core *c, const struct notice *n, const struct rest *buyer,
                        const struct rest *seller, int64_t lots)
{
    const struct event_instrument *in = &c->instruments[n->instrument].terms;
    const struct delivery_terms *t = terms_of(c, n->instrument);
    struct event_delivery_cash e = {
        .instrument = n->instrument, .reason = (uint32_t)reason_of(n, buyer, seller),
        .buyer = buyer->holder->account, .seller = seller->holder->account, .lots = QTY(lots),
        .price = n->price, .reference = PRICE_NONE};
    int128_t work = token_lot_work(c, n->instrument) * lots * in->hours;
    e.work = work > INT64_MAX ? INT64_MAX : (int64_t)work;
    if (buyer->at_fault != seller->at_fault) {
        int64_t value, price = int64_abs(n->price.v);
        if (!value_half_even((int128_t)price * lots, in->contract_size, &value)) value = 0;
        e.at_fault = seller->at_fault ? e.seller : e.buyer;
        int64_t damages = delivery_share_floor(value, seller->at_fault ? t->damages_nothing_e6
                                                                       : t->damages_short_e6);
        e.damages.v = money_move(c, delivery_home(c, e.at_fault),
                                 delivery_home(c, seller->at_fault ? e.buyer : e.seller), damages,
                                 POSTING_delivery_damages, n->instrument, 0);
    }
    delivery_cash_say(c, &e);
}

/* Both sides' rests are as many lots: those who did what they had to meet those who did not. */
static int64_t rests_settle(struct core *c, const struct notice *n)
{
    struct rest buyer = {0}, seller = {0};
    uint32_t i = 0, j = 0;
    int64_t settled = 0;
    for (;;) {
        while (buyer.lots == 0 && long_rest(n, i, &buyer)) i += 1;
        while (seller.lots == 0 && short_rest(n, j, &seller)) j += 1;
        int64_t lots = int64_min(buyer.lots, seller.lots);
        if (lots == 0) break;
        rest_settle(c, n, &buyer, &seller, lots);
        buyer.lots -= lots;
        seller.lots -= lots;
        settled += lots;
    }
    ASSERT(buyer.lots == 0 && seller.lots == 0);
    return settled;
}

/* ---- the whole ---- */

static void notice_say(struct core *c, const struct notice *n, int64_t allotted, int64_t cash)
{
    struct event_notice *e = outbox_push(c->out, EVENT_notice, sizeof *e);
    e->instrument = n->instrument;
    e->allocations = n->allocations;
    e->price = n->price;
    e->open = QTY(allotted + cash);
    e->allotted = QTY(allotted);
    e->cash = QTY(cash);
    e->state_seq = c->s->seq - 1;
    memcpy(e->seed, n->seed, sizeof e->seed);
    c->deliver.notices[++c->deliver.s->notice_id % c->deliver.notice_max] = *e;
}

void notice_run(struct core *c, uint32_t instrument)
{
    struct notice *n = c->deliver.notice;
    if (!settle_finally(c, instrument)) { /* sums out of range: looked at again in an hour */
        c->deliver.s->retry = TS(c->s->ts.v + NS_PER_HOUR);
        return;
    }
    n->instrument = instrument;
    n->longs = n->shorts = n->offers = n->blocks = n->pairs = n->allocations = 0;
    n->crowded = false;
    n->price = c->instruments[instrument].settlement;
    if (price_is_none(n->price)) n->price = PRICE(0); /* nothing is open */
    seed_make(c, n);
    holders_collect(c, n);
    offers_collect(c, n);
    shorts_assign(n);
    blocks_match(c, n);
    int64_t allotted = allocations_open(c, n);
    int64_t cash = rests_settle(c, n);
    notice_say(c, n, allotted, cash);
    tenders_drop(c, instrument);
    settle_delivered(c, instrument);
}
