/* default.h: what is asked and said about the default fund and a member's default (CLEAR-10,
 * CLEAR-11). Included by command.h, after whose kinds the bodies are named, and by event.h.
 *
 * Upstream: base. Downstream: core/fund, core/default and their siblings, wire, gate.
 */
#ifndef DOJIMA_MSG_DEFAULT_H
#define DOJIMA_MSG_DEFAULT_H

#include "base/assert.h"
#include "base/units.h"

#include <stdint.h>

enum { FUND_SHARES_MAX = 128, DEFAULT_REASON_SIZE = 64, AUCTION_PORTIONS_MAX = 1000 };

/* ---- commands ---- */

/* How the fund and a default are run; every number of the rules that is configuration. */
struct command_fund_set {
    uint32_t assessment_e6;   /* what may be called beyond the contribution, as a part of it */
    uint32_t assessment_days; /* 24 hours each, from the call */
    uint32_t refill_days;
    uint32_t bidders_min;     /* members that must bid before a portfolio is awarded */
    uint32_t near_e6;         /* a bid this far (of a portion's margin) below the worst awarded one
                                 keeps its member in the last tier */
    uint32_t far_e6;          /* further than this: the first tier, as without a bid */
    uint32_t skin_e6;         /* least part of own capital that stands before the members' money */
    uint32_t porting_hours;   /* from the declaration: then clients that are left are closed out */
};
ASSERT_SIZE(struct command_fund_set, 32);

enum fund_basis { FUND_BASIS_stress = 0, FUND_BASIS_margin, FUND_BASIS_count };

struct fund_share {
    uint32_t member;
    uint32_t reserved;
    money_t stress_loss; /* beyond its margin, under the worst stress scenario; >= 0 */
};
ASSERT_SIZE(struct fund_share, 16);

struct command_fund_size {
    int64_t date;  /* days since 1970 for which the figures were computed */
    money_t total; /* 0: the two largest stress losses */
    uint32_t basis;
    uint32_t count; /* of shares; 0 with basis margin */
    struct fund_share shares[FUND_SHARES_MAX]; /* cut to count */
};
ASSERT_SIZE(struct command_fund_size, 24 + 16 * FUND_SHARES_MAX);

enum fund_action {
    FUND_contribute = 0,     /* from header.account to its member's contribution */
    FUND_assessment,         /* from header.account towards its member's assessment */
    FUND_release,            /* what stands above the member's share, back to header.account */
    FUND_collect,            /* open calls of `member` (0: of all) from what their house accounts
                                can spare */
    FUND_capital,            /* own capital: amount > 0 from the bank, < 0 to it; then the tranche
                                that stands before the members' money is brought to `skin` */
    FUND_recover,            /* from the bank to the estate of `member` */
    FUND_action_count
};

struct command_fund_move {
    uint32_t action;
    uint32_t member;
    money_t amount;
    money_t skin;
};
ASSERT_SIZE(struct command_fund_move, 24);

struct command_default_declare {
    uint32_t member;
    uint32_t reserved;
    char reason[DEFAULT_REASON_SIZE]; /* not empty */
};
ASSERT_SIZE(struct command_default_declare, 72);

enum default_action {
    DEFAULT_allocate = 0, /* the deficit through the layers, or a surplus back through them */
    DEFAULT_tear_up,      /* the positions that are left, against those who hold the opposite */
    DEFAULT_close,        /* nothing left to do: what remains returns to the defaulter */
    DEFAULT_write_off,    /* of a closed default: what was paid is not expected back any more */
    DEFAULT_readmit,      /* the member of a closed default is one again */
    DEFAULT_action_count
};

struct command_default_step {
    uint32_t member;
    uint32_t action;
};
ASSERT_SIZE(struct command_default_step, 8);

struct command_default_hedge {
    uint32_t member; /* whose estate */
    uint32_t instrument;
    uint32_t side;
    uint32_t tif;
    price_t price;
    qty_t qty;
};
ASSERT_SIZE(struct command_default_hedge, 32);

/* header.account, a client of a defaulter, is closed out before the porting window has passed. */
struct command_close_out {
    char reason[DEFAULT_REASON_SIZE]; /* not empty */
};
ASSERT_SIZE(struct command_close_out, 64);

enum { /* flags of a portfolio auction */
    PORTFOLIO_FLAG_CLIENTS = 1,     /* clients' accounts may bid */
    PORTFOLIO_FLAG_HAS_RESERVE = 2,
};

struct command_portfolio_open {
    uint32_t member; /* whose estate */
    uint32_t portions;
    uint32_t bidders_min; /* 0: the fund's setting */
    uint32_t flags;
    ts_t deadline;
    money_t reserve; /* per portion: nothing is sold below */
};
ASSERT_SIZE(struct command_portfolio_open, 32);

struct command_portfolio_bid {
    uint64_t auction;
    uint32_t portions; /* 0: withdraws the account's bids */
    uint32_t reserved;
    money_t price; /* per portion; > 0: the bidder pays, < 0: it asks to be paid */
};
ASSERT_SIZE(struct command_portfolio_bid, 24);

enum default_status { DEFAULT_STATUS_none = 0, DEFAULT_STATUS_open, DEFAULT_STATUS_closed,
                      DEFAULT_STATUS_count };

enum default_layer { /* in the order in which they are used */
    LAYER_none = 0,
    LAYER_margin,     /* the defaulter's own */
    LAYER_own_fund,   /* its contribution */
    LAYER_skin,       /* the clearing house's tranche */
    LAYER_survivors,  /* the others' contributions, tier by tier */
    LAYER_assessment,
    LAYER_gains,      /* haircut of variation gains */
    LAYER_tear_up,
    LAYER_capital,    /* what no rule covers any more is the clearing house's */
    LAYER_count
};

enum { TIER_senior = 0, TIER_middle, TIER_junior, TIER_count };

enum portfolio_status { PORTFOLIO_none = 0, PORTFOLIO_open, PORTFOLIO_awarded, PORTFOLIO_partly,
                        PORTFOLIO_unsold, PORTFOLIO_few_bidders, PORTFOLIO_status_count };

enum { /* event_fund_share.flags */
    FUND_SHARE_CALL_MISSED = 1,
    FUND_SHARE_ASSESSMENT_MISSED = 2,
};

#endif
