/* delivery.h: physical delivery, from the end of trading to the end of the challenge window
 * (DELIV-01 to -06).
 *
 * An instrument of a day or an hour, whose product has delivery terms:
 *
 *   D-6  trading ends; its final price is the day's settlement; positions are marked and stay
 *   D-5  on: shorts tender, longs file intakes (delivery_file.c)
 *   D-4  notice (delivery_notice.c): tenders are assigned, oldest long first; every position leaves
 *        the ledger at the final price: as an allocation, or in money with its reason
 *   D-3  margin of both sides and the seller's tokens into escrow (delivery_escrow.c)
 *   D-1  the canary; until it begins a buyer's right is a warrant that moves (delivery_file.c)
 *   D    receipts and verdicts, hour by hour (delivery_meter.c)
 *   D+1  payment for the block (delivery_pay.c); make-up until 24 h after its end; buy-in of what
 *        is short, damages (delivery_short.c)
 *   72 h after the last hour: the seller's margin is free, unless a challenge is open
 *        (delivery_challenge.c)
 *
 *     allotted --margin, tokens--> escrowed --canary--> ready --last hour metered--> window
 *         |                            |                  |  \--short--> making_up --> window
 *         |                            |                  |                  |           ^
 *         |                            \---no canary------+--falsified--> buying_in -----/
 *         \--cannot--> closed                                                  window --> closed
 *
 * Hours of the spot market trade until they begin: then notice, margin and tokens come at once,
 * from standing tenders and intakes where none were filed for the hour; there is no canary.
 *
 * A buyer who does not take pays, and the hours to come are resold (delivery_resale.c).
 *
 * Whatever fails ends in money at once or in the balancing auction and then in money: there is no
 * state without a deadline, so that nothing hangs. What a seller owes comes from its margin in
 * escrow, then from its cash, which may fall below zero: a debt, called and defaulted on like any
 * other (CLEAR-09, CLEAR-10). The buyer's money is guaranteed, compute is not.
 *
 * Invariants, asserted by delivery_check: (1) the account `delivery` holds exactly the sum of all
 * allocations' escrow, and a closed one has none; (2) what is required of an account for
 * allocations that are allotted is in its requirement; (3) every allocation that is not closed has
 * a due time, and `due` is not after the earliest; (4) an allocation's hours are its block's, in
 * order, and what makes up for them behind; (5) ages of a long position add up to at most the
 * position as it was last reckoned, oldest first; (6) tokens in escrow are returned or redeemed
 * once; (7) what was resold has a first buyer, and nothing else has money of one.
 *
 * Upstream: settle (end of trading), token, certify, ledger, margin, spot (balancing). Downstream:
 * core.c, schedule.
 */
#ifndef DOJIMA_CORE_DELIVERY_H
#define DOJIMA_CORE_DELIVERY_H

#include "core/spot.h"
#include "core/state.h" /* delivery_state.h */

void delivery_cut(struct core *c, struct arena *a);
void delivery_start(struct core *c); /* at a fresh start */
size_t delivery_scratch_bytes(const struct core_limits *l); /* of its scratch */
void delivery_scratch_open(struct notice *n, const struct core_limits *l); /* such zeroed bytes */
size_t delivery_outbox_bytes(const struct core_limits *l);

/* ---- commands ---- */
void tender_file(struct core *c, const struct command *cmd);
void intake_file(struct core *c, const struct command *cmd);
void warrant_transfer(struct core *c, const struct command *cmd);
void receipt_submit(struct core *c, const struct command *cmd);
void verdict_submit(struct core *c, const struct command *cmd);
void proof_challenge(struct core *c, const struct command *cmd);

/* ---- what others ask and tell ---- */
bool delivery_terms_valid(const struct command_product_create *p);
/* The account that holds the margins comes with the first product that is delivered. */
bool delivery_can_open(const struct core *c, const struct command_product_create *p);
void delivery_open(struct core *c, const struct command_product_create *p);
/* Whether the instrument, a day or an hour, is delivered. */
bool delivery_applies(const struct core *c, uint32_t instrument);
/* When trading in a delivered day or hour ends, where the calendar says nothing: [12:00] on D-6. */
ts_t delivery_last_trading(const struct command_product_create *p, ts_t start);
void delivery_listed(struct core *c, uint32_t instrument);

/* Whether its trading ends so late that there is no canary: an hour of the spot market. */
bool delivery_is_prompt(const struct core *c, uint32_t instrument);
/* When it is allocated: on notice day, or when trading ends later. */
ts_t delivery_notice_at(const struct core *c, uint32_t instrument);

/* A cascade, or a conversion: of `to` as many lots for each of `lots` as the ratio says came from
 * `from`, long, and are as old as those were (oldest first). What is not known of `from`'s age
 * counts from today. lots <= 0: nothing. */
void delivery_age_move(struct core *c, uint32_t from_exposure, uint32_t to_exposure, int64_t lots,
                       int64_t ratio);
/* A new date: ages are reckoned from positions as they stand (core.c, session_day). */
void delivery_age_day(struct core *c);
/* The exposure's place is given back. */
void delivery_age_drop(struct core *c, uint32_t exposure);

/* A member was declared in default: its house accounts' deliveries end in money (CLEAR-10). */
void delivery_default(struct core *c);

/* ---- delivery_bid.c: of bids to its auctions ---- */
/* Before one is entered: who offers must have a standing tender (command_tender without an
 * instrument) of a resource certified for the hour, who buys a standing intake that allows what is
 * for sale. */
enum reject delivery_may_bid(const struct core *c, const struct spot_auction *s, uint32_t account,
                             int64_t hour);
/* What a bid for so much work in an hour may put into escrow at most; false: out of range. */
bool delivery_bid_margin(const struct core *c, const struct spot_auction *s, price_t price,
                         int64_t work, int64_t *need);
/* At the close, margin aside: whether the account can still deliver so much in this hour. */
bool delivery_honours(const struct core *c, const struct spot_auction *s, uint32_t account,
                      int64_t hour, int64_t work);

/* Whether a party to a delivery that is not closed is this account, or one of this member: what it
 * owes and gets is not known yet. NIL: not asked for. */
bool delivery_is_open(const struct core *c, uint32_t account, uint32_t member);

/* What is due by the clock. */
int64_t delivery_due(const struct core *c);
void delivery_run(struct core *c);

void query_tenders(const struct core *c, const struct query *q, struct outbox *out);
void query_allocations(const struct core *c, const struct query *q, struct outbox *out);
void query_delivery(const struct core *c, const struct query *q, struct outbox *out);
void delivery_hash(const struct core *c, void (*add)(void *, const void *, size_t), void *to);
void delivery_check(const struct core *c);

#endif
