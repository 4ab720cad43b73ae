/* block.h: trades made outside the book and registered by both sides (MATCH-11), and trades that
 * are busted or adjusted (MATCH-10), in commands and in a product's terms.
 *
 * Upstream: base. Downstream: command.h, event_limit.h.
 */
#ifndef DOJIMA_MSG_BLOCK_H
#define DOJIMA_MSG_BLOCK_H

#include "base/assert.h"
#include "base/units.h"

#include <stdint.h>

enum { DEAL_REFERENCE_SIZE = 40, DEAL_REASON_SIZE = 64 };

/* Of a product. */
struct product_offbook {
    qty_t block_minimum;     /* lots; 0: no blocks. EFP and EFRP have no minimum */
    int64_t window_ns;       /* to be registered within, from its execution; 0: no such trades */
    price_t block_range;     /* how far from the day's range of prices, in price units */
    price_t no_bust_range;   /* MATCH-10: about the price before, a trade stands; */
    int64_t bust_window_ns;  /* a request comes within this time; 0: no trade is ever busted */
};
ASSERT_SIZE(struct product_offbook, 40);

enum deal_kind { DEAL_block = 0, DEAL_efp, DEAL_efrp, DEAL_count };

/* header.account proposes. */
struct command_block_propose {
    uint32_t instrument;
    uint32_t counterparty; /* account */
    uint8_t kind;          /* enum deal_kind */
    uint8_t side;          /* the proposer's */
    uint8_t inexact;       /* 1: amount, 2: price had more digits than can be */
    uint8_t reserved[5];
    qty_t qty;
    price_t price;
    ts_t executed_at;
    char reference[DEAL_REFERENCE_SIZE]; /* of an EFP or EFRP: the physical or related leg */
};
ASSERT_SIZE(struct command_block_propose, 80);

struct command_block_answer {
    uint64_t block;
    uint32_t accept; /* 1: by the counterparty; 0: declined by it, or withdrawn by who proposed */
    uint32_t reserved;
};
ASSERT_SIZE(struct command_block_answer, 16);

enum deal_state {
    DEAL_STATE_none = 0,
    DEAL_STATE_proposed,
    DEAL_STATE_registered, /* accepted: it is a trade */
    DEAL_STATE_declined,
    DEAL_STATE_withdrawn,
    DEAL_STATE_expired,
    DEAL_STATE_count
};

/* A proposal, as it is kept while it waits and as its event carries it. */
struct deal {
    uint64_t id;          /* ascending, not without gaps; 0: a free place */
    uint32_t instrument;
    uint32_t account;
    uint32_t counterparty;
    uint8_t kind;
    uint8_t side;
    uint8_t state;        /* enum deal_state */
    uint8_t reserved;
    qty_t qty;
    price_t price;
    ts_t executed_at;
    ts_t deadline;        /* the first instant at which it is too late to accept */
    uint64_t trade_id;    /* once registered */
    char reference[DEAL_REFERENCE_SIZE];
};
ASSERT_SIZE(struct deal, 104);

struct command_trade_bust {
    uint64_t trade_id;
    uint32_t adjust;      /* 0: bust; 1: adjusted to the nearest edge of the no-bust range */
    uint32_t has_price;   /* an adjustment's price is given: it must be that edge */
    price_t price;
    char reason[DEAL_REASON_SIZE];
};
ASSERT_SIZE(struct command_trade_bust, 88);

#endif
