/* event.h: everything that the venue says, as fixed records in an outbox.
 *
 * The core answers each command or query with events. Those of a command carry its sequence
 * number; `index` counts them from 0. Same rules for layout as command.h: no pointers, no padding,
 * unused bytes zero. Readers (gate, feed, store, journal dump) need nothing but these records: the
 * names behind the ids come in directory events when they are created, and all at once in answer
 * to QUERY_directory.
 *
 * What a command answers:
 *   order_new    reject | [order_text] order(new) {trade order(maker) level}* [order(result)] level
 *   order_edit   reject | order(edited) ... as above
 *   order_cancel reject | order(cancelled) level
 *   others       reject | their own events
 * A repeated client_order_id gets the very events of the first answer again, with EVENT_FLAG_REPEAT
 * set: only the gateway that asked looks at those.
 *
 * Upstream: base. Downstream: core (writes), wire, gate, feed, store (read).
 */
#ifndef DOJIMA_MSG_EVENT_H
#define DOJIMA_MSG_EVENT_H

#include "msg/command.h"

#include <string.h>

enum event_kind {
    EVENT_none = 0,
    EVENT_reject,
    EVENT_order,      /* an order's whole state after what happened to it */
    EVENT_order_text, /* its label and client order id: follows the first `order` of an order that
                         has any, and every `order` that answers a query */
    EVENT_trade,
    EVENT_level,      /* a price level of a book after a change */
    EVENT_posting,    /* one line of the ledger */
    EVENT_position,
    EVENT_state,      /* a product's trading state */
    EVENT_auction,    /* indicative price and volume */
    EVENT_settlement,
    EVENT_settlement_source,
    EVENT_settlement_wait,
    EVENT_mark,
    EVENT_ticker,     /* answers QUERY_ticker */
    EVENT_account,    /* directory, and answers QUERY_account */
    EVENT_balance,
    EVENT_asset,
    EVENT_member,
    EVENT_product,
    EVENT_instrument,
    EVENT_request,    /* something awaits, or has got, a second officer */
    EVENT_killed,
    EVENT_count,      /* how many orders a cancel_many or mass_quote touched */
    EVENT_hash,
    EVENT_venue,
    EVENT_holding,    /* a large position; beyond its accountability level */
    EVENT_owner,      /* whose an account is */
    EVENT_supply,     /* what can be delivered */
    EVENT_exemption,  /* from a position limit; physical capacity */
    EVENT_collateral, /* an asset other than USD: what it is worth; directory */
    EVENT_clearing,   /* how calls are made */
    EVENT_call,       /* a margin call after what happened to it */
    EVENT_slice,      /* one slice of a liquidation */
    EVENT_port,
    EVENT_margin_terms, /* a margin group's parameters */
    EVENT_margin_inter,
    EVENT_margin_flat,
    EVENT_margin_run,
    EVENT_margin_group, /* answer QUERY_margin: per group, then the account's */
    EVENT_margin,
    EVENT_fund,           /* the default fund as a whole (CLEAR-11) */
    EVENT_fund_share,     /* a member's part in it, and its calls */
    EVENT_default,        /* a default after what happened to it (CLEAR-10) */
    EVENT_default_layer,  /* one layer used, or paid back */
    EVENT_portfolio,      /* an auction of a defaulter's portfolio */
    EVENT_close_out,      /* a defaulter's client is closed out */
    EVENT_portfolio_bid,  /* said to the bidder alone until the auction has ended */
    EVENT_block,      /* a trade off book is proposed, registered, declined, has expired */
    EVENT_trade_bust, /* a trade is undone */
    EVENT_index,      /* directory */
    EVENT_index_price,
    EVENT_index_input,
    EVENT_index_spot,
    EVENT_index_seller,
    EVENT_halt,       /* an interruption begins, goes on, or is over (GUARD-02 to -04) */
    EVENT_guards,     /* a product's protections were changed (GUARD-05) */
    EVENT_cascade,    /* a contract became shorter ones (CONTRACT-01) */
    EVENT_certification, /* what certificates must satisfy (CERT-01) */
    EVENT_accreditation,
    EVENT_resource,   /* directory */
    EVENT_certificate,
    EVENT_token_class, /* directory */
    EVENT_token,
    EVENT_standing,   /* where an account stood after a mark, its margin (standing_event.h) */
    EVENT_spot_auction, /* INDEX-01 (spot_event.h) */
    EVENT_spot_hour,
    EVENT_spot_bid,   /* its account's alone until the auction is done */
    EVENT_tender,     /* delivery_event.h, like the following */
    EVENT_intake,
    EVENT_notice,
    EVENT_allocation,
    EVENT_delivery_hour,
    EVENT_delivery_cash,
    EVENT_kind_count
};

enum { /* event_header.flags */
    EVENT_FLAG_REPEAT = 1, /* said before; not to be counted again */
    EVENT_FLAG_ANSWER = 2, /* answers a query; nothing changed */
};

struct event_header {
    uint64_t seq; /* of the command; for a query, of the last command applied */
    ts_t ts;
    uint16_t kind;
    uint16_t size;  /* bytes, header included; a multiple of 8 */
    uint16_t flags;
    uint16_t reserved;
    uint32_t index; /* within the command's events, from 0 */
    uint32_t reserved2;
};
ASSERT_SIZE(struct event_header, 32);

struct event_reject {
    struct event_header header;
    uint16_t reason; /* enum reject */
    uint16_t command; /* enum command_kind */
    uint32_t account;
    uint32_t instrument;
    uint32_t entry;   /* which quote of a mass_quote, from 0 */
    uint64_t order_id;
    int64_t detail;   /* what the sentence may quote: the band's limit, the amount missing, ... in
                         10^-6 USD or lots, by reason; INT64_MIN: nothing */
};
ASSERT_SIZE(struct event_reject, 64);

enum order_state {
    ORDER_STATE_none = 0,
    ORDER_STATE_open,
    ORDER_STATE_filled,
    ORDER_STATE_cancelled,
    ORDER_STATE_untriggered, /* a stop, or a linked order that waits for its parent */
    ORDER_STATE_count
};

enum order_cause { /* why this event: the last thing that happened to the order */
    CAUSE_new = 0,
    CAUSE_edited,
    CAUSE_filled,          /* wholly or in part */
    CAUSE_triggered,
    CAUSE_refreshed,       /* an iceberg shows its next part */
    CAUSE_repriced,        /* pegged, trailing, post-only */
    CAUSE_cut,             /* reduce-only, cut to the position */
    CAUSE_decremented,     /* self-match prevention */
    CAUSE_cancelled_by_user,
    CAUSE_cancelled_by_officer,
    CAUSE_cancelled_remainder, /* IOC, FOK, at-the-opening, market in excess */
    CAUSE_cancelled_self_match,
    CAUSE_cancelled_expired,   /* Day at the close, GTD at its time, expiry of the instrument */
    CAUSE_cancelled_disconnect,
    CAUSE_cancelled_killed,
    CAUSE_cancelled_reduce_only,
    CAUSE_cancelled_linked,
    CAUSE_cancelled_margin,
    CAUSE_cancelled_limit,     /* more fills than one command may cause; capacity */
    CAUSE_cancelled_quote,     /* replaced or removed by a mass quote */
    CAUSE_cancelled_guard,     /* GUARD-02 to -04: what would have traded beyond a protection */
    CAUSE_cancelled_position_limit, /* GUARD-07: a limit stepped down below it */
    CAUSE_answer,              /* answers a query */
    CAUSE_count
};

struct event_order {
    struct event_header header;
    uint64_t order_id;
    uint32_t account;
    uint32_t instrument;
    uint32_t flags; /* ORDER_FLAG_ */
    uint8_t side;
    uint8_t type;
    uint8_t tif;
    uint8_t state; /* enum order_state */
    uint8_t cause; /* enum order_cause */
    uint8_t smp_mode;
    uint8_t peg;
    uint8_t link_type;
    uint32_t session;
    price_t price;    /* PRICE_NONE while a market order has none */
    qty_t qty;        /* the whole amount, what is filled included */
    qty_t filled;
    qty_t left;       /* 0 when closed */
    qty_t shown;      /* of `left`, displayed in the book now */
    qty_t max_show;   /* 0: all */
    price_t trigger;  /* PRICE_NONE: none */
    price_t offset;
    qty_t min_qty;
    uint64_t smp_id;
    uint64_t linked_id; /* the other order of an OCO, the parent of an OTO; 0: none */
    int64_t notional_high; /* sum of price (10^-6 USD) x lots over its fills, 128-bit */
    uint64_t notional_low;
    ts_t created;
    ts_t modified;
    ts_t expires_at;
};
ASSERT_SIZE(struct event_order, 192);

struct event_order_text {
    struct event_header header;
    uint64_t order_id;
    char client_order_id[CLIENT_ORDER_ID_SIZE];
    char label[LABEL_SIZE];
};
ASSERT_SIZE(struct event_order_text, 152);

enum trade_kind {
    TRADE_continuous = 0,
    TRADE_auction,
    TRADE_implied_leg, /* a leg of a spread trade: no print of its own order book */
    TRADE_block,       /* MATCH-11; off book like those that follow: no order, no election */
    TRADE_efp,         /* against a physical leg: EFP, EFRP */
    TRADE_transfer,    /* a position moves to another account: porting */
    TRADE_default,     /* from a defaulter: award, hedge, tear-up */
    TRADE_liquidation, /* of an account whose call was not met */
    TRADE_adjusted,    /* made anew at another price (MATCH-10) */
    TRADE_spot,        /* by the day-ahead auction of hours (INDEX-01) */
    TRADE_count
};

enum { TRADE_STANDS = 0, TRADE_BUSTED, TRADE_BUSTED_ADJUSTED }; /* event_trade.busted */

/* Whether the trade was made outside the book. */
static inline int trade_is_off_book(enum trade_kind kind)
{
    return kind >= TRADE_block;
}
/* Whether everybody is told of it: no leg of a spread trade, no position that only moves. */
static inline int trade_is_public(enum trade_kind kind)
{
    return kind != TRADE_implied_leg && kind != TRADE_transfer;
}

struct event_trade {
    struct event_header header;
    uint64_t trade_id; /* 1, 2, 3, ... over the venue */
    uint64_t instrument_seq; /* 1, 2, 3, ... within the instrument */
    uint32_t instrument;
    uint8_t kind;           /* enum trade_kind */
    uint8_t aggressor_side; /* enum side; in an auction: the later order's */
    uint8_t reserved[2];
    price_t price;
    qty_t qty;
    price_t mark; /* the settlement price in force, PRICE_NONE: none */
    /* [SIDE_buy], [SIDE_sell] */
    uint64_t order_id[2];
    uint32_t account[2];
    uint8_t maker[2]; /* 1: this side rested */
    uint8_t busted; /* TRADE_STANDS when it is made; when it is asked for, what it became */
    uint8_t reserved2;
    uint32_t reference; /* off book: the block, request, default it comes from; 0: none */
    money_t fee[2];   /* > 0 is paid by the account */
};
ASSERT_SIZE(struct event_trade, 128);

struct event_level {
    struct event_header header;
    uint32_t instrument;
    uint32_t side;
    price_t price;
    qty_t shown;     /* displayed by its orders; this and `implied` 0: the level is gone */
    qty_t implied;   /* first-generation implied quantity at this price (MATCH-06) */
    uint32_t orders; /* how many rest here */
    uint32_t reserved;
};
ASSERT_SIZE(struct event_level, 72);

enum posting_code {
    POSTING_deposit = 1,
    POSTING_withdrawal,
    POSTING_transfer,
    POSTING_trade,      /* positions, by novation */
    POSTING_variation,
    POSTING_rounding,
    POSTING_fee_trade,
    POSTING_fee_clearing,
    POSTING_settlement, /* positions closed at expiry */
    POSTING_cascade,    /* positions of a contract that became shorter ones (CONTRACT-01) */
    POSTING_issue,      /* capacity, certified: from the issuer's account */
    POSTING_retire,
    POSTING_pledge,     /* to the account that holds collateral */
    POSTING_release,
    POSTING_collateral_sale, /* of a member in default */
    POSTING_capital,            /* the clearing house's own money, in and out */
    POSTING_skin,               /* between own capital and its tranche of the waterfall */
    POSTING_fund_contribution,
    POSTING_fund_release,
    POSTING_default_position,   /* a defaulter's positions, to its estate */
    POSTING_default_margin,     /* the layers of the waterfall (CLEAR-10): the defaulter's cash, */
    POSTING_default_own_fund,   /* its contribution, */
    POSTING_default_skin,       /* the clearing house's tranche, */
    POSTING_default_fund,       /* the survivors' contributions, */
    POSTING_default_assessment,
    POSTING_default_gains,      /* the haircut of variation gains, */
    POSTING_default_capital,    /* and own capital behind all others */
    POSTING_default_client,     /* what a client owes beyond its margin, by its member's estate */
    POSTING_default_auction,    /* what is paid for awarded portions, or to who takes them */
    POSTING_default_recovery,   /* money of the defaulter that came in afterwards */
    POSTING_default_refund,     /* to those who had paid, last layer first */
    POSTING_default_estate,     /* what was left, back to the defaulter */
    POSTING_bust,       /* positions of a busted trade, given back */
    POSTING_bust_variation,
    POSTING_bust_fee,
    POSTING_token_escrow,  /* tokens that a delivery binds to a resource (DELIV-01) */
    POSTING_token_return,  /* from escrow to whose they were */
    POSTING_token_redeem,  /* against verified work: back to the issuer's account */
    POSTING_token_expiry,  /* at the end of their hour, likewise */
    POSTING_delivery,         /* positions that become allocations, or end in money (DELIV-01) */
    POSTING_delivery_margin,  /* into escrow, and back */
    POSTING_delivery_payment, /* for verified work */
    POSTING_delivery_fee,
    POSTING_delivery_difference, /* shortfall: max(buy-in, 110% reference) - price (DELIV-05) */
    POSTING_delivery_damages,
    POSTING_delivery_clawback,   /* what was paid for work that a challenge undid */
    POSTING_code_count
};

enum posting_phase { PHASE_posted = 0, PHASE_pending, PHASE_voided };

/* Assets below ASSET_INSTRUMENT are money, capacity and tokens (compute.h); asset ASSET_INSTRUMENT
 * + i is the contract of instrument i, counted in lots: positions are balances like any other. */
enum { ASSET_USD = 1, ASSET_INSTRUMENT = 1 << 24 };

struct event_posting {
    struct event_header header;
    uint64_t posting_id; /* 1, 2, 3, ... */
    uint64_t chain_id;   /* postings of one chain sum to zero in each asset */
    uint32_t account;
    uint32_t asset;
    uint16_t code;       /* enum posting_code */
    uint16_t phase;      /* enum posting_phase */
    uint32_t instrument; /* what it was for; 0: none */
    int64_t amount;      /* > 0: credited to the account */
    int64_t balance;     /* afterwards */
    uint64_t reference;  /* trade id or request id; 0: none */
};
ASSERT_SIZE(struct event_posting, 88);

struct event_position {
    struct event_header header;
    uint32_t account;
    uint32_t instrument;
    qty_t qty;             /* negative: short */
    price_t average_price; /* of the open position, rounded half-even */
    price_t mark;          /* settlement, else last; PRICE_NONE: neither */
    price_t settlement;    /* PRICE_NONE: none */
    money_t unrealised;    /* variation not yet settled, at mark, rounded half-even */
    money_t realised;      /* variation settled in cash so far */
    money_t initial_margin;
    qty_t open_buys;
    qty_t open_sells;
};
ASSERT_SIZE(struct event_position, 112);

struct event_state {
    struct event_header header;
    uint32_t product;
    uint32_t state; /* enum trading_state */
    uint32_t before;
    uint32_t instrument; /* alone; 0: the whole product */
    char reason[REASON_TEXT_SIZE];
};
ASSERT_SIZE(struct event_state, 112);

struct event_halt {
    struct event_header header;
    uint64_t id; /* 1, 2, 3, ...: of the interruption, the same in all that is said of it */
    uint32_t product;
    uint32_t instrument; /* alone; 0: the whole product */
    uint32_t rule;       /* enum guard_rule */
    uint32_t phase;      /* enum guard_phase: what it is now */
    uint32_t cause;      /* the instrument that did it; 0: an officer */
    uint32_t step;       /* GUARD-04: which limits are in force, from 0 */
    price_t price;       /* that would have traded, or reached the limit; PRICE_NONE: none */
    price_t limit;
    ts_t began;
    ts_t until;          /* of this phase; 0: when told */
    ts_t ended;          /* 0: not yet */
    char reason[REASON_TEXT_SIZE];
};
ASSERT_SIZE(struct event_halt, 32 + 8 + 24 + 40 + REASON_TEXT_SIZE);

struct event_guards {
    struct event_header header;
    uint32_t product;
    uint32_t given;     /* what was changed: 1 << enum guard_field, GUARDS_HAS_GROUP */
    uint32_t loosened;  /* 1: by two officers */
    uint32_t principal;
    uint32_t confirmer; /* 0: one was enough */
    uint32_t reserved;
    int64_t v[GUARD_FIELDS]; /* as they are now */
    char group[GUARD_GROUP_SIZE];
    char reason[REASON_TEXT_SIZE];
};
ASSERT_SIZE(struct event_guards, 32 + 24 + 8 * GUARD_FIELDS + GUARD_GROUP_SIZE + REASON_TEXT_SIZE);

struct event_auction {
    struct event_header header;
    uint32_t instrument;
    uint32_t final; /* 1: the auction's result; 0: indicative */
    price_t price;  /* PRICE_NONE: nothing crosses */
    qty_t qty;
    qty_t surplus;  /* > 0: buy */
};
ASSERT_SIZE(struct event_auction, 64);

#include "msg/settlement_event.h"

struct event_ticker {
    struct event_header header;
    uint32_t instrument;
    uint32_t state;
    price_t last;       /* PRICE_NONE: none; of all time */
    price_t settlement;
    price_t bid;
    price_t ask;
    qty_t bid_qty;
    qty_t ask_qty;
    price_t indicative_price;
    qty_t indicative_qty;
    price_t high; /* of the last 24 h's retained trades */
    price_t low;
    price_t open; /* the first of them */
    qty_t volume; /* lots in the session day (UTC date) */
    qty_t open_interest;
    price_t band_low; /* what GUARD-01 lets in; PRICE_NONE: unbounded */
    price_t band_high;
    price_t limit_low; /* what GUARD-04 lets in today; PRICE_NONE: no limits, or none yet */
    price_t limit_high;
};
ASSERT_SIZE(struct event_ticker, 176);

enum account_status {
    ACCOUNT_normal = 0,
    ACCOUNT_reduce_only, /* a call was not met: only orders that reduce are accepted */
    ACCOUNT_liquidating, /* the clearing house closes the positions: no orders at all */
    ACCOUNT_defaulted,   /* the member is in default: no orders at all */
    ACCOUNT_status_count
};

struct event_account {
    struct event_header header;
    uint32_t id;
    uint32_t member;
    uint32_t mode;
    uint32_t origin;
    uint32_t killed;
    uint32_t system; /* 1: the clearing house's own (ccp, bank, fees, rounding) */
    money_t cash;           /* USD */
    money_t pending;        /* USD reserved for a withdrawal */
    money_t equity;         /* cash + unsettled variation at the mark */
    money_t unrealised;
    money_t initial_margin; /* of positions and working orders, worst case */
    money_t maintenance_margin; /* of positions */
    money_t available;      /* equity or cash, by model, less initial margin */
    money_t fees_paid;
    money_t credit;   /* of pledged capacity, after haircut and cap (CLEAR-09) */
    uint32_t status;  /* enum account_status */
    uint32_t reserved;
    char name[ACCOUNT_NAME_SIZE];
};
ASSERT_SIZE(struct event_account, 168);

struct event_balance {
    struct event_header header;
    uint32_t account;
    uint32_t asset;
    int64_t balance;
    int64_t pending_out;
    int64_t pledged; /* held as collateral: not in the balance (CLEAR-09) */
};
ASSERT_SIZE(struct event_balance, 64);

struct event_asset {
    struct event_header header;
    uint32_t id;
    uint32_t reserved;
    char name[ASSET_NAME_SIZE];
};
ASSERT_SIZE(struct event_asset, 56);

struct event_member {
    struct event_header header;
    uint32_t id;
    uint32_t killed;
    char name[MEMBER_NAME_SIZE];
};
ASSERT_SIZE(struct event_member, 72);

struct event_product {
    struct event_header header;
    uint32_t id;
    uint32_t state; /* enum trading_state */
    struct command_product_create terms;
};
ASSERT_SIZE(struct event_product, 40 + sizeof(struct command_product_create));

enum block_kind { BLOCK_base = 0, BLOCK_peak, BLOCK_off_peak, BLOCK_count };
enum period_kind { PERIOD_year = 0, PERIOD_quarter, PERIOD_month, PERIOD_week, PERIOD_day,
                   PERIOD_hour, PERIOD_none, PERIOD_count };

enum expiry {
    EXPIRY_none = 0,
    EXPIRY_done,
    EXPIRY_waits, /* trading is over, its final price is not there yet; positions stand */
    EXPIRY_delivers, /* trading is over, the price is final; positions stand until the notice */
};

struct event_instrument {
    struct event_header header;
    uint32_t id;
    uint32_t product;
    char name[INSTRUMENT_NAME_SIZE];
    uint8_t period;  /* enum period_kind; PERIOD_none for a spread across periods */
    uint8_t block;   /* enum block_kind */
    uint8_t is_spread;
    uint8_t expired; /* enum expiry */
    uint32_t hours;  /* of the block */
    uint32_t legs[SPREAD_LEGS_MAX]; /* of a spread, else 0 */
    int32_t ratios[SPREAD_LEGS_MAX]; /* of a spread: 1 and -1, ...; else 0 */
    ts_t start;      /* of the delivery period */
    ts_t end;
    ts_t expires_at; /* last trading instant */
    ts_t created;
    price_t tick;
    int64_t contract_size; /* 10^-6 USD per 1.0 of price per lot: of the whole block */
};
ASSERT_SIZE(struct event_instrument, 32 + 8 + 64 + 8 + 8 + 8 + 48);

/* The whole command that awaits follows the struct. */
enum request_status { REQUEST_awaiting = 0, REQUEST_confirmed, REQUEST_dropped };

struct event_request {
    struct event_header header;
    uint64_t request_id;
    uint32_t command;   /* enum command_kind of what awaits */
    uint32_t principal; /* who asked */
    uint32_t status;    /* enum request_status */
    uint32_t account;
    uint32_t asset;
    uint32_t confirmer;
    int64_t amount;
    uint32_t refused;       /* of a dropped one: the enum reject that stood against it, or 0 */
    uint32_t command_bytes; /* how long the command is that follows this struct, whole */
    char reason[REASON_TEXT_SIZE];
};
ASSERT_SIZE(struct event_request, 144);

struct event_killed {
    struct event_header header;
    uint32_t account;
    uint32_t member;
    uint32_t on;
    uint32_t reserved;
};
ASSERT_SIZE(struct event_killed, 48);

struct event_count {
    struct event_header header;
    uint64_t count;
};
ASSERT_SIZE(struct event_count, 40);

struct event_hash {
    struct event_header header;
    uint64_t hash; /* XXH3-64 of the canonical state */
    uint64_t orders_live;
    uint64_t trades;
};
ASSERT_SIZE(struct event_hash, 56);

struct event_venue {
    struct event_header header;
    struct venue_settings settings;
    char reason[REASON_TEXT_SIZE];
};
ASSERT_SIZE(struct event_venue, 136);

#include "msg/event_limit.h"
#include "msg/collateral_event.h"
#include "msg/margin_event.h"
#include "msg/event_default.h"
#include "msg/standing_event.h"
#include "msg/spot_event.h"
#include "msg/compute_event.h"
#include "msg/delivery_event.h"

/* Where the events of one command or query are written: a block of memory that the caller owns,
 * large enough for the most that a command may cause (core_outbox_bytes). */
struct outbox {
    unsigned char *bytes;
    size_t capacity;
    size_t used;
    uint32_t count;
    uint16_t flags; /* put on every event: EVENT_FLAG_ */
    uint16_t reserved;
    uint64_t seq;
    ts_t ts;
};

static inline void outbox_reset(struct outbox *o, uint64_t seq, ts_t ts)
{
    o->used = 0;
    o->count = 0;
    o->flags = 0;
    o->seq = seq;
    o->ts = ts;
}

/* Every byte of a header. Small fields are written as whole words: on the way of an event there is
 * little but stores. */
static inline void event_header_set(struct event_header *h, const struct outbox *o,
                                    enum event_kind kind, size_t size, uint32_t index)
{
    const uint64_t what = (uint64_t)kind | (uint64_t)size << 16 | (uint64_t)o->flags << 32;
    const uint64_t which = index;
    unsigned char *bytes = (unsigned char *)h;
    h->seq = o->seq;
    h->ts = o->ts;
    memcpy(bytes + offsetof(struct event_header, kind), &what, sizeof what);
    memcpy(bytes + offsetof(struct event_header, index), &which, sizeof which);
}

/* A new event at the end: its header is filled in, the rest is the caller's to set, every byte. */
static inline void *outbox_push(struct outbox *o, enum event_kind kind, size_t size)
{
    ASSERT(o->used + size <= o->capacity);
    struct event_header *h = (struct event_header *)(void *)(o->bytes + o->used);
    event_header_set(h, o, kind, size, o->count);
    o->used += size;
    o->count += 1;
    return h;
}

/* The first event, or the one after `e`; NULL when there is none. */
static inline const struct event_header *outbox_next(const struct outbox *o,
                                                     const struct event_header *e)
{
    size_t at = e == NULL ? 0 : (size_t)((const unsigned char *)e - o->bytes) + e->size;
    return at >= o->used ? NULL : (const struct event_header *)(const void *)(o->bytes + at);
}

/* The name of a posting's code; "" when there is none. Static storage. */
const char *posting_code_name(uint16_t code);

/* The name of a kind, as in `order_text`; static storage. */
const char *event_kind_name(enum event_kind kind);

#endif
