/* limit.c: see limit.h: buckets, holdings, and the check before an order. */
#include "core/limit.h"

#include "core/calendar.h"
#include "core/supply.h"

#include <string.h>

enum { MONTHS_PER_YEAR = 12, MONTHS_PER_QUARTER = 3 };

void limits_cut(struct core *c, struct arena *a)
{
    const struct core_limits *l = &c->limits;
    struct limits *m = &c->limit;
    m->bucket_count = 4 * l->instruments;
    m->holding_count = l->exposures;
    m->record_count = 4 * l->requests;
    m->s = arena_cut(a, 1, sizeof *m->s);
    m->owners = arena_cut(a, l->accounts + 1, sizeof *m->owners);
    m->account_owner = arena_cut(a, l->accounts + 1, sizeof *m->account_owner);
    m->groups = arena_cut(a, l->products + 1, sizeof *m->groups);
    m->buckets = arena_cut(a, m->bucket_count + 1, sizeof *m->buckets);
    m->maps = arena_cut(a, l->instruments + 1, sizeof *m->maps);
    m->holdings = arena_cut(a, m->holding_count + 1, sizeof *m->holdings);
    m->links = arena_cut(a, l->exposures + 1, sizeof *m->links);
    m->records = arena_cut(a, m->record_count, sizeof *m->records);
    map_cut(&m->holding_map, a, m->holding_count, a->base ? &m->s->holding_map_count : NULL);
}

bool limits_are_set(const struct product_limits *l)
{
    return l->spot_cap.v != 0 || l->month.v != 0 || l->all_months.v != 0 ||
           l->accountable_month.v != 0 || l->accountable_all.v != 0 || l->micro_of != NIL;
}

static bool lots_are_valid(qty_t lots) { return lots.v >= 0 && lots.v <= QTY_MAX; }

bool limits_are_valid(const struct core *c, const struct product_limits *l)
{
    if (l->micro_of != NIL) { /* a micro has no limits of its own */
        struct product_limits only = {.micro_of = l->micro_of, .ratio = l->ratio};
        bool divides = l->ratio > 1 && LIMIT_UNIT % l->ratio == 0;
        return divides && memcmp(&only, l, sizeof only) == 0 && l->micro_of <= c->s->products &&
               c->products[l->micro_of].terms.limits.micro_of == NIL;
    }
    bool steps = true;
    for (int i = 0; i < LIMIT_STEPS; i++) {
        steps = steps && l->step_e6[i] <= (i == 0 ? (uint32_t)E6 : l->step_e6[i - 1]);
    }
    bool spot = l->spot_cap.v != 0;
    return steps && l->ratio == 0 && lots_are_valid(l->spot_cap) && lots_are_valid(l->month) &&
           lots_are_valid(l->all_months) && lots_are_valid(l->accountable_month) &&
           lots_are_valid(l->accountable_all) && l->spot_share_e6 >= 0 && l->spot_share_e6 <= E6 &&
           l->spot_days <= 366 && (spot ? l->spot_days > 0 : l->spot_share_e6 == 0);
}

uint32_t limit_group_of(const struct core *c, uint32_t product)
{
    uint32_t leader = c->products[product].terms.limits.micro_of;
    return leader != NIL ? leader : product;
}

/* ---- buckets ---- */

static uint32_t bucket_find(const struct core *c, uint32_t group, ts_t start, ts_t end)
{
    uint32_t b = c->limit.groups[group].buckets;
    while (b != NIL && (c->limit.buckets[b].start.v != start.v ||
                        c->limit.buckets[b].end.v != end.v)) {
        b = c->limit.buckets[b].next;
    }
    return b;
}

bool limit_can_list(const struct core *c)
{
    uint32_t room = c->limit.bucket_count - c->limit.s->buckets;
    for (uint32_t b = c->limit.s->bucket_free; b != NIL && room < LIMIT_BUCKETS_MAX;
         b = c->limit.buckets[b].next) {
        room += 1;
    }
    return room >= LIMIT_BUCKETS_MAX; /* the most that one instrument needs */
}

static uint32_t bucket_get(struct core *c, uint32_t group, const char *name, ts_t start, ts_t end)
{
    struct limits *m = &c->limit;
    uint32_t b = bucket_find(c, group, start, end);
    if (b != NIL) return b;
    b = m->s->bucket_free;
    if (b != NIL) m->s->bucket_free = m->buckets[b].next;
    else b = ++m->s->buckets;
    ASSERT(b <= m->bucket_count);
    m->buckets[b] = (struct limit_bucket){.group = group, .start = start, .end = end,
                                          .next = m->groups[group].buckets,
                                          .last_day = INT64_MAX, .supply = -1};
    size_t length = strnlen(name, LIMIT_PERIOD_SIZE - 1);
    memcpy(m->buckets[b].name, name, length);
    m->groups[group].buckets = b;
    return b;
}

static void bucket_release(struct core *c, uint32_t b)
{
    struct limits *m = &c->limit;
    struct limit_bucket *bucket = &m->buckets[b];
    if (bucket->instruments > 0 || bucket->holdings > 0) return;
    for (uint32_t i = 0; i < m->record_count; i++) {
        if (m->records[i].id != 0 && m->records[i].bucket == b) return;
    }
    uint32_t *link = &m->groups[bucket->group].buckets;
    while (*link != b) link = &m->buckets[*link].next;
    *link = bucket->next;
    *bucket = (struct limit_bucket){.next = m->s->bucket_free};
    m->s->bucket_free = b;
}

static ts_t month_start(int year, int month)
{
    year += (month - 1) / MONTHS_PER_YEAR;
    month = (month - 1) % MONTHS_PER_YEAR + 1;
    return TS(calendar_day(year, month, 1) * NS_PER_DAY);
}

static void month_name(char name[LIMIT_PERIOD_SIZE], int year, int month)
{
    year += (month - 1) / MONTHS_PER_YEAR;
    month = (month - 1) % MONTHS_PER_YEAR + 1;
    const int digits[6] = {year / 1000, year / 100 % 10, year / 10 % 10, year % 10, month / 10,
                           month % 10};
    memset(name, 0, LIMIT_PERIOD_SIZE);
    for (int i = 0, at = 0; i < 6; i++) {
        if (i == 4) name[at++] = 'M';
        name[at++] = (char)('0' + digits[i]);
    }
}

/* 2027M03 of ZZ-2027M03-PK. */
static void period_name(const struct core *c, const struct event_instrument *t,
                        char name[LIMIT_PERIOD_SIZE])
{
    size_t skip = strnlen(c->products[t->product].terms.name, PRODUCT_NAME_SIZE) + 1;
    const char *from = t->name + skip;
    size_t length = strcspn(from, "-");
    memset(name, 0, LIMIT_PERIOD_SIZE);
    memcpy(name, from, length < LIMIT_PERIOD_SIZE ? length : LIMIT_PERIOD_SIZE - 1);
}

/* How much of a month a lot of a shorter period is, in the sum: by its hours, rounded up. */
static uint64_t part_of_month(const struct event_instrument *t, uint32_t unit)
{
    struct date d = calendar_date(int64_div_floor(t->start.v, NS_PER_DAY));
    int64_t hours = (t->end.v - t->start.v) / NS_PER_HOUR;
    int64_t month = calendar_month_days(d.year, d.month) * (NS_PER_DAY / NS_PER_HOUR);
    if (hours >= month) return unit;
    return (uint64_t)int128_div_ceil((int128_t)unit * hours, month);
}

static void bucket_list(struct core *c, uint32_t instrument, uint32_t b, bool direct)
{
    struct limit_map *map = &c->limit.maps[instrument];
    struct limit_bucket *bucket = &c->limit.buckets[b];
    map->bucket[map->count++] = b;
    bucket->instruments += 1;
    if (!direct) return;
    int64_t day = int64_div_floor(c->instruments[instrument].terms.expires_at.v - 1, NS_PER_DAY);
    bucket->last_day = int64_min(bucket->last_day, day);
}

enum reject limit_list(struct core *c, uint32_t instrument)
{
    const struct event_instrument *t = &c->instruments[instrument].terms;
    const struct product_limits *l = &c->products[t->product].terms.limits;
    uint32_t group = limit_group_of(c, t->product);
    struct limit_map *map = &c->limit.maps[instrument];
    char name[LIMIT_PERIOD_SIZE];
    if (!limit_can_list(c)) return REJECT_capacity_exhausted;
    *map = (struct limit_map){.unit = LIMIT_UNIT / (l->ratio != 0 ? l->ratio : 1)};
    int months = t->period == PERIOD_year ? MONTHS_PER_YEAR
                 : t->period == PERIOD_quarter ? MONTHS_PER_QUARTER : 0;
    struct date d = calendar_date(int64_div_floor(t->start.v, NS_PER_DAY));
    for (int i = 0; i < months; i++) {
        month_name(name, d.year, d.month + i);
        bucket_list(c, instrument,
                    bucket_get(c, group, name, month_start(d.year, d.month + i),
                               month_start(d.year, d.month + i + 1)), false);
    }
    if (months == 0) {
        period_name(c, t, name);
        bucket_list(c, instrument, bucket_get(c, group, name, t->start, t->end), true);
        map->all_unit = part_of_month(t, map->unit);
    } else {
        map->all_unit = (uint64_t)map->unit * (uint64_t)months;
    }
    uint32_t all = bucket_get(c, group, "all", TS(0), TS(0));
    c->limit.groups[group].all = all;
    bucket_list(c, instrument, all, false);
    supply_freeze(c); /* it may be in its spot period already */
    return REJECT_none;
}

void limit_expire(struct core *c, uint32_t instrument)
{
    uint32_t e = c->instruments[instrument].exposures;
    for (; e != NIL; e = c->exposures[e].next_of_instrument) {
        if (c->exposures[e].limited != 0) limit_detach(c, e);
    }
    struct limit_map *map = &c->limit.maps[instrument];
    for (uint32_t i = 0; i < map->count; i++) {
        struct limit_bucket *b = &c->limit.buckets[map->bucket[i]];
        b->instruments -= 1;
        bucket_release(c, map->bucket[i]);
    }
    *map = (struct limit_map){0};
}

/* ---- owners ---- */

uint32_t limit_owner_key(const struct core *c, uint32_t account)
{
    uint32_t owner = c->limit.account_owner[account];
    return owner != 0 ? owner : LIMIT_OWNER_ACCOUNT | account;
}

const char *limit_owner_name(const struct core *c, uint32_t key)
{
    if ((key & LIMIT_OWNER_ACCOUNT) == 0) return c->limit.owners[key].name;
    return c->accounts[key & ~(uint32_t)LIMIT_OWNER_ACCOUNT].name;
}

/* ---- holdings ---- */

static uint64_t key_of(uint32_t owner, uint32_t bucket) { return (uint64_t)owner << 32 | bucket; }

bool limit_has_room(const struct core *c, uint32_t account, uint32_t instrument)
{
    const struct limits *m = &c->limit;
    const struct limit_map *map = &m->maps[instrument];
    uint32_t owner = limit_owner_key(c, account), fresh = 0;
    for (uint32_t i = 0; i < map->count; i++) {
        if (map_find(&m->holding_map, key_of(owner, map->bucket[i])) == NULL) fresh += 1;
    }
    return m->s->holding_map_count + fresh <= m->holding_count;
}

static uint32_t holding_get(struct core *c, uint32_t owner, uint32_t bucket)
{
    struct limits *m = &c->limit;
    const uint32_t *found = map_find(&m->holding_map, key_of(owner, bucket));
    if (found != NULL) return *found;
    uint32_t h = m->s->holding_free;
    if (h != NIL) m->s->holding_free = m->holdings[h].next;
    else h = ++m->s->holdings;
    ASSERT(h <= m->holding_count);
    m->holdings[h] = (struct limit_holding){.owner = owner, .bucket = bucket,
                                            .version = m->s->version - 1};
    m->buckets[bucket].holdings += 1;
    map_insert(&m->holding_map, key_of(owner, bucket), h);
    return h;
}

static void holding_release(struct core *c, uint32_t h)
{
    struct limits *m = &c->limit;
    struct limit_holding *holding = &m->holdings[h];
    ASSERT(holding->net == 0 && holding->buys == 0 && holding->sells == 0);
    uint32_t bucket = holding->bucket;
    map_remove(&m->holding_map, key_of(holding->owner, bucket));
    *holding = (struct limit_holding){.next = m->s->holding_free};
    m->s->holding_free = h;
    m->buckets[bucket].holdings -= 1;
    bucket_release(c, bucket);
}

void limit_attach(struct core *c, uint32_t e)
{
    struct exposure *x = &c->exposures[e];
    const struct limit_map *map = &c->limit.maps[x->instrument];
    struct limit_link *link = &c->limit.links[e];
    uint32_t owner = limit_owner_key(c, x->account);
    ASSERT(x->limited == 0);
    if (map->count == 0) return; /* it has expired: it counts nowhere */
    *link = (struct limit_link){.count = map->count};
    for (uint32_t i = 0; i < map->count; i++) {
        link->holding[i] = holding_get(c, owner, map->bucket[i]);
        c->limit.holdings[link->holding[i]].links += 1;
    }
    x->limited = 1;
    if (x->lot_margin != LOT_MARGIN_SPAN) x->lot_margin = LOT_MARGIN_NONE;
    limit_refresh(c, e);
}

/* What of an exposure is counted, by this much more. */
static void link_add(struct core *c, const struct limit_link *link, uint32_t instrument,
                     int64_t position, int64_t buys, int64_t sells)
{
    const struct limit_map *map = &c->limit.maps[instrument];
    for (uint32_t i = 0; i < link->count; i++) {
        struct limit_holding *h = &c->limit.holdings[link->holding[i]];
        int128_t unit = i + 1 == link->count ? (int128_t)map->all_unit : map->unit;
        h->net += unit * position;
        h->buys += unit * buys;
        h->sells += unit * sells;
    }
}

void limit_detach(struct core *c, uint32_t e)
{
    struct exposure *x = &c->exposures[e];
    struct limit_link link = c->limit.links[e];
    ASSERT(x->limited != 0);
    link_add(c, &link, x->instrument, -link.position, -link.buys, -link.sells);
    for (uint32_t i = 0; i < link.count; i++) {
        struct limit_holding *h = &c->limit.holdings[link.holding[i]];
        h->links -= 1;
        if (h->links == 0) holding_release(c, link.holding[i]);
    }
    c->limit.links[e] = (struct limit_link){0};
    x->limited = 0;
}

/* GUARD-07: an accountability level is passed: said once, until the position is below it again. */
static void levels_look(struct core *c, const struct limit_link *link, uint32_t account)
{
    for (uint32_t i = 0; i < link->count; i++) {
        struct limit_holding *h = &c->limit.holdings[link->holding[i]];
        const struct limit_bucket *b = &c->limit.buckets[h->bucket];
        const struct product_limits *l = &c->products[b->group].terms.limits;
        int64_t level = i + 1 == link->count ? l->accountable_all.v : l->accountable_month.v;
        int128_t held = h->net < 0 ? -h->net : h->net;
        bool above = level != 0 && held > (int128_t)level * LIMIT_UNIT;
        if (above && h->alerted == 0) event_holding_push(c, c->out, h, account);
        h->alerted = above ? 1 : 0;
    }
}

void limit_refresh(struct core *c, uint32_t e)
{
    const struct exposure *x = &c->exposures[e];
    struct limit_link *link = &c->limit.links[e];
    int64_t moved = x->position - link->position;
    link_add(c, link, x->instrument, moved, x->open_buys - link->buys,
             x->open_sells - link->sells);
    link->position = x->position;
    link->buys = x->open_buys;
    link->sells = x->open_sells;
    if (moved != 0) levels_look(c, link, x->account);
}

/* ---- the limit ---- */

bool limit_in_spot(const struct core *c, const struct limit_bucket *b)
{
    const struct product_limits *l = &c->products[b->group].terms.limits;
    return l->spot_cap.v != 0 && b->last_day != INT64_MAX &&
           c->s->day > b->last_day - (int64_t)l->spot_days;
}

/* min(share of the deliverable supply, cap), stepped down over the last dates; lots. */
static int64_t spot_limit(const struct core *c, const struct limit_bucket *b)
{
    const struct product_limits *l = &c->products[b->group].terms.limits;
    int64_t supply = b->supply >= 0 ? b->supply : c->limit.groups[b->group].supply - 1;
    int64_t limit = l->spot_cap.v;
    if (l->spot_share_e6 != 0 && supply >= 0) {
        limit = int64_min(limit, (int64_t)((int128_t)supply * l->spot_share_e6 / E6));
    }
    int64_t left = b->last_day - c->s->day;
    uint32_t step = l->step_e6[left >= 2 ? 0 : left == 1 ? 1 : 2];
    return (int64_t)((int128_t)limit * step / E6);
}

int128_t limit_of(const struct core *c, const struct limit_bucket *b,
                  const struct limit_extra *extra, enum side side)
{
    const struct product_limits *l = &c->products[b->group].terms.limits;
    bool all = b->end.v == 0;
    int64_t limit = all ? l->all_months.v : l->month.v;
    bool none = limit == 0;
    if (!all && limit_in_spot(c, b)) {
        int64_t spot = spot_limit(c, b);
        if (side == SIDE_buy) spot = int64_max(spot - extra->physical, 0);
        limit = none ? spot : int64_min(limit, spot);
        none = false;
    }
    if (none) return -1;
    return ((int128_t)limit + extra->exempt[side]) * LIMIT_UNIT;
}

static struct limit_extra extra_of(const struct core *c, uint32_t owner, uint32_t bucket)
{
    struct limit_extra x = {.until = TS(INT64_MAX)};
    uint32_t group = c->limit.buckets[bucket].group;
    for (uint32_t i = 0; i < c->limit.record_count; i++) {
        const struct limit_record *r = &c->limit.records[i];
        if (r->id == 0 || r->owner != owner || r->product != group) continue;
        if ((r->bucket != NIL && r->bucket != bucket) || r->expires_at.v <= c->s->ts.v) continue;
        if (r->expires_at.v < x.until.v) x.until = r->expires_at;
        if (r->kind == LIMIT_RECORD_physical) x.physical += r->amount.v;
        else if (r->sides & LIMIT_SIDE_LONG) x.exempt[SIDE_buy] += r->amount.v;
        if (r->kind == LIMIT_RECORD_exemption && (r->sides & LIMIT_SIDE_SHORT))
            x.exempt[SIDE_sell] += r->amount.v;
    }
    return x;
}

void limit_extra_refresh(struct core *c, struct limit_holding *h)
{
    if (h->version == c->limit.s->version && h->extra.until.v > c->s->ts.v) return;
    h->extra = extra_of(c, h->owner, h->bucket);
    h->version = c->limit.s->version;
}

/* Whether one leg may have `qty` more working lots on this side. */
static bool leg_admits(struct core *c, uint32_t e, enum side side, int64_t qty, int64_t *detail)
{
    const struct exposure *x = &c->exposures[e];
    const struct limit_link *link = &c->limit.links[e];
    const struct limit_map *map = &c->limit.maps[x->instrument];
    for (uint32_t i = 0; x->limited != 0 && i < link->count; i++) {
        struct limit_holding *h = &c->limit.holdings[link->holding[i]];
        limit_extra_refresh(c, h);
        int128_t limit = limit_of(c, &c->limit.buckets[h->bucket], &h->extra, side);
        if (limit < 0) continue;
        int128_t more = (i + 1 == link->count ? (int128_t)map->all_unit : map->unit) * qty;
        int128_t worst = side == SIDE_buy ? h->net + h->buys : h->sells - h->net;
        if (worst + more <= limit) continue;
        *detail = (int64_t)(limit / LIMIT_UNIT);
        return false;
    }
    return true;
}

enum reject limit_admit(struct core *c, uint32_t e, uint32_t eb, enum side side, int64_t qty,
                        int64_t qty_b, int64_t *detail)
{
    if (c->limit.waived) return REJECT_none;
    bool ok = (e == NIL || leg_admits(c, e, side, qty, detail)) &&
              (eb == NIL || leg_admits(c, eb, opposite(side), qty_b, detail));
    return ok ? REJECT_none : REJECT_position_limit;
}

/* ---- what is said ---- */

static int64_t clamp(int128_t v)
{
    if (v > INT64_MAX) return INT64_MAX;
    return v < -INT64_MAX ? -INT64_MAX : (int64_t)v;
}

void event_holding_push(const struct core *c, struct outbox *out, const struct limit_holding *h,
                        uint32_t alert_account)
{
    const struct limit_bucket *b = &c->limit.buckets[h->bucket];
    const struct product_limits *l = &c->products[b->group].terms.limits;
    struct limit_extra extra = extra_of(c, h->owner, h->bucket);
    struct event_holding *e = outbox_push(out, EVENT_holding, sizeof *e);
    e->product = b->group;
    e->alert_account = alert_account;
    e->net = clamp(h->net);
    e->buys = clamp(h->buys);
    e->sells = clamp(h->sells);
    e->limit[SIDE_buy] = clamp(limit_of(c, b, &extra, SIDE_buy));
    e->limit[SIDE_sell] = clamp(limit_of(c, b, &extra, SIDE_sell));
    e->exempt[SIDE_buy] = extra.exempt[SIDE_buy];
    e->exempt[SIDE_sell] = extra.exempt[SIDE_sell];
    e->physical = extra.physical;
    e->level = b->end.v == 0 ? l->accountable_all.v : l->accountable_month.v;
    e->in_spot = limit_in_spot(c, b) ? 1 : 0;
    e->reserved = 0;
    memset(e->owner, 0, sizeof e->owner);
    memcpy(e->owner, limit_owner_name(c, h->owner), sizeof e->owner - 1);
    memcpy(e->period, b->name, sizeof e->period);
}
