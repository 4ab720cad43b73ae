/* token_check.c: asserts the invariants of token.h, hashes tokens, and answers questions. */
#include "core/token.h"

#include "core/ledger.h"

/* (1), (4): one asset's balances. */
static void check_slot(const struct core *c, uint32_t place)
{
    const struct token_slot *slot = &c->token.slots[place];
    int128_t sum = 0, pledged = 0;
    bool issued = false;
    for (uint32_t b = slot->balances; b != NIL; b = c->balances[b].asset_next) {
        const struct balance *x = &c->balances[b];
        ASSERT(x->asset == slot->asset && balance_find(c, x->account, x->asset) == b);
        ASSERT(c->balances[x->before].next == b && x->pending_out == 0 && x->pledged >= 0);
        ASSERT(x->amount >= 0 || x->account == c->s->account_issuer);
        sum += x->amount;
        pledged += x->pledged;
        issued = issued || x->amount < 0;
    }
    ASSERT(sum == 0 && pledged == slot->pledged && issued); /* one without tokens is given back */
    ASSERT(slot->pledged == token_balance(c, c->s->account_collateral, slot->asset));
    ASSERT(slot->escrowed == token_balance(c, c->token.s->account_escrow, slot->asset));
    ASSERT(token_slot_find(c, slot->asset) == place);
    ASSERT(slot->over != 0 || token_asset_hour(slot->asset) >= c->token.s->hour_next);
    ASSERT(slot->over == 0 || slot->escrowed > 0);
}

/* (2): what an account has pledged of an hour is what its pledges come to. */
static void check_pledged(const struct core *c, const struct balance *b)
{
    int64_t hour = token_asset_hour(b->asset);
    int128_t due = 0;
    if (c->accounts[b->account].system != 0) return;
    if (c->token.slots[token_slot_find(c, b->asset)].over != 0) return;
    for (uint32_t k = c->token.account_covers[b->account]; k != NIL;
         k = c->token.covers[k].next) {
        const struct token_cover *x = &c->token.covers[k];
        struct token_class class;
        bool some = token_product_class(c, c->instruments[x->instrument].product, &class);
        ASSERT(some && x->lots > 0 && x->account == b->account);
        if (block_has_hour(c, x->instrument, hour) &&
            token_class_find(c, &class) == token_asset_class(b->asset))
            due += x->lots * token_lot_work(c, x->instrument);
    }
    ASSERT(due == b->pledged);
}

static void check_free(const struct core *c)
{
    uint32_t freed = 0, used = 0, over = 0, covers = 0;
    for (uint32_t i = c->token.s->slot_free; i != NIL; i = c->token.slots[i].next) freed += 1;
    for (uint32_t i = 1; i <= c->token.s->slots; i++) {
        if (c->token.slots[i].asset == 0) continue;
        used += 1;
        over += c->token.slots[i].over;
        check_slot(c, i);
    }
    ASSERT(used + freed == c->token.s->slots && used == c->token.s->slot_map_count);
    ASSERT(over == c->token.s->over);
    for (uint32_t i = 1; i <= c->token.s->covers; i++) covers += c->token.covers[i].account != NIL;
    ASSERT(covers == c->token.s->covers_live);
}

void token_check(const struct core *c)
{
    uint32_t used = 0, freed = 0;
    check_free(c);
    for (uint32_t b = 1; b <= c->s->balances; b++) {
        const struct balance *x = &c->balances[b];
        if (x->account == NIL) continue;
        used += 1;
        if (!asset_is_token(x->asset)) continue;
        ASSERT(token_slot_find(c, x->asset) != NIL);
        check_pledged(c, x);
    }
    for (uint32_t b = c->s->balance_free; b != NIL; b = c->balances[b].next) freed += 1;
    ASSERT(used + freed == c->s->balances && used == c->s->balance_map_count);
    const struct certify *m = &c->certify; /* (3) */
    for (uint32_t i = 1; i <= m->s->promises; i++) {
        if (m->promises[i].resource == NIL) continue;
        ASSERT(m->promises[i].issued <= m->promises[i].backed);
    }
}

/* Balances are hashed with all others (hash.c). */
void token_hash(const struct core *c, void (*add)(void *h, const void *bytes, size_t size),
                void *h)
{
    int64_t numbers[5] = {c->token.s->slot_map_count, c->token.s->over, c->token.s->covers_live,
                          c->token.s->account_escrow, c->token.s->hour_next};
    add(h, numbers, sizeof numbers);
    for (uint32_t i = 1; i <= c->token.s->slots; i++) {
        const struct token_slot *slot = &c->token.slots[i];
        int64_t words[4] = {slot->asset, slot->over, slot->pledged, slot->escrowed};
        if (slot->asset != 0) add(h, words, sizeof words);
    }
    for (uint32_t i = 1; i <= c->token.s->covers; i++) {
        const struct token_cover *x = &c->token.covers[i];
        int64_t words[3] = {x->account, x->instrument, x->lots};
        if (x->account != NIL) add(h, words, sizeof words);
    }
}

/* ---- questions ---- */

static bool token_answer(const struct core *c, struct outbox *out, uint32_t class, int64_t hour)
{
    uint32_t asset = token_asset(class, hour), slot = token_slot_find(c, asset);
    struct class_supply supply = certify_class_supply(c, class, hour);
    if (slot == NIL && supply.certified == 0) return false;
    event_token_push(c, out, &(struct token_move){.asset = asset, .cause = TOKEN_answer,
                                                  .certified = money_clamp(supply.certified),
                                                  .promised = money_clamp(supply.promised)});
    return true;
}

void query_tokens(const struct core *c, const struct query *q, struct outbox *out)
{
    enum { COUNT_DEFAULT = 24 };
    uint32_t count = q->count == 0 ? COUNT_DEFAULT : q->count;
    int64_t first = int64_div_floor(q->start.v != 0 ? q->start.v : c->s->ts.v, NS_PER_HOUR);
    int64_t end = q->end.v != 0 ? int64_div_floor(q->end.v + NS_PER_HOUR - 1, NS_PER_HOUR)
                                : first + COUNT_DEFAULT;
    if (count > TOKEN_HOURS_MAX) count = TOKEN_HOURS_MAX;
    first = int64_max(first, TOKEN_HOUR_FIRST);
    end = int64_min(int64_min(end, TOKEN_HOUR_END), first + TOKEN_HOURS_MAX);
    for (uint32_t class = 1; class <= c->certify.s->class_count; class++) {
        if (q->instrument != 0 && q->instrument != class) continue;
        for (int64_t hour = first; hour < end && count > 0; hour++) {
            if (token_answer(c, out, class, hour)) count -= 1;
        }
    }
}
