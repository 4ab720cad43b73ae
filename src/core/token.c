/* token.c: see token.h. */
#include "core/token.h"

void tokens_cut(struct core *c, struct arena *a)
{
    const struct core_limits *l = &c->limits;
    struct tokens *m = &c->token;
    m->slot_max = l->balances / 4;
    m->cover_max = l->accounts;
    m->s = arena_cut(a, 1, sizeof *m->s);
    m->slots = arena_cut(a, m->slot_max + 1, sizeof *m->slots);
    m->covers = arena_cut(a, m->cover_max + 1, sizeof *m->covers);
    m->account_covers = arena_cut(a, l->accounts + 1, sizeof *m->account_covers);
    map_cut(&m->slot_map, a, m->slot_max, a->base ? &m->s->slot_map_count : NULL);
}

void tokens_start(struct core *c) { (void)c; }

void token_issue(struct core *c, const struct command *cmd)
{
    reject_push(c, cmd, REJECT_not_offered, INT64_MIN);
}
void token_transfer(struct core *c, const struct command *cmd)
{
    reject_push(c, cmd, REJECT_not_offered, INT64_MIN);
}
void token_pledge(struct core *c, const struct command *cmd)
{
    reject_push(c, cmd, REJECT_not_offered, INT64_MIN);
}
