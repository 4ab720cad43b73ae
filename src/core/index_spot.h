/* index_spot.h: trades on spot as a tier of an hour's reference price (INDEX-02).
 *
 * A product whose settlement rules name a spot index gives it the trades of its hours: of the
 * continuous book and of auctions, not of blocks and legs of spreads. What is kept of them is what
 * each account sold each other one in each instrument, until the hour is fixed; then it is judged
 * by beneficial owner as owners are known by then, and what is published is kept (event_index_spot,
 * event_index_seller say how the price follows).
 *
 * What an owner sells to itself counts for nothing; what it sells where nobody deals with anybody
 * (in auctions, at implied prices) counts as far as it does not buy there. A trade undone
 * (MATCH-10) before the hour is fixed leaves; one made anew at another price comes in with that
 * price. Trades for which there is no room make the hour's tier unusable, and are published as
 * such: an hour is never priced by a part of its trades.
 *
 * One seller cannot move the price beyond what others traded at, however much it sells: as many of
 * the lowest and of the highest as in tier submissions are trimmed, each as one whatever its
 * volume, and what is left has a greatest weight.
 *
 * Invariants: (1) a pair is in the list of its instrument and in the map, once; its lots are not
 * negative; (2) only instruments that are one hour of a product with a spot index, of an hour that
 * is not fixed yet, have pairs; (3) places used are pairs in lists and free ones.
 *
 * Upstream: novation (trades), bust. Downstream: index.
 */
#ifndef DOJIMA_CORE_INDEX_SPOT_H
#define DOJIMA_CORE_INDEX_SPOT_H

#include "core/index.h"

uint32_t index_spot_pairs(const struct core_limits *l);
void index_spot_cut(struct core *c, struct arena *a);
size_t index_spot_outbox_bytes(const struct core_limits *l);

/* Flags the product if its trades are some index's. */
void index_spot_flag(struct command_product_create *p);
/* A trade between these two in an instrument of a flagged product. */
void index_spot_trade(struct core *c, uint32_t instrument, uint32_t seller, uint32_t buyer,
                      price_t price, int64_t lots);
/* The same where nobody deals with anybody: an auction at one price. */
void index_spot_pooled(struct core *c, uint32_t instrument, uint32_t seller, uint32_t buyer,
                       price_t price, int64_t lots);
/* That trade is undone; or made anew at `anew`, when that is a price. */
void index_spot_bust(struct core *c, const struct event_trade *t, price_t anew);

/* Whether the products of an index may be these too: its tiers have spot, lots are as large, what
 * is delivered is of one class. */
bool index_spot_takes(const struct core *c, uint32_t index, const struct command_product_create *p);
/* The tier: judges the hour's trades; what was found is kept. Then they are forgotten. */
void index_spot_forget(struct core *c, uint32_t index, int64_t hour);
bool index_spot_price(struct core *c, uint32_t index, int64_t hour, struct index_hour *h);
/* What was found; false: nothing is kept of that hour. */
bool event_index_spot_push(const struct core *c, struct outbox *out, uint32_t index, int64_t hour);

void index_spot_check(const struct core *c);

#endif
