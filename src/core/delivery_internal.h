/* delivery_internal.h: what the files of delivery offer each other; see delivery.h. */
#ifndef DOJIMA_CORE_DELIVERY_INTERNAL_H
#define DOJIMA_CORE_DELIVERY_INTERNAL_H

#include "core/certify.h"
#include "core/delivery.h"
#include "core/ledger.h"
#include "core/token.h"

enum { DELIVERY_HOURS_ASKED_MAX = 4096 }; /* that one question is answered with */

enum delivery_side {
    SIDE_buyer = 0,
    SIDE_seller = 1,
    SIDE_first = 2, /* the buyer that did not take, of what was resold */
};

/* ---- delivery.c ---- */
static inline const struct delivery_terms *terms_of(const struct core *c, uint32_t instrument)
{
    return &product_of(c, instrument)->terms.delivery;
}
/* An instant `days` before the instrument's D, at this second of that day. */
ts_t delivery_instant(const struct core *c, uint32_t instrument, int64_t days, uint32_t second);
/* nano-CT x 10^-6 USD a CT: 10^-6 USD, half-even; clamped to what money may be. */
int64_t delivery_value(int64_t work, int64_t price);
int64_t delivery_share_floor(int64_t amount, int64_t share_e6);

uint32_t allocation_find(const struct core *c, uint64_t id); /* place; NIL */
/* A place with room for so many hours, zeroed but for its id: the oldest closed one gives way. */
uint32_t allocation_take(struct core *c, uint32_t hours);
void allocation_drop(struct core *c, uint32_t a); /* one that never came to be */
uint32_t hour_add(struct core *c, uint32_t a, int64_t hour, int64_t work_due); /* NIL: no room */
uint32_t hour_of_allocation(const struct core *c, uint32_t a, int64_t hour);   /* NIL */
void event_allocation_push(const struct core *c, struct outbox *out, uint32_t a);
void event_delivery_hour_push(const struct core *c, struct outbox *out, uint32_t h);
/* State, due time and the event of it, after whatever changed. */
void allocation_say(struct core *c, uint32_t a);
void allocation_close(struct core *c, uint32_t a);
void allocation_check_due(const struct core *c, uint32_t a);
uint32_t tender_find(const struct core *c, uint32_t account, uint32_t instrument,
                     uint32_t resource); /* resource 0: the account's first */
uint32_t intake_find(const struct core *c, uint32_t account, uint32_t instrument);
/* The same, or where the delivery is prompt the account's standing one. */
uint32_t intake_for(const struct core *c, uint32_t account, uint32_t instrument);
void delivery_cash_say(struct core *c, const struct event_delivery_cash *said);

/* ---- delivery_age.c ---- */
void age_reckon(struct core *c, uint32_t exposure, int64_t day);

/* ---- delivery_file.c ---- */
/* Whether the tender's resource is certified for the instrument's hours, and of what class. */
bool tender_is_good(const struct core *c, const struct tender *t, uint32_t instrument,
                    struct token_class *class);
/* Whether the buyer's constraints let this in. */
bool intake_allows(const struct intake *t, const struct token_class *class, uint32_t grade,
                   uint32_t provider);
/* The account's standing tender that can deliver this class in this hour; NIL: none. */
uint32_t tender_standing(const struct core *c, uint32_t account, const struct token_class *wanted,
                         int64_t hour);
void tenders_drop(struct core *c, uint32_t instrument);
void event_tender_push(struct outbox *out, const struct tender *t, bool withdrawn);
void event_intake_push(struct outbox *out, const struct intake *t);

/* ---- delivery_notice.c ---- */
void notice_run(struct core *c, uint32_t instrument);

/* ---- delivery_escrow.c: money ---- */
/* Where the account's money is: a defaulter's house is its estate (CLEAR-10). */
uint32_t delivery_home(const struct core *c, uint32_t account);
/* From one account to another; cut, at absurd amounts, to what keeps both in range: what moved. */
int64_t money_move(struct core *c, uint32_t from, uint32_t to, int64_t amount,
                   enum posting_code code, uint32_t instrument, uint64_t reference);
void escrow_in(struct core *c, uint32_t a, enum delivery_side side, int64_t amount);
/* What one side owes: from its escrow, then from its cash, which may fall below zero. */
int64_t escrow_pay(struct core *c, uint32_t a, enum delivery_side side, uint32_t to,
                   int64_t amount, enum posting_code code);
void escrow_release(struct core *c, uint32_t a, enum delivery_side side); /* buyer: and first */
/* Into another allocation's escrow: from this one's, where nothing is posted, then from cash. */
void escrow_carry(struct core *c, uint32_t a, enum delivery_side side, uint32_t to,
                  enum delivery_side to_side, int64_t amount, enum posting_code code);
/* Whether so much of the account's cash may go into escrow. */
bool account_can_pay(struct core *c, uint32_t account, int64_t amount);
void pending_set(struct core *c, uint32_t a, enum delivery_side side, int64_t amount);
uint32_t allocation_account(const struct core *c, uint32_t a, enum delivery_side side);
/* The margins that so much work at this price a CT needs; false: out of range. */
bool delivery_margins(const struct delivery_terms *t, int64_t work, price_t unit, int64_t *buyer,
                      int64_t *seller);
bool allocation_margins(const struct core *c, uint32_t a, int64_t *buyer, int64_t *seller);
void allocation_margin_day(struct core *c, uint32_t a);
/* Ends one that has no money in escrow yet, with damages by who is at fault. */
void allocation_cancel(struct core *c, uint32_t a, enum delivery_reason reason, uint32_t at_fault);
bool tokens_take(struct core *c, uint32_t a, enum delivery_reason *why);
void tokens_end(struct core *c, uint32_t a, uint32_t h, int64_t redeemed);
/* Those of so much of an hour's work go to the one hour of another allocation. */
void tokens_divide(struct core *c, uint32_t a, uint32_t h, uint32_t to, int64_t work);

/* ---- delivery_meter.c ---- */
ts_t hour_closes(const struct core *c, uint32_t a, uint32_t h);
void hours_meter(struct core *c, uint32_t a); /* those whose time has come */
void hour_meter(struct core *c, uint32_t a, uint32_t h);
/* A proof of this allocation was falsified: its resource's certificate ends (DELIV-05). */
void resource_decertify(struct core *c, uint32_t a);
/* What is not metered yet comes to nothing, for this reason. */
void hours_end(struct core *c, uint32_t a, enum delivery_reason reason);

/* ---- delivery_pay.c ---- */
price_t hour_reference(const struct core *c, uint32_t a, uint32_t h);
ts_t allocation_pay_at(const struct core *c, uint32_t a);
void block_close(struct core *c, uint32_t a); /* tolerance; what is short */
void block_pay(struct core *c, uint32_t a);
/* `amount` for `work` of an hour, from the buyer to the seller, or back; the first buyer of what
 * was resold adds to the price of `contract` of it. */
void work_pay(struct core *c, uint32_t a, uint32_t h, int64_t amount, int64_t work,
              int64_t contract);

/* ---- delivery_short.c ---- */
void make_up_begin(struct core *c, uint32_t a);
void make_up_end(struct core *c, uint32_t a);
void buy_in_begin(struct core *c, uint32_t a, enum delivery_reason reason);
void buy_in_end(struct core *c, uint32_t a);
/* What `work` of an hour that is short costs its seller when nobody replaces it. */
void short_in_money(struct core *c, uint32_t a, uint32_t h, int64_t work);
void window_begin(struct core *c, uint32_t a);
/* What a replacement and a resold hour have in common: one hour of the same delivery, ready. */
void allocation_of_hour(const struct core *c, const struct allotment *x, struct allotment *r,
                        int64_t hour, int64_t work);

/* ---- delivery_resale.c ---- */
void resale_begin(struct core *c, uint32_t a); /* if there is anything to sell */
bool resale_is_over(const struct core *c, uint32_t a); /* it is on, and its close has come */
void resale_end(struct core *c, uint32_t a);
void resale_cancel(struct core *c, uint32_t a); /* if one is on */

/* ---- delivery_bid.c ---- */
/* The standing intake with which the account may take what this allocation's buyer does not; NIL:
 * none, or its constraints exclude the seller. */
uint32_t intake_of_bidder(const struct core *c, uint32_t a, uint32_t account);

/* ---- delivery_challenge.c ---- */
void challenge_decide(struct core *c, uint32_t a, uint32_t h, enum proof_outcome outcome,
                      int64_t work);
void challenges_lapse(struct core *c, uint32_t a);
bool has_challenge(const struct core *c, uint32_t a);

#endif
