/* remargin.c: see remargin.h. */
#include "quant/remargin.h"

#include "base/assert.h"
#include "base/units.h"
#include "quant/remargin_kernel.h"
#include "quant/shortfall.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 256 }; /* accounts that a thread takes at a time */

/* What one lot of an instrument adds, whatever else is held. */
struct lot {
    double now, long_run;           /* USD of one z */
    double alone_now, alone_long;   /* tail of one lot taken alone */
    double alone_up, alone_down;    /* stress: of a long, of a short lot */
    double liquidity, delivery, volume, notional, days;
    uint32_t product;
};

struct plan {
    const struct remargin *m;
    const struct kernel *kernel;
    struct requirement *out; /* NULL: only the product */
    double *profits;
    double *tiles;
    struct lot *lots;
    double *shocks; /* [instrument][stressed], USD a lot */
    uint32_t tile_count, tail;
    uint32_t next; /* the first account that no thread has taken */
    int failed;
};

struct worker {
    struct kernel_holding *holdings;
    uint32_t capacity;
    double *now, *long_run, *room, *stress, *net;
};

/* ---- the plan ---- */

static double tail_alone(double *values, uint32_t n, uint32_t tail_ppm, bool var)
{
    double t = 0;
    if (shortfall_count(tail_ppm, n) == 1) { /* as with most stress sets */
        for (uint32_t i = 0; i < n; i++) t = -values[i] > t ? -values[i] : t;
        return t;
    }
    t = var ? shortfall_var(values, n, tail_ppm) : shortfall_es(values, n, tail_ppm);
    return t > 0 ? t : 0;
}

static void plan_lot(struct plan *p, uint32_t i, double *room)
{
    const struct risk *r = p->m->risk;
    const struct risk_instrument *n = &r->instruments[i];
    struct lot *lot = &p->lots[i];
    uint32_t stressed = r->stressed;
    *lot = (struct lot){.now = n->contract_size * n->sigma * n->scale,
                        .long_run = n->contract_size * n->sigma_long * n->scale,
                        .liquidity = n->contract_size * n->half_spread,
                        .delivery = n->delivery, .volume = n->ct_per_lot * n->floor_ct,
                        .notional = n->contract_size * n->price * n->floor_share,
                        .days = 1 / (r->method.participation * n->adv *
                                     (double)r->method.horizon),
                        .product = n->product};
    const double *z = &r->z[(size_t)i * r->method.window];
    for (int var = 0; var < 2; var++) {
        for (uint32_t s = 0; s < r->scenarios; s++) {
            room[s] = z[s] * (var ? lot->long_run : lot->now);
            room[r->scenarios + s] = -room[s];
        }
        double t = tail_alone(room, 2 * r->scenarios, r->method.tail_ppm, var);
        if (var) lot->alone_long = t;
        else lot->alone_now = t;
    }
    for (uint32_t s = 0; s < stressed; s++)
        p->shocks[(size_t)i * stressed + s] =
            n->contract_size * r->shock[(size_t)i * r->stress->count + s];
    for (int down = 0; down < 2 && stressed > 0; down++) {
        for (uint32_t s = 0; s < stressed; s++)
            room[s] = (down ? -1 : 1) * p->shocks[(size_t)i * stressed + s];
        double t = tail_alone(room, stressed, r->method.tail_ppm, false);
        if (down) lot->alone_down = t;
        else lot->alone_up = t;
    }
}

static void plan_tiles(struct plan *p)
{
    const struct risk *r = p->m->risk;
    for (uint32_t s = 0; s < r->scenarios; s++) {
        double *tile = p->tiles + (size_t)(s / KERNEL_TILE) * r->count * KERNEL_TILE;
        for (uint32_t i = 0; i < r->count; i++)
            tile[(size_t)i * KERNEL_TILE + s % KERNEL_TILE] =
                r->z[(size_t)i * r->method.window + s];
    }
}

static void *aligned(size_t doubles)
{
    void *block = aligned_alloc(64, (doubles * sizeof(double) + 127) / 64 * 64);
    if (block != NULL) memset(block, 0, (doubles * sizeof(double) + 127) / 64 * 64);
    return block;
}

static int plan_make(struct plan *p, struct quant_error *error)
{
    const struct risk *r = p->m->risk;
    p->kernel = kernel_best();
    p->tile_count = (r->scenarios + KERNEL_TILE - 1) / KERNEL_TILE;
    p->tail = shortfall_count(r->method.tail_ppm, 2 * r->scenarios);
    p->tiles = aligned((size_t)p->tile_count * r->count * KERNEL_TILE);
    p->lots = calloc(r->count, sizeof *p->lots);
    p->shocks = aligned((size_t)r->count * r->stressed + 1);
    double *room = aligned(2 * (size_t)r->scenarios + r->stressed);
    int status = 0;
    if (p->tiles == NULL || p->lots == NULL || p->shocks == NULL || room == NULL)
        status = quant_fail(error, "margin", 0, "no memory");
    for (uint32_t i = 0; i < r->count && status == 0; i++) plan_lot(p, i, room);
    if (status == 0) plan_tiles(p);
    free(room);
    return status;
}

static void plan_free(struct plan *p)
{
    free(p->tiles);
    free(p->lots);
    free(p->shocks);
}

/* ---- one account ---- */

static double capped(const struct risk *r, double joint, double alone)
{
    double kept = (double)(SHORTFALL_MILLION - r->method.offset_max_ppm) / SHORTFALL_MILLION;
    return joint + kept * (alone > joint ? alone - joint : 0);
}

/* A tail by the kernel, or, where it is longer than that takes, by selection. */
static void tail_joint(const struct plan *p, double *values, double *room,
                       struct kernel_tail *tail)
{
    uint32_t n = p->tile_count * KERNEL_TILE, k = p->tail;
    if (k <= KERNEL_TAIL_MAX) {
        p->kernel->select(values, n, k, room, tail);
        return;
    }
    for (uint32_t i = 0; i < n; i++) room[i] = fabs(values[i]);
    (void)shortfall_select(room, n, k);
    *tail = (struct kernel_tail){.least = room[0]};
    for (uint32_t i = 0; i < k; i++) {
        tail->mean += room[i] / (double)k;
        if (room[i] < tail->least) tail->least = room[i];
    }
}

static double stress_joint(const struct plan *p, const struct position *held, uint32_t count,
                           double *sums)
{
    uint32_t n = p->m->risk->stressed;
    for (uint32_t s = 0; s < n; s++) sums[s] = 0;
    for (uint32_t k = 0; k < count; k++) {
        const double *shock = &p->shocks[(size_t)held[k].instrument * n];
        double lots = (double)held[k].lots;
        for (uint32_t s = 0; s < n; s++) sums[s] += lots * shock[s];
    }
    return n == 0 ? 0 : tail_alone(sums, n, p->m->risk->method.tail_ppm, false);
}

struct sums {
    double now, long_run, stress, liquidity, delivery, volume, concentration, notional;
};

/* What adds up over positions. */
static void add_up(const struct plan *p, const struct position *held, uint32_t count, double *net,
                   struct sums *s)
{
    *s = (struct sums){0};
    for (uint32_t k = 0; k < count; k++) net[p->lots[held[k].instrument].product] = 0;
    for (uint32_t k = 0; k < count; k++) {
        const struct lot *lot = &p->lots[held[k].instrument];
        double lots = fabs((double)held[k].lots);
        s->now += lots * lot->alone_now;
        s->long_run += lots * lot->alone_long;
        s->stress += lots * (held[k].lots < 0 ? lot->alone_down : lot->alone_up);
        s->liquidity += lots * lot->liquidity;
        s->delivery += lots * lot->delivery;
        s->volume += lots * lot->volume;
        double more = sqrt(lots * lot->days) - 1;
        if (more > 0) s->concentration += lots * lot->alone_now * more;
        net[lot->product] += (double)held[k].lots * lot->notional;
    }
    for (uint32_t k = 0; k < count; k++) {
        double *at = &net[p->lots[held[k].instrument].product];
        s->notional += fabs(*at);
        *at = 0; /* once a product */
    }
}

static int micro(struct measure *m, const struct risk *r, double joint, double alone)
{
    return quant_micro_ceil(joint, &m->joint) | quant_micro_ceil(alone, &m->alone) |
           quant_micro_ceil(capped(r, joint, alone), &m->value);
}

static int finish(const struct plan *p, uint32_t account, struct worker *w, double *now,
                  double *long_run)
{
    const struct remargin *m = p->m;
    const struct risk *r = m->risk;
    struct requirement *q = &p->out[account];
    const struct position *held = &m->positions[m->first[account]];
    uint32_t count = m->first[account + 1] - m->first[account];
    struct kernel_tail a, b;
    struct sums s;
    *q = (struct requirement){0};
    tail_joint(p, now, w->room, &a);
    tail_joint(p, long_run, w->room, &b);
    double stress = stress_joint(p, held, count, w->stress);
    add_up(p, held, count, w->net, &s);
    int bad = micro(&q->filtered, r, a.mean, s.now) | micro(&q->stressed, r, stress, s.stress) |
              micro(&q->long_run, r, b.least, s.long_run) |
              quant_micro_ceil(s.liquidity, &q->liquidity) |
              quant_micro_ceil(s.delivery, &q->delivery) |
              quant_micro_ceil(s.volume, &q->floor_volume) |
              quant_micro_ceil(s.concentration, &q->concentration) |
              quant_micro_ceil(s.notional, &q->floor_notional);
    if (bad != 0) return -1;
    return requirement_combine(r, m->credits != NULL ? m->credits[account] : 0, q);
}

/* ---- blocks and threads ---- */

static int block(struct plan *p, struct worker *w, uint32_t from, uint32_t accounts)
{
    const struct remargin *m = p->m;
    uint32_t begin = m->first[from], end = m->first[from + accounts];
    size_t row = (size_t)p->tile_count * KERNEL_TILE;
    if (end - begin > w->capacity) {
        struct kernel_holding *moved = realloc(w->holdings, 2 * (end - begin) * sizeof *moved);
        if (moved == NULL) return -1;
        w->holdings = moved;
        w->capacity = 2 * (end - begin);
    }
    for (uint32_t k = begin; k < end; k++) {
        const struct position *at = &m->positions[k];
        const struct lot *lot = &p->lots[at->instrument];
        w->holdings[k - begin] = (struct kernel_holding){
            at->instrument, (double)at->lots * lot->now, (double)at->lots * lot->long_run};
    }
    struct kernel_job job = {.tiles = p->tiles, .tile_count = p->tile_count,
                             .instruments = m->risk->count, .holdings = w->holdings,
                             .first = &m->first[from], .accounts = accounts,
                             .now = p->profits != NULL ? p->profits + from * row : w->now,
                             .long_run = w->long_run};
    if (p->out == NULL) {
        p->kernel->single(&job);
        return 0;
    }
    p->kernel->both(&job);
    for (uint32_t a = 0; a < accounts; a++) {
        if (finish(p, from + a, w, w->now + a * row, w->long_run + a * row) != 0) return -1;
    }
    return 0;
}

static int worker_open(struct worker *w, const struct plan *p)
{
    size_t row = (size_t)p->tile_count * KERNEL_TILE;
    *w = (struct worker){.now = aligned(KERNEL_BLOCK * row),
                         .long_run = aligned(KERNEL_BLOCK * row),
                         .room = aligned(row + KERNEL_ROOM),
                         .stress = aligned(p->m->risk->stressed + 1),
                         .net = aligned(p->m->risk->count)};
    return w->now != NULL && w->long_run != NULL && w->room != NULL && w->stress != NULL &&
                   w->net != NULL ? 0 : -1;
}

static void worker_close(struct worker *w)
{
    free(w->holdings);
    free(w->now);
    free(w->long_run);
    free(w->room);
    free(w->stress);
    free(w->net);
}

static void *work_through(void *context)
{
    struct plan *p = context;
    struct worker w;
    int status = worker_open(&w, p);
    while (status == 0 && __atomic_load_n(&p->failed, __ATOMIC_RELAXED) == 0) {
        uint32_t from = __atomic_fetch_add(&p->next, CHUNK, __ATOMIC_RELAXED);
        if (from >= p->m->accounts) break;
        uint32_t end = p->m->accounts - from < CHUNK ? p->m->accounts : from + CHUNK;
        for (; from < end && status == 0; from += KERNEL_BLOCK)
            status = block(p, &w, from, end - from < KERNEL_BLOCK ? end - from : KERNEL_BLOCK);
    }
    if (status != 0) __atomic_store_n(&p->failed, 1, __ATOMIC_RELAXED);
    worker_close(&w);
    return NULL;
}

static int run(struct plan *p, struct quant_error *error)
{
    pthread_t threads[REMARGIN_THREADS_MAX];
    uint32_t wanted = p->m->threads < 1 ? 1 : p->m->threads, started = 0;
    if (wanted > REMARGIN_THREADS_MAX) wanted = REMARGIN_THREADS_MAX;
    while (started + 1 < wanted &&
           pthread_create(&threads[started], NULL, work_through, p) == 0) started += 1;
    (void)work_through(p); /* this thread works too */
    for (uint32_t i = 0; i < started; i++) (void)pthread_join(threads[i], NULL);
    if (p->failed == 0) return 0;
    return quant_fail(error, "margin", 0,
                      "no memory, or an amount is beyond what the ledger can hold");
}

static int check(const struct remargin *m, struct quant_error *error)
{
    if (m->risk->count > REMARGIN_INSTRUMENTS_MAX)
        return quant_fail(error, "margin", 0, "more than %d instruments",
                          REMARGIN_INSTRUMENTS_MAX);
    ASSERT(m->accounts < UINT32_MAX - REMARGIN_THREADS_MAX * CHUNK);
    for (uint32_t k = 0; k < m->first[m->accounts]; k++) {
        ASSERT(m->positions[k].instrument < m->risk->count);
        if (m->positions[k].kind != POSITION_future)
            return quant_fail(error, "margin", 0, "options are margined one by one");
    }
    return 0;
}

static int plan_run(struct plan *p, struct quant_error *error)
{
    if (check(p->m, error) != 0) return -1;
    int status = plan_make(p, error);
    if (status == 0) status = run(p, error);
    plan_free(p);
    return status;
}

int remargin_run(const struct remargin *m, struct requirement *out, struct quant_error *error)
{
    struct plan p = {.m = m, .out = out};
    return plan_run(&p, error);
}

int remargin_product(const struct remargin *m, double *profits, struct quant_error *error)
{
    struct plan p = {.m = m, .profits = profits};
    return plan_run(&p, error);
}

const char *remargin_vectors(void) { return kernel_best()->name; }
