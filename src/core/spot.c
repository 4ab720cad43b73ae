/* spot.c: see spot.h. */
#include "core/spot.h"

void spot_open(struct core *c, const struct command *cmd)
{
    const struct command_spot_open *o = &cmd->spot_open;
    bool known = o->product != NIL && o->product <= c->s->products;
    reject_push(c, cmd, known ? REJECT_not_offered : REJECT_unknown_product, INT64_MIN);
}

void spot_bid(struct core *c, const struct command *cmd)
{
    reject_push(c, cmd, REJECT_unknown_spot_auction, INT64_MIN);
}

void spot_cancel(struct core *c, const struct command *cmd)
{
    reject_push(c, cmd, REJECT_unknown_spot_auction, INT64_MIN);
}

void spot_result(struct core *c, const struct command *cmd)
{
    reject_push(c, cmd, REJECT_unknown_spot_auction, INT64_MIN);
}
