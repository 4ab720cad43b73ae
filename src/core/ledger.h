/* ledger.h: double entry, for the files that post (novation, settle, transfer).
 *
 * Every balance of money (struct balance) and every position (exposure.position) changes here and
 * nowhere else. What changes together is a chain: its postings carry one chain_id and sum to zero
 * in each asset. Each posting is an event and an entry of the ring of postings.
 *
 * Invariants: (1) per asset, all balances sum to zero after every chain; (2) every balance is
 * within MONEY_MAX of zero; (3) 0 <= pending_out, and an ordinary account's money falls below its
 * pending_out only by losses (variation, fees), never by a withdrawal or a transfer; the bank is
 * the outside world and stands below zero by what was deposited.
 *
 * A caller that uses ledger_chain_ has checked beforehand that no balance leaves its range: a chain
 * is all or none, so nothing in it may fail.
 *
 * Upstream: state. Downstream: novation, settle, transfer.
 */
#ifndef DOJIMA_CORE_LEDGER_H
#define DOJIMA_CORE_LEDGER_H

#include "core/state.h"

enum { LEDGER_LINES_MAX = 16 }; /* of one ledger_post */

struct ledger_chain {
    struct core *c;
    uint64_t id;
    uint64_t reference;  /* trade or request id; 0: none */
    uint32_t instrument; /* what it is for; 0: none */
    uint32_t reserved;
    int128_t money;      /* sum so far */
    int128_t lots;
};

struct ledger_chain ledger_chain_open(struct core *c, uint32_t instrument, uint64_t reference);
/* USD of an account. Zero is not posted. */
void ledger_chain_cash(struct ledger_chain *chain, uint32_t account, int64_t amount,
                       enum posting_code code);
/* Tokens (UNIT-02); a chain is of one asset. The balance exists, or there is room for it. */
void ledger_chain_asset(struct ledger_chain *chain, uint32_t account, uint32_t asset,
                        int64_t amount, enum posting_code code);
/* Lots of an exposure of chain->instrument. */
void ledger_chain_position(struct ledger_chain *chain, uint32_t e, int64_t lots,
                           enum posting_code code);
void ledger_chain_close(struct ledger_chain *chain);

/* A trade's chain: buyer +qty, clearing house -qty, clearing house +qty, seller -qty. Where one of
 * the two exposures is the clearing house's own, only the other side's pair is posted. */
void ledger_post_trade(struct core *c, uint32_t instrument, uint32_t buyer, uint32_t seller,
                       int64_t qty, uint64_t trade_id);

/* A fee (negative: a rebate) from an account to the clearing house's fees, in a chain of its own.
 * At absurd amounts it is cut to what keeps both balances in range: the fee posted is returned. */
int64_t ledger_post_fee(struct core *c, uint32_t account, int128_t fee, enum posting_code code,
                        uint32_t instrument, uint64_t trade_id);

/* Asserts every invariant of the clearing house over the whole state; slow, for tests, simulation
 * and after recovery (check_clearing.c). */
void clearing_check(const struct core *c);

/* An empty balance of tokens gives its place back. */
void balance_release(struct core *c, uint32_t balance);
uint32_t balance_find(const struct core *c, uint32_t account, uint32_t asset);

#endif
