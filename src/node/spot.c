/* spot.c: see spot.h. */
#include "node/spot.h"

#include "quant/spot.h"

#include <stdlib.h>
#include <string.h>

struct spot_work {
    uint64_t auction;
    uint64_t version;
    struct spot_problem problem;
    struct spot_problem_step *steps;
    struct spot_problem_block *blocks;
    uint64_t *ids;        /* of blocks */
    struct spot_solution solution;
};

static const struct outbox *ask(const struct venue *venue, const struct query *q)
{
    const struct outbox *events = NULL;
    venue->query(venue->context, q, &events);
    return events;
}

uint64_t spot_waiting(const struct venue *venue, uint64_t *version)
{
    const struct outbox *events = ask(venue, &(struct query){.kind = QUERY_spot_waiting});
    const struct event_header *h = outbox_next(events, NULL);
    if (h == NULL || h->kind != EVENT_spot_auction) return 0;
    const struct event_spot_auction *a = (const struct event_spot_auction *)(const void *)h;
    *version = a->version;
    return a->id;
}

/* A parent came before its children: the search goes back from the latest. */
static uint32_t parent_of(const struct spot_work *w, uint64_t id)
{
    for (uint32_t i = w->problem.block_count; i > 0 && id != 0; i--) {
        if (w->ids[i - 1] == id) return i;
    }
    return 0;
}

static void bid_read(struct spot_work *w, const struct event_spot_bid *b)
{
    struct spot_problem *p = &w->problem;
    if (b->kind == SPOT_BID_step) {
        w->steps[p->step_count++] = (struct spot_problem_step){
            .price = b->price.v, .qty = b->qty[b->hour].v, .hour = b->hour,
            .sell = b->side == SIDE_sell};
        return;
    }
    if (p->block_count == SPOT_PROBLEM_BLOCKS) return;
    struct spot_problem_block *k = &w->blocks[p->block_count];
    *k = (struct spot_problem_block){.price = b->price.v, .parent = parent_of(w, b->parent),
                                     .sell = b->side == SIDE_sell};
    for (uint32_t h = 0; h < p->hours; h++) k->qty[h] = b->qty[h].v;
    w->ids[p->block_count++] = b->id;
}

static int bids_read(struct spot_work *w, const struct outbox *events)
{
    const struct event_header *h = NULL;
    size_t count = 1;
    while ((h = outbox_next(events, h)) != NULL) count += 1;
    w->steps = malloc(count * sizeof *w->steps);
    w->blocks = calloc(SPOT_PROBLEM_BLOCKS, sizeof *w->blocks);
    w->ids = calloc(SPOT_PROBLEM_BLOCKS, sizeof *w->ids);
    if (w->steps == NULL || w->blocks == NULL || w->ids == NULL) return -1;
    while ((h = outbox_next(events, h)) != NULL) {
        if (h->kind == EVENT_spot_bid)
            bid_read(w, (const struct event_spot_bid *)(const void *)h);
    }
    w->problem.steps = w->steps;
    w->problem.blocks = w->blocks;
    return 0;
}

struct spot_work *spot_work_open(const struct venue *venue, const struct directory *names,
                                 uint64_t auction)
{
    struct spot_work *w = calloc(1, sizeof *w);
    const struct outbox *events =
        ask(venue, &(struct query){.kind = QUERY_spot, .order_id = auction});
    const struct event_header *h = outbox_next(events, NULL);
    if (w == NULL || h == NULL) goto fail;
    const struct event_spot_auction *a = (const struct event_spot_auction *)(const void *)h;
    const struct event_product *product = directory_product(names, a->product);
    if (product == NULL) goto fail;
    w->auction = a->id;
    w->version = a->version;
    w->problem = (struct spot_problem){.hours = a->hours, .node_limit = SPOT_NODES,
                                       .tick = product->terms.tick.v,
                                       .price_min = a->price_min.v, .price_max = a->price_max.v};
    if (bids_read(w, ask(venue, &(struct query){.kind = QUERY_spot_bids,
                                                .order_id = auction})) == 0)
        return w;
fail:
    spot_work_close(w);
    return NULL;
}

void spot_work_close(struct spot_work *w)
{
    if (w == NULL) return;
    free(w->steps);
    free(w->blocks);
    free(w->ids);
    free(w);
}

int spot_work_solve(struct spot_work *w) { return spot_solve(&w->problem, &w->solution); }

uint64_t spot_work_auction(const struct spot_work *w) { return w->auction; }
uint64_t spot_work_version(const struct spot_work *w) { return w->version; }

static struct spot_surplus surplus_of(int128_t value)
{
    return (struct spot_surplus){(int64_t)(value >> 64), (uint64_t)value};
}

void spot_work_command(const struct spot_work *w, struct command *c)
{
    const struct spot_solution *s = &w->solution;
    memset(c, 0, sizeof *c);
    c->header.kind = COMMAND_spot_result;
    c->header.size = command_size_full(COMMAND_spot_result);
    struct command_spot_result *r = &c->spot_result;
    r->auction = w->auction;
    r->version = w->version;
    r->flags = s->optimal ? SPOT_RESULT_OPTIMAL : 0;
    r->nodes = s->nodes;
    r->surplus = surplus_of(s->surplus);
    r->bound = surplus_of(s->bound);
    for (uint32_t h = 0; h < w->problem.hours; h++) {
        r->prices[h] = PRICE(s->prices[h]);
        r->dual[h] = PRICE(s->dual[h]);
    }
    for (uint32_t b = 0; b < w->problem.block_count; b++) {
        if (s->accepted[b]) r->accepted[b / 8] |= (uint8_t)(1u << (b % 8));
    }
}

static int solve_one(const struct venue *venue, const struct directory *names, uint32_t principal,
                     uint64_t auction)
{
    static struct command c;
    const struct outbox *events = NULL;
    struct spot_work *w = spot_work_open(venue, names, auction);
    int e = w == NULL ? -1 : spot_work_solve(w);
    if (e == 0) {
        spot_work_command(w, &c);
        c.header.principal = principal;
        e = venue->submit(venue->context, &c, &events);
        for (const struct event_header *h = NULL;
             e == 0 && (h = outbox_next(events, h)) != NULL;) {
            if (h->kind == EVENT_reject) e = -1;
        }
    }
    spot_work_close(w);
    return e;
}

int spot_solve_waiting(const struct venue *venue, const struct directory *names,
                       uint32_t principal)
{
    uint64_t auction, version;
    while ((auction = spot_waiting(venue, &version)) != 0) {
        if (solve_one(venue, names, principal, auction) != 0) return -1;
    }
    return 0;
}
