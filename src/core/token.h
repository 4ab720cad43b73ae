/* token.h: tokens, claims on certified work of one class in one hour, in the ledger (UNIT-02).
 *
 * The tokens of a class and hour are an asset (compute.h: its id follows from both). They come into
 * existence out of the issuer's account against what a resource is certified for and has not yet
 * promised (CERT-03), move only by double entry, and go back to the issuer's account: redeemed
 * against verified work, or expired at the end of their hour, whoever holds them and pledged or
 * not. What a delivery holds in escrow outlives the hour, until the delivery redeems or returns it.
 *
 * Tokens of all hours of an instrument's block may be pledged for lots short of it, by accounts in
 * collateralised mode: a lot of an hour-unit product is contract_size x 1000 nano-CT of every hour.
 * They lie with the clearing house as other collateral does, cannot be transferred, and cover the
 * lots until the first of the hours is over.
 *
 * Places in the table of assets are given back; ids are not.
 *
 * Invariants, asserted by token_check: (1) per asset, `outstanding` is what the issuer's account
 * stands below zero, `pledged` and `escrowed` what those accounts hold, and all balances sum to
 * zero; (2) an account's pledged tokens of an hour are the sum over its pledges of lots x work,
 * while the hour is not over; (3) what is issued of a resource for an hour never passed what was
 * certified when it was issued; what is escrowed for it, what is certified; (4) every balance of
 * tokens belongs to an asset in the table and is in its list.
 *
 * Upstream: ledger, certify. Downstream: core, collateral, delivery.
 */
#ifndef DOJIMA_CORE_TOKEN_H
#define DOJIMA_CORE_TOKEN_H

#include "core/certify.h"

void tokens_cut(struct core *c, struct arena *a);

/* ---- token.c: commands ---- */
void token_issue(struct core *c, const struct command *cmd);
void token_transfer(struct core *c, const struct command *cmd);

/* ---- token_escrow.c: what a delivery does (DELIV-01, -02) ---- */
/* Tokens of the account go into escrow, bound to a resource of the same or a better grade, which
 * must be certified for so much (certificate_work): free ones first, then pledged ones, where no
 * short needs them as cover. REJECT_none, or unknown_asset, invalid_amount, uncertified,
 * insufficient_supply, invalid_hour, insufficient_funds, capacity_exhausted with nothing changed.
 * token_escrow_check changes nothing at all. */
enum reject token_escrow_check(const struct core *c, uint32_t account, uint32_t resource,
                               const struct token_class *class, int64_t hour, int64_t amount);
enum reject token_escrow(struct core *c, uint32_t account, uint32_t resource,
                         const struct token_class *class, int64_t hour, int64_t amount);
/* Back to the account that gave them; after the end of their hour they expire. Escrow must hold so
 * much for the resource (ASSERT). Cannot fail. */
void token_escrow_return(struct core *c, uint32_t account, uint32_t resource,
                         const struct token_class *class, int64_t hour, int64_t amount);
/* Verified work ends them (UNIT-02). Likewise. */
void token_redeem(struct core *c, uint32_t account, uint32_t resource,
                  const struct token_class *class, int64_t hour, int64_t amount);
/* What escrow holds for a resource's hour. */
int64_t token_escrowed(const struct core *c, uint32_t resource, int64_t hour);

/* What is due by the clock: at the end of an hour, while there are tokens or promises. */
int64_t token_due(const struct core *c);
void token_run(struct core *c);

/* ---- token_cover.c: tokens as cover of shorts (CLEAR-08) ---- */
void token_pledge(struct core *c, const struct command *cmd);
/* nano-CT of one lot, of a product or an instrument, in each hour of its block; 0: no product of
 * hours. */
int128_t token_product_work(const struct command_product_create *p);
int128_t token_lot_work(const struct core *c, uint32_t instrument);
/* The class that a product delivers; false: none, or of any region. */
bool token_product_class(const struct core *c, uint32_t product, struct token_class *class);
/* Lots short of the instrument that pledged tokens cover. */
int64_t token_cover_lots(const struct core *c, uint32_t account, uint32_t instrument);
/* The next hour of an instrument's block from `hour` on; the end of its period: none. */
int64_t block_hour_next(const struct core *c, uint32_t instrument, int64_t hour);
bool block_has_hour(const struct core *c, uint32_t instrument, int64_t hour);

/* ---- what others ask ---- */
/* Tokens that the account could transfer. */
int64_t token_free(const struct core *c, uint32_t account, const struct token_class *class,
                   int64_t hour);

/* ---- token_check.c ---- */
void query_tokens(const struct core *c, const struct query *q, struct outbox *out);
void token_check(const struct core *c);
void token_hash(const struct core *c, void (*add)(void *h, const void *bytes, size_t size),
                void *h);

/* ---- among the files of tokens, and for the ledger ---- */
struct token_move { /* what an event says happened */
    uint32_t asset;
    enum token_cause cause;
    uint32_t account;
    uint32_t resource;
    uint32_t to;
    uint32_t reserved;
    int64_t amount;
    int64_t certified;  /* of an answer */
    int64_t promised;
};
struct token_needs { /* places that a command would take */
    uint32_t slots;
    uint32_t balances;
};
uint32_t token_slot_find(const struct core *c, uint32_t asset);
void token_slot_release(struct core *c, uint32_t place);
void token_balance_made(struct core *c, uint32_t balance); /* enters it in its asset's list */
int64_t token_balance(const struct core *c, uint32_t account, uint32_t asset);
/* Neither before nor after what assets can be of, and not over. */
bool token_hour_is_open(const struct core *c, int64_t hour);
void token_post(struct core *c, uint32_t from, uint32_t to, uint32_t asset, int64_t amount,
                enum posting_code code);
void event_token_push(const struct core *c, struct outbox *out, const struct token_move *m);
/* For tokens that `account` and `other` must have balances of. */
void token_needs_add(const struct core *c, struct token_needs *n, uint32_t asset,
                     uint32_t account, uint32_t other);
bool token_needs_fit(const struct core *c, const struct token_needs *n);
/* Before the first of a time comes into existence: hours are counted from now on. */
void token_hours_begin(struct core *c);
/* Tokens of an asset that the account has pledged, where no short needs its pledges; else 0. */
int64_t token_cover_idle(const struct core *c, uint32_t account, uint32_t asset);
/* One pledge that has this hour is released as a whole; false: there is none. */
bool token_cover_yield(struct core *c, uint32_t account, uint32_t class, int64_t hour);
/* An hour's tokens are gone: what they covered is bare, and a pledge without hours left ends. */
void token_covers_end(struct core *c, uint32_t account, int64_t hour);

#endif
