/* default.h: the default fund and a member's default (CLEAR-10, CLEAR-11), as state and as what its
 * files offer each other: fund.c (contributions, calls, own capital), default.c (declaration, the
 * estate, hedging, tear-up, closing), default_layers.c (who pays), portfolio.c (the auction),
 * default_due.c (what the clock brings).
 *
 * Money. A member's contribution is the balance of the system account MEMBER/fund. Own capital is
 * the account `capital`, its tranche before the members' money `skin`. A default has an estate, the
 * account MEMBER/default: it takes over the positions and the cash of the member's house accounts
 * and is marked to market like anyone; what it owes is the deficit that the layers pay. Clients'
 * accounts of the member are never touched.
 *
 * Rounding. Whatever is shared is shared by pro_rata_floor: each in turn pays floor(left x own /
 * sum of own left), so nobody pays more than it has, the sum is exact, and what rounding leaves
 * is the last one's: members in order of their number, accounts likewise.
 *
 * Invariants, asserted by default_check: (1) fund, capital and skin accounts are never below zero;
 * (2) nobody is assessed beyond its cap; (3) a claim belongs to a default that is open or closed
 * and is above zero; (4) bids belong to auctions that are open; (5) in an open default the member's
 * house accounts have no position and no order.
 *
 * Upstream: ledger, margin, offbook. Downstream: core.c, settle (default_marked), query, hash.
 */
#ifndef DOJIMA_CORE_DEFAULT_H
#define DOJIMA_CORE_DEFAULT_H

#include "core/ledger.h"
#include "core/state.h"

struct fund_member { /* by member */
    uint32_t account;       /* MEMBER/fund; NIL: none yet */
    uint32_t reserved;
    money_t due;            /* the day's share */
    ts_t call_deadline;     /* 0: no call open. What is called: due less what is paid in */
    money_t base;           /* contribution when the first open default was declared */
    money_t assessed;       /* called since then beyond it */
    money_t assessment;     /* of that, not yet paid */
    ts_t assessment_deadline;
    uint32_t flags;         /* FUND_SHARE_ */
    uint32_t reserved2;
};
ASSERT_SIZE(struct fund_member, 64);

struct portfolio { /* the latest auction of a default */
    uint64_t id;
    uint32_t status;
    uint32_t portions;
    uint32_t awarded;
    uint32_t bidders;
    uint32_t bidders_min;
    uint32_t flags;
    ts_t deadline;
    money_t reserve;
    money_t paid;
    money_t worst;
};

struct default_record { /* by member */
    uint32_t estate;       /* account; NIL: none yet */
    uint32_t status;       /* enum default_status */
    uint32_t layer;
    uint32_t number;
    uint32_t auctions;     /* held since the declaration */
    uint32_t home;         /* the account that what is left returns to */
    money_t margin;        /* cash taken over */
    money_t margin_used;   /* of it, said so far */
    money_t requirement;   /* of the positions taken over: the measure of bids */
    int64_t lots;          /* gross, taken over: bounds the hedging */
    money_t recovered;
    ts_t declared;
    ts_t porting_until;    /* then its clients are closed out; 0: they were */
    money_t contribution;  /* paid in, or owed: restored before it is readmitted */
    struct portfolio auction;
    char reason[DEFAULT_REASON_SIZE];
};

struct portfolio_bid {
    uint64_t auction;
    uint64_t id;
    uint32_t account;
    uint32_t portions;
    uint32_t awarded;
    uint32_t rank;   /* place among the awarded, from 1; 0: not awarded */
    money_t price;
    uint32_t member; /* the defaulter */
    uint32_t refused; /* enum reject: why it was passed over at the award */
};
ASSERT_SIZE(struct portfolio_bid, 48);

/* What somebody paid for a default and may get back. */
struct default_claim {
    uint32_t member; /* the defaulter */
    uint32_t account;
    uint16_t layer;
    uint16_t tier;
    uint32_t reserved;
    int64_t amount;
};
ASSERT_SIZE(struct default_claim, 24);

struct fund_state {
    struct command_fund_set settings;
    int64_t date;
    money_t cover2;
    uint32_t capital; /* accounts; NIL: none yet */
    uint32_t skin;
    uint32_t number;  /* of the last default */
    uint32_t open;    /* defaults that are open */
    uint32_t assessed_for; /* the defaulter for whom an assessment runs; NIL: none */
    uint32_t bids;
    uint32_t claims;
    uint32_t reserved;
    uint64_t auction_id;
    uint64_t bid_id;
};

/* Of each account: variation received in all when gains began to count, and what was cut of them
 * since. Gains count from the last mark after which no house account owed anything. */
struct gain_window {
    int64_t base;
    int64_t cut;
};

struct payer {
    uint32_t account;
    uint32_t member; /* whose contribution it is; NIL: it is none */
    int64_t own;
};

uint32_t default_bids_max(const struct core_limits *l);
uint32_t default_claims_max(const struct core_limits *l);

/* ---- fund.c ---- */
void fund_open(struct core *c); /* at a fresh start: the defaults of the settings */
void fund_set(struct core *c, const struct command *cmd);
void fund_size(struct core *c, const struct command *cmd);
void fund_move(struct core *c, const struct command *cmd);
/* A system account of this name, made when first needed; NIL: no room. `name` ends a member's own:
 * MEMBER/fund, or #ID/fund where that is too long. */
uint32_t clearing_account(struct core *c, const char *name, uint32_t member);
int64_t fund_balance(const struct core *c, uint32_t member);
int64_t fund_call(const struct core *c, uint32_t member); /* still to be paid in */
int64_t fund_cap(const struct core *c, uint32_t member);  /* of assessments, in the period */
int64_t fund_headroom(const struct core *c, uint32_t member);
/* Calls what is missing of members' shares, and says whose call opened or ended. */
void fund_refill_all(struct core *c);
void event_fund_push(const struct core *c, struct outbox *out);
void event_fund_share_push(const struct core *c, struct outbox *out, uint32_t member);

/* ---- default.c ---- */
bool member_is_in_default(const struct core *c, uint32_t member);
/* What of the account's variation gains may be cut. */
int64_t default_gain(const struct core *c, uint32_t account);
/* After all instruments were marked: moves the window of gains where nobody owes anything. */
void default_marked(struct core *c);
void default_declare(struct core *c, const struct command *cmd);
void default_step(struct core *c, const struct command *cmd);
void default_hedge(struct core *c, const struct command *cmd);
/* Whether an estate has positions to move, and a settlement price for each. */
enum reject default_estate_check(const struct core *c, uint32_t estate);
void event_default_push(const struct core *c, struct outbox *out, uint32_t member);
void query_fund(const struct core *c, struct outbox *out);

/* ---- default_due.c ---- */
/* What has fallen due: auctions end, calls are missed. Sets c->s->default_due anew. */
void default_run(struct core *c);
void default_due_set(struct core *c);
void default_check(const struct core *c);
void default_hash(const struct core *c, void (*add)(void *to, const void *bytes, size_t size),
                  void *to);

/* ---- default_layers.c ---- */
enum reject default_allocate(struct core *c, uint32_t member);
void default_refund(struct core *c, uint32_t member); /* a surplus, last layer first */
int64_t default_deficit(const struct core *c, uint32_t member);
/* Whether an assessment is still to be paid, and in time. */
bool default_assessment_runs(const struct core *c);
/* What the layers before the gains haircut could still pay, the estate's cash included. */
int128_t default_resources(const struct core *c, uint32_t member);
/* `amount` (below zero: paid back) of a layer, of so many payers. */
void event_default_layer_push(struct core *c, uint32_t member, enum default_layer layer,
                              uint32_t tier, uint32_t payers, int64_t amount);
int64_t default_claims_of(const struct core *c, uint32_t member, uint32_t layer);
void default_claim_add(struct core *c, uint32_t member, enum default_layer layer, uint32_t tier,
                       uint32_t account, int64_t amount);
void default_claims_drop(struct core *c, uint32_t member);
/* left x own / sum, floored; sum > 0, 0 <= own <= sum, 0 <= left <= sum. */
int64_t pro_rata_floor(int64_t left, int64_t own, int128_t sum);

/* ---- portfolio.c ---- */
void portfolio_open(struct core *c, const struct command *cmd);
void portfolio_bid(struct core *c, const struct command *cmd);
void portfolio_end(struct core *c, uint32_t member);
void event_portfolio_push(const struct core *c, struct outbox *out, uint32_t member);
void query_portfolio_bids(const struct core *c, const struct query *q, struct outbox *out);
bool portfolio_is_open(const struct core *c, uint64_t auction);

static inline uint8_t *tier_at(const struct core *c, uint32_t defaulter, uint32_t member)
{
    return &c->default_tiers[(size_t)defaulter * (c->limits.members + 1) + member];
}

/* What of the member's contribution may still be used for this default: what it had paid in when
 * it was declared, less what was used since. Money that refills the fund stands for later ones. */
static inline int64_t *bound_at(const struct core *c, uint32_t defaulter, uint32_t member)
{
    return &c->default_bounds[(size_t)defaulter * (c->limits.members + 1) + member];
}

#endif
