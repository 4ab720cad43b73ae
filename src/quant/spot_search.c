/* spot_search.c: branch and bound over blocks. See spot.h.
 *
 * A node is one relaxation. Every eighth is the one with the best bound, among equals the first
 * that came; those in between go down from it, to where choices have prices. A node says of each
 * block that it is in, out, or not decided; links carry decisions along. Invariants: (1) the best
 * choice is priced and exact; (2) every choice that is better than the best lies in an open node,
 * or is counted in `left`; so the greatest bound of these is a bound of the problem.
 */
#include "quant/spot_internal.h"

#include "base/assert.h"
#include "base/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROUND_EVERY = 8, /* nodes, between tries to find better choices near a relaxation */
    PLUNGE = 8,     /* nodes, between those with the best bound */
    SHAKES = 16,     /* tries from the best, where the bound is far */
};
#define WHOLE 1e-6

struct node {
    int128_t bound;
    uint8_t *fixed;
    uint32_t id;
    uint32_t reserved;
};

struct search {
    struct spot_market_view view;
    struct spot_relaxation *relaxation;
    struct spot_best best;
    struct spot_relaxed relaxed; /* of the node at work */
    struct node *heap;
    uint32_t count;
    uint32_t capacity;
    uint32_t ids;
    uint32_t nodes;
    int128_t left;  /* greatest bound of what was given up */
    bool any_left;
    bool failed;    /* no memory */
};

/* ---- open nodes ---- */

static bool node_before(const struct node *a, const struct node *b)
{
    return a->bound != b->bound ? a->bound > b->bound : a->id < b->id;
}

static void node_push(struct search *s, const uint8_t *fixed, int128_t bound)
{
    uint32_t blocks = s->view.problem->block_count;
    if (s->best.found && bound <= s->best.surplus) return;
    uint8_t *copy = s->count < s->capacity ? malloc(blocks + 1) : NULL;
    if (copy == NULL) {
        s->failed = true;
        return;
    }
    memcpy(copy, fixed, blocks);
    struct node n = {.bound = bound, .fixed = copy, .id = s->ids++};
    uint32_t at = s->count++;
    for (; at > 0 && node_before(&n, &s->heap[(at - 1) / 2]); at = (at - 1) / 2)
        s->heap[at] = s->heap[(at - 1) / 2];
    s->heap[at] = n;
}

/* Takes out the node at this place of the heap. */
static struct node node_take(struct search *s, uint32_t at)
{
    struct node taken = s->heap[at], last = s->heap[--s->count];
    if (at == s->count) return taken;
    for (; at > 0 && node_before(&last, &s->heap[(at - 1) / 2]); at = (at - 1) / 2)
        s->heap[at] = s->heap[(at - 1) / 2];
    for (uint32_t child; (child = 2 * at + 1) < s->count; at = child) {
        if (child + 1 < s->count && node_before(&s->heap[child + 1], &s->heap[child])) child += 1;
        if (!node_before(&s->heap[child], &last)) break;
        s->heap[at] = s->heap[child];
    }
    s->heap[at] = last;
    return taken;
}

/* By the best bound; in between, from there on down, the node that came last. */
static struct node node_next(struct search *s, uint32_t ids_before)
{
    uint32_t at = 0;
    bool plunge = s->nodes % PLUNGE != 0;
    for (uint32_t i = 0; i < s->count && plunge; i++) {
        if (s->heap[i].id >= ids_before && s->heap[i].id > s->heap[at].id) at = i;
    }
    return node_take(s, at);
}

/* ---- decisions ---- */

/* Out goes to children, in to parents; false: it contradicts what is decided. */
static bool decide(const struct spot_market_view *v, uint8_t *fixed, uint32_t block, uint8_t what)
{
    if (fixed[block] == what) return true;
    if (fixed[block] != SPOT_FREE) return false;
    fixed[block] = what;
    uint32_t parent = v->problem->blocks[block].parent;
    if (what == SPOT_IN) return parent == 0 || decide(v, fixed, parent - 1, what);
    for (uint32_t c = v->first_child[block]; c != 0; c = v->next_child[c - 1]) {
        if (!decide(v, fixed, c - 1, what)) return false;
    }
    return true;
}

/* A free block whose move from its bound would cost more than what is left between bound and best
 * stays there. */
static void fix_by_cost(const struct search *s, uint8_t *fixed, int128_t bound)
{
    if (!s->best.found) return;
    double gap = (double)(bound - s->best.surplus) * (1 + 1e-9);
    for (uint32_t b = 0; b < s->view.problem->block_count; b++) {
        double cost = s->relaxed.cost[b], x = s->relaxed.x[b];
        if (fixed[b] != SPOT_FREE || fabs(cost) <= gap) continue;
        uint8_t trial[SPOT_PROBLEM_BLOCKS];
        uint8_t what = x < WHOLE && cost > 0 ? SPOT_OUT : x > 1 - WHOLE && cost < 0 ? SPOT_IN
                                                                                    : SPOT_FREE;
        if (what == SPOT_FREE) continue;
        /* The Lagrangian with the block moved proves it, whatever the relaxation's accuracy. */
        memcpy(trial, fixed, s->view.problem->block_count);
        if (decide(&s->view, trial, b, what == SPOT_OUT ? SPOT_IN : SPOT_OUT) &&
            spot_lagrangian(&s->view, trial, s->relaxed.dual) > s->best.surplus)
            continue;
        memcpy(trial, fixed, s->view.problem->block_count);
        if (decide(&s->view, trial, b, what))
            memcpy(fixed, trial, s->view.problem->block_count);
    }
}

/* The block that is least whole; count: all are whole. Without a relaxation, the first that is not
 * decided. */
static uint32_t branch_block(const struct search *s, const uint8_t *fixed, bool blind)
{
    uint32_t found = s->view.problem->block_count;
    double most = WHOLE;
    for (uint32_t b = 0; b < s->view.problem->block_count; b++) {
        double x = s->relaxed.x[b], apart = x < 0.5 ? x : 1 - x;
        if (fixed[b] == SPOT_FREE && blind) return b;
        if (fixed[b] != SPOT_FREE || apart <= most) continue;
        most = apart;
        found = b;
    }
    return found;
}

/* The likelier comes last, and is looked at first. */
static void branch(struct search *s, const uint8_t *fixed, uint32_t block, int128_t bound,
                   bool in)
{
    for (int i = 0; i < 2; i++) {
        uint8_t child[SPOT_PROBLEM_BLOCKS], what = (i == 1) == in ? SPOT_IN : SPOT_OUT;
        memcpy(child, fixed, s->view.problem->block_count);
        if (decide(&s->view, child, block, what)) node_push(s, child, bound);
    }
}

/* Dual prices within the ranges in which a whole choice clears lose nothing to rounding. */
static int128_t bound_sharpen(struct search *s, const uint8_t *fixed, const struct spot_choice *c,
                              int128_t bound)
{
    int128_t one;
    for (uint32_t h = 0; h < s->view.problem->hours; h++) {
        struct spot_range range;
        int64_t *price = &s->relaxed.dual[h];
        if (!spot_hour_clear(&s->view, h, c->net[h], &one, &range)) return bound;
        *price = *price < range.low ? range.low : *price > range.high ? range.high : *price;
    }
    one = spot_lagrangian(&s->view, fixed, s->relaxed.dual);
    return one < bound ? one : bound;
}

/* The relaxation is whole. With prices it is the best of its node; without, every better choice
 * below rejects one of its free accepted blocks: branch on those. */
static void whole_node(struct search *s, const uint8_t *fixed, int128_t bound)
{
    const struct spot_market_view *v = &s->view;
    struct spot_choice c = {0};
    uint32_t loser, free_taken = v->problem->block_count;
    for (uint32_t b = 0; b < v->problem->block_count; b++) {
        if (s->relaxed.x[b] > 0.5) spot_choice_flip(v, &c, b);
    }
    bound = bound_sharpen(s, fixed, &c, bound);
    enum spot_priced priced = spot_offer(v, &c, &s->best, &loser);
    if (priced == SPOT_PRICED) {
        int128_t surplus;
        bool sums = spot_choice_surplus(v, &c, &surplus);
        if (sums && surplus >= bound) return; /* nothing below is better */
    }
    for (uint32_t b = 0; b < v->problem->block_count; b++) {
        if (fixed[b] != SPOT_FREE) continue;
        if (c.taken[b] && (free_taken == v->problem->block_count || b == loser)) free_taken = b;
    }
    if (free_taken != v->problem->block_count) {
        branch(s, fixed, free_taken, bound, false);
        return;
    }
    if (priced == SPOT_LOSES) return; /* none of them can go: nothing below has prices */
    for (uint32_t b = 0; b < v->problem->block_count; b++) {
        if (fixed[b] != SPOT_FREE) continue;
        branch(s, fixed, b, bound, false); /* the relaxation was not exact, or no price was found */
        return;
    }
    if (priced != SPOT_UNRESOLVED) return; /* decided wholly, and offered */
    if (!s->any_left || bound > s->left) s->left = bound;
    s->any_left = true;
}

static void node_run(struct search *s, struct node *n)
{
    s->nodes += 1;
    int e = spot_relax(s->relaxation, n->fixed, &s->relaxed);
    if (e == 1) return;
    int128_t bound = n->bound;
    if (e == 0 && s->relaxed.bound < bound) bound = s->relaxed.bound;
    if (bound <= s->best.surplus) return;
    uint32_t block = branch_block(s, n->fixed, e != 0);
    if (block == s->view.problem->block_count) {
        whole_node(s, n->fixed, bound);
        return;
    }
    if (s->nodes % ROUND_EVERY == 0) spot_round(&s->view, s->relaxed.x, 0.5, &s->best);
    fix_by_cost(s, n->fixed, bound);
    if (n->fixed[block] != SPOT_FREE) {
        node_push(s, n->fixed, bound);
        return;
    }
    branch(s, n->fixed, block, bound, s->relaxed.x[block] > 0.5);
}

/* ---- the root ---- */

/* Whether more than a thousandth lies between the best and the bound. */
static bool is_wide(const struct search *s, int128_t bound)
{
    return bound - s->best.surplus > s->best.surplus / 1000;
}

static void root_run(struct search *s, struct spot_solution *solution)
{
    static const double thresholds[] = {0.5, 0.999, 0.1, 0.001, 2};
    uint8_t fixed[SPOT_PROBLEM_BLOCKS] = {0};
    int e = spot_relax(s->relaxation, fixed, &s->relaxed);
    if (e == 1) memset(s->relaxed.x, 0, sizeof s->relaxed.x);
    if (e == 1) s->relaxed.bound = spot_lagrangian(&s->view, fixed, s->relaxed.dual);
    int128_t bound = s->relaxed.bound;
    memcpy(solution->dual, s->relaxed.dual, sizeof solution->dual);
    solution->root_bound = bound;
    for (size_t i = 0; i < sizeof thresholds / sizeof thresholds[0]; i++)
        spot_round(&s->view, s->relaxed.x, thresholds[i], &s->best);
    spot_exchange(&s->view, &s->best);
    struct random r = {SHAKES};
    for (int i = 0; i < SHAKES && is_wide(s, bound); i++) spot_shake(&s->view, &s->best, &r);
    ASSERT(s->best.found); /* no block at all balances and loses nothing */
    node_push(s, fixed, bound);
}

static void search_run(struct search *s, struct spot_solution *solution)
{
    uint32_t ids = 0;
    root_run(s, solution);
    while (s->count > 0 && s->nodes < s->view.problem->node_limit && !s->failed) {
        struct node n = node_next(s, ids);
        ids = s->ids;
        if (n.bound > s->best.surplus) node_run(s, &n);
        free(n.fixed);
    }
    if (s->nodes > 0) spot_exchange(&s->view, &s->best);
    int128_t bound = s->best.surplus;
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->heap[i].bound > bound) bound = s->heap[i].bound;
    }
    if (s->any_left && s->left > bound) bound = s->left;
    if (s->failed) bound = solution->root_bound;
    solution->bound = bound;
    solution->surplus = s->best.surplus;
    solution->optimal = bound == s->best.surplus;
    solution->nodes = s->nodes;
    memcpy(solution->prices, s->best.prices, sizeof solution->prices);
    memcpy(solution->accepted, s->best.choice.taken, sizeof solution->accepted);
}

int spot_solve(const struct spot_problem *problem, struct spot_solution *solution)
{
    struct search *s = calloc(1, sizeof *s);
    *solution = (struct spot_solution){0};
    if (s == NULL) return -1;
    int e = spot_view_open(&s->view, problem);
    if (e == 0) {
        s->capacity = 2 * problem->node_limit + 2;
        s->heap = malloc(s->capacity * sizeof *s->heap);
        s->relaxation = spot_relax_open(&s->view);
        if (s->heap == NULL || s->relaxation == NULL) e = -1;
    }
    if (e == 0) search_run(s, solution);
    for (uint32_t i = 0; i < s->count; i++) free(s->heap[i].fixed);
    spot_relax_close(s->relaxation);
    spot_view_close(&s->view);
    free(s->heap);
    free(s);
    return e;
}
