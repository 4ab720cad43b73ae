/* train.c: a made flow through the core, to tell the compiler which ways are usual (build.sh).
 *
 * It is this project's own and knows nothing of the challenge's: 1,000 accounts; 45 % new orders
 * within 200 ticks of a price that wanders, a sixth of them immediate; 45 % cancels; 10 % edits.
 *
 * Upstream: venue.h. Downstream: nothing.
 */
#include "../venue.h"
#include "base/random.h"

#include <stdlib.h>

enum { ACCOUNTS = 1000, TICK = 5000, COMMANDS = 1000000, KEPT = 1 << 14 };

struct resting {
    uint64_t id;
    uint32_t account;
    uint32_t reserved;
};

static struct venue venue;
static struct resting kept[KEPT];

static uint64_t number(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return random_mix(*state);
}

static void enter(uint64_t r, int64_t middle, struct resting *place)
{
    struct command *c = &venue.create;
    uint32_t side = (uint32_t)(r & 1);
    int64_t away = (int64_t)(r >> 8 & 0xff) - 20;
    bool immediate = (r >> 16) % 6 == 0;
    c->header.account = venue.account_first + (uint32_t)((r >> 24) % ACCOUNTS);
    c->order_new.side = (uint8_t)side;
    c->order_new.tif = immediate ? TIF_immediate_or_cancel : TIF_good_til_cancelled;
    c->order_new.price = PRICE((side == SIDE_buy ? middle - away : middle + away) * TICK);
    c->order_new.qty = QTY(1 + (int64_t)(r >> 40 & 0xff));
    venue_step(&venue, c);
    const struct event_order *o = (const void *)outbox_next(&venue.out, NULL);
    if (o->header.kind != EVENT_order) abort();
    *place = (struct resting){.id = o->order_id, .account = c->header.account};
}

int main(void)
{
    struct core_limits limits = venue_limits(ACCOUNTS, 1, 1 << 18, 1 << 17);
    struct venue_terms terms = {.accounts = ACCOUNTS, .instruments = 1, .tick = TICK,
                                .flat_margin = E6, .cash = 1000000000};
    uint64_t state = 1;
    int64_t middle = 100000;
    venue_open(&venue, &limits, &terms);
    for (uint32_t i = 0; i < COMMANDS; i++) {
        uint64_t r = number(&state), kind = number(&state) % 100;
        struct resting *place = &kept[r >> 32 & (KEPT - 1)];
        middle += (int64_t)(r >> 56 & 3) - (int64_t)(r >> 58 & 3);
        if (kind < 45 || place->id == 0) {
            enter(r, middle, place);
            continue;
        }
        struct command *c = kind < 90 ? &venue.cancel : &venue.edit;
        c->header.account = place->account;
        if (kind < 90) {
            c->order_cancel.order_id = place->id;
            place->id = 0;
        } else {
            c->order_edit.order_id = place->id;
            c->order_edit.price = PRICE((middle + (int64_t)(r & 0xff) - 128) * TICK);
            c->order_edit.qty = QTY(1 + (int64_t)(r >> 40 & 0xff));
        }
        venue_step(&venue, c);
    }
    core_check(venue.core);
    venue_close(&venue);
    return 0;
}
