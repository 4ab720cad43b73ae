/* state.h: the whole state of the venue, and what the files of core offer each other.
 *
 * Everything that matters to the future lies in one arena block: `struct venue_state` first, then
 * the pools. Records refer to each other by index; index 0 (NIL) is never used. `struct core` is
 * the handle: pointers into the block, rebuilt by core_open, and never part of a snapshot or a
 * hash.
 *
 * Flow of a command: core.c (dispatch) -> order.c (checks, in the order of reject.def) -> match.c
 * (trades) -> novation.c -> ledger.c (every balance) -> trigger.c, link.c (what follows from
 * trades).
 *
 * Invariants, asserted by check.c: (1) positions per instrument sum to zero; (2) balances per asset
 * sum to zero; (3) open_buys/open_sells of an exposure are the sums of its working orders' left;
 * (4) an account's requirement is the sum of its exposures' and SPAN's part (span.h); (5) books as
 * in book.h; not crossed while open; (6) every live order is in exactly one book, or waits as a
 * linked order, and is in its account's list.
 */
#ifndef DOJIMA_CORE_STATE_H
#define DOJIMA_CORE_STATE_H

#include "base/arena.h"
#include "base/map.h"
#include "core/book.h"
#include "core/core.h"
#include "core/block_state.h"
#include "core/certify_state.h"
#include "core/spot_state.h"
#include "core/limit_state.h"
#include "core/index_spot_state.h"
#include "core/delivery_state.h"
#include "core/dual.h"
#include "core/guard.h"

enum { /* struct order.flags above the messages' ORDER_FLAG_ bits (which end at 18) */
    ORDER_BIT_TOP = 1 << 24,        /* has TOP (MATCH-01) */
    ORDER_BIT_TRIGGER = 1 << 25,    /* lies in the trigger book, not yet elected */
    ORDER_BIT_ELECTED = 1 << 26,    /* was a trigger; now an order */
    ORDER_BIT_HELD = 1 << 27,       /* a linked order whose parent has not filled */
    ORDER_BIT_TEXT = 1 << 28,       /* has a label or client order id */
    ORDER_BIT_ICEBERG = 1 << 29,
    ORDER_BIT_QUEUED = 1 << 30,     /* elected, waiting its turn in the election queue */
    ORDER_BIT_TERMS = 1 << 20,      /* order_info holds more than the first line */
    ORDER_BIT_SPREAD = 1 << 21,     /* of a spread: it has an exposure in each leg */
};

/* The rest of an order: touched at entry, on cancel and on questions. The first cache line is every
 * order's; what follows is written only for orders that have such terms (ORDER_BIT_TERMS), and
 * holds the defaults (order_terms_clear) in the slot of any other. */
struct order_info {
    qty_t qty;              /* whole amount */
    qty_t filled;
    int128_t notional;      /* sum of price (10^-6) x lots over fills */
    ts_t created;
    ts_t modified;
    uint32_t account_next;  /* the account's live orders, latest first */
    uint32_t account_prev;
    uint32_t session;
    uint32_t exposure_b;    /* of a spread's second leg */

    qty_t max_show;         /* 0: all */
    qty_t min_qty;
    uint64_t smp_id;
    px_t limit_px;          /* of a trigger or held order: its limit; PX_NONE: none */
    px_t trigger_px;        /* PX_NONE: none */
    int64_t offset;         /* trailing distance or peg offset, ticks */
    ts_t expires_at;        /* 0: none */
    uint32_t timer;         /* place in the timer heap; NIL: none */
    uint32_t special_next;  /* trailing or pegged orders of the instrument */
    uint32_t special_prev;
    uint32_t link_parent;   /* slot of the OTO parent */
    uint32_t link_child;    /* first held child */
    uint32_t link_sibling;  /* ring of one-cancels-other, and list of children */
    uint8_t smp_mode;
    uint8_t peg;
    uint8_t link_type;
    uint8_t fill_condition;
    uint32_t reserved;
    int64_t reserved2[5];
};
ASSERT_SIZE(struct order_info, 192);

/* What the client calls the order; looked at only when ORDER_BIT_TEXT is set. */
struct order_text {
    char client_order_id[CLIENT_ORDER_ID_SIZE];
    char label[LABEL_SIZE];
};
ASSERT_SIZE(struct order_text, 112);

struct asset {
    struct collateral_terms terms; /* of USD only the name */
    int64_t issued;  /* what the issuer's account stands below zero */
    int64_t pledged; /* what the account that holds collateral has */
};

struct member {
    char name[MEMBER_NAME_SIZE];
    uint32_t killed;
    uint32_t accounts;
};
ASSERT_SIZE(struct member, 40);

/* The first cache line is what an order that comes or goes touches. */
struct account {
    uint32_t member;
    uint8_t mode;
    uint8_t origin;
    uint8_t killed;
    uint8_t system;
    uint32_t cash;        /* the USD balance's index; NIL: none yet */
    uint32_t orders;      /* live orders: list head (slot) */
    uint32_t order_count;
    uint32_t exposures;   /* list head */
    money_t requirement;  /* sum over exposures, and SPAN's part (CLEAR-08) */
    money_t credit;       /* value of what is pledged, after haircut; how much of it counts is
                             collateral_credit's to say (CLEAR-09) */
    uint8_t status;       /* enum account_status; other than normal: orders are looked at */
    uint8_t span;         /* 1: has something that SPAN margins (span.h) */
    uint8_t reserved[2];
    uint32_t port_to;     /* the member that consented to take this account; 0: none (CLEAR-02) */

    money_t fees_paid;
    qty_t month_lots;     /* traded in the calendar month of month_number (fee tiers) */
    int64_t month_number;
    uint32_t exposure_recent; /* the one that exposure_find found last: tried before the map */
    uint32_t reserved2;
    char name[ACCOUNT_NAME_SIZE];
    money_t variation;    /* unsettled and counted in equity: SPAN's exposures; else 0 */
    int64_t reserved3;
};
ASSERT_SIZE(struct account, 128);

/* (account, asset): money and tokens. Changed by ledger.c only. */
struct balance {
    uint32_t account;
    uint32_t asset;
    int64_t amount;      /* posted; negative only in system accounts and where variation makes it */
    int64_t pending_out; /* reserved by a pending withdrawal; 0 <= pending_out */
    uint32_t next;       /* of the account; of the free places */
    uint32_t before;     /* of the account; only of tokens (token.h) */
    int64_t pledged;     /* of this asset, held for the account as collateral: not in `amount` */
    uint32_t asset_next; /* of tokens: of the asset */
    uint32_t reserved;
};
ASSERT_SIZE(struct balance, 48);

/* (account, instrument): the position (a ledger balance of the contract), its cost, and what works
 * in the book. position changes in ledger.c only. Spreads have none: their legs do. The first cache
 * line is what an order that comes or goes touches. */
enum { LOT_MARGIN_NONE = -1, LOT_MARGIN_SPAN = -2 };
struct exposure {
    uint32_t account;
    uint32_t instrument;
    int64_t position;      /* lots, negative: short */
    int64_t open_buys;     /* lots of working orders, stops included */
    int64_t open_sells;
    money_t requirement;
    int64_t lot_margin;    /* the product's flat margin, here for the hot path; LOT_MARGIN_NONE: the
                              account is collateralised or the clearing house's own;
                              LOT_MARGIN_SPAN: span.h */
    int128_t cost;         /* sum of signed lots x price (10^-6) since the last mark */

    int128_t entry_cost;   /* of the open position, for its average price; never re-based */
    int128_t buy_value;    /* sum of lots x price (10^-6) of working buys: collateralised mode */
    money_t realised;      /* variation paid in cash so far */
    uint32_t next;         /* of the account */
    uint32_t next_of_instrument;
    uint32_t reduce_only;  /* live reduce-only orders */
    uint32_t limited;      /* 1: counted in holdings (GUARD-07, limit.h) */
    int64_t cover;         /* lots short that pledged capacity covers: collateralised mode */
};
ASSERT_SIZE(struct exposure, 128);

/* Beside an exposure, by the same index: which one comes before it in either list; NIL: it is the
 * first. Only for leaving them (reclaim.h). */
struct exposure_before {
    uint32_t of_account;
    uint32_t of_instrument;
};

struct product {
    struct command_product_create terms;
    uint32_t state;        /* enum trading_state */
    uint32_t instruments;  /* list head */
    uint32_t instrument_last;
    uint32_t limited;      /* 1: has position limits, or is counted with one that has */
    int64_t settle_due;    /* when its prices are next made by the clock; INT64_MAX: never */
    int64_t spot_due;      /* when its next day-ahead auction opens; INT64_MAX: never */
    struct guard_interruption interruption;
};

enum { CASCADE_PARENTS_MAX = 4 };
struct instrument {
    struct book book;      /* resting orders */
    struct book stops;     /* triggers of stops, by -trigger: buys are elected by a rise, lowest
                              trigger first; sells by a fall, highest first */
    struct book takes;     /* triggers of take orders, by trigger: sells by rise, buys by a fall */
    uint32_t product;
    uint32_t own_state;    /* while a protection (GUARD-02) or its hour's auction (INDEX-01) stops
                              it alone: STATE_halted or STATE_auction; STATE_closed: as its
                              product */
    price_t tick;
    price_t last;          /* of all time; PRICE_NONE: none */
    price_t session_last;  /* since the product last left `closed`; PRICE_NONE: none */
    price_t settlement;    /* the latest; PRICE_NONE: none */
    uint32_t implied;      /* spreads that imply prices for its book: how many (MATCH-06) */
    uint32_t pegged;       /* pegged orders: list head */
    uint32_t exposures;    /* list head */
    uint32_t spread_first; /* first spread listed with this instrument as a leg: spread_ref index */
    uint32_t top[2];       /* the order that has TOP; NIL: none */
    uint32_t exposure_ccp; /* the clearing house's own, of an outright; NIL: a spread */
    uint32_t next_of_product;
    uint32_t special;      /* trailing stops: list head */
    uint32_t spot;         /* the live day-ahead auction of its hour: place + 1; 0: none */
    uint64_t trade_seq;
    int64_t day;           /* UTC date (days since 1970) of the following two */
    qty_t volume;
    price_t open;
    price_t high;
    price_t low;
    qty_t open_interest;   /* sum of long positions */
    price_t indicative_price;
    qty_t indicative_qty;
    int64_t window_open;   /* prints from this instant on are settlement.c's as well */
    int64_t expiry_due;    /* when the clock looks at its expiry; INT64_MAX: never */
    uint32_t live_next;    /* the list of all that are not over (EXPIRY_done), in order of id */
    uint32_t live_before;
    int64_t settlement_day;   /* UTC date that the settlement is of */
    price_t settlement_before; /* the one in force before that day; PRICE_NONE: none */
    uint64_t settlement_id;   /* of its record; 0: none */
    uint8_t settlement_tier;  /* enum settlement_tier */
    uint8_t settlement_cycle;
    uint8_t reserved2[6];
    uint32_t cascaded_from[CASCADE_PARENTS_MAX]; /* contracts that became this one; NIL behind */
    struct event_instrument terms; /* header unused (zero); what the directory says */
};

struct client_id {
    char text[CLIENT_ORDER_ID_SIZE];
    uint64_t body_hash;
    uint32_t account;
    uint32_t answer_used;   /* bytes */
    uint64_t answer_offset; /* into answers */
    uint64_t order_id;
};
ASSERT_SIZE(struct client_id, 72);

struct venue_state {
    uint64_t magic;   /* CORE_MAGIC */
    struct core_limits limits;
    uint64_t seq;
    ts_t ts;
    int64_t day;      /* UTC date of ts */
    struct venue_settings settings;
    struct clearing_settings clearing; /* CLEAR-09 */
    uint64_t order_serial;
    uint64_t trade_id;
    uint64_t posting_id;
    uint64_t chain_id;
    uint64_t settlement_id;
    uint64_t settlement_source_id;
    uint64_t mark_id;
    int64_t mark_due;      /* when all is next marked by the clock; INT64_MAX: never */
    int64_t schedule_due;  /* schedule.h; INT64_MAX: nothing is due */
    uint64_t request_id;
    uint64_t halt_id;
    ts_t guard_due;   /* the earliest end of an interruption's phase */
    uint64_t answer_bytes_used;
    uint32_t assets;     /* counts: highest index in use */
    uint32_t members;
    uint32_t accounts;
    uint32_t products;
    uint32_t instruments;
    uint32_t live_first;   /* instruments that are not over: list ends */
    uint32_t live_last;
    uint32_t name_map_count;
    uint32_t balances;     /* highest place ever used */
    uint32_t balance_free; /* places given back (token.h): list head */
    uint32_t exposures;    /* highest place ever used */
    uint32_t exposure_free; /* places given back (reclaim.h): list head */
    uint32_t spread_refs;
    uint32_t indices;
    uint32_t limit_sweep;  /* exposure at which limit_sweep.c goes on; 0: nothing to do */
    uint32_t orders_used;  /* highest slot ever used */
    uint32_t orders_free;  /* free slots: list head (by order.next) */
    uint32_t orders_live;
    uint32_t closed_first; /* ring of closed slots: place of the oldest */
    uint32_t closed_count;
    uint32_t timers;       /* heap size */
    uint32_t elections_first; /* queue of elected triggers: ring */
    uint32_t elections_count;
    uint32_t client_ids;
    uint32_t client_id_map_count;
    uint32_t balance_map_count;
    uint32_t exposure_map_count;
    uint32_t account_ccp;  /* the clearing house's own accounts */
    uint32_t account_bank;
    uint32_t account_fees;
    uint32_t account_rounding;
    uint32_t implied_sweep; /* 1: spread orders may cross their legs' implied (MATCH-06) */
    uint32_t calls_live;    /* heap size */
    ts_t default_due;      /* the next deadline of an auction or a call (CLEAR-10); 0: none */
    ts_t implied_expiry;   /* when a leg of some spread passes its last instant: MATCH-06 */
    uint32_t account_issuer; /* capacity comes from here; NIL until the first asset */
    uint32_t account_collateral; /* and is held here while pledged */
    uint64_t call_id;
    uint64_t record_id;     /* of clearing records: the latest */
};

/* An account's margin call: at most one lives; what it came to is kept until the next. */
struct margin_call {
    uint64_t id;         /* 0: never called */
    ts_t issued;
    ts_t deadline;
    ts_t due;            /* when it is looked at next, while it lives */
    money_t called;
    int64_t day;         /* UTC date of slices_day */
    uint32_t state;      /* enum call_state */
    uint32_t slices;
    uint32_t slices_day;
    uint32_t place;      /* in the heap; 0: it does not live */
};
ASSERT_SIZE(struct margin_call, 64);

/* When an instrument was last marked to market, and at what price. */
struct mark {
    uint64_t seq;
    price_t price;
};

/* What happened to an account in clearing, as kept for questions: the event itself. */
union clearing_record {
    struct event_header header;
    struct event_call call;
    struct event_slice slice;
    struct event_port port;
};

/* Settlement sources kept for questions: four for each settlement. */
static inline uint64_t settlement_sources_kept(const struct core_limits *l)
{
    return (uint64_t)l->settlements * 4;
}

/* A spread that has an instrument as a leg. */
struct spread_ref {
    uint32_t spread;
    uint32_t next;
};

/* An implied price and quantity as published; of a spread for each of its three books: legs A and
 * B, and the spread's own. Quantity 0: none. See implied.h. */
enum implied_role { IMPLIED_a = 0, IMPLIED_b, IMPLIED_spread, IMPLIED_roles };
struct implied_quote {
    px_t px;
    qty_t qty;
};
struct spread {
    uint32_t legs[SPREAD_LEGS_MAX];
    uint32_t ratios[SPREAD_LEGS_MAX]; /* lots of each leg for one lot of the spread */
    struct implied_quote quotes[IMPLIED_roles][2]; /* [SIDE_buy], [SIDE_sell] */
};
ASSERT_SIZE(struct spread, 112);

enum { TOUCHED_MAX = 64 };

enum { /* account.system */
    SYSTEM_none = 0,
    SYSTEM_clearing, /* the clearing house's own: neither trades nor is margined */
    SYSTEM_estate,   /* of a defaulter: traded by the clearing house alone (CLEAR-10) */
};

struct fund_state; /* default.h */
struct fund_member;
struct default_record;
struct portfolio_bid;
struct default_claim;
struct gain_window;
struct payer;

struct core {
    struct venue_state *s;
    struct core_limits limits;
    struct book_pools pools;      /* orders, levels, ladder nodes */
    struct order_info *info;      /* by order slot */
    struct order_text *texts;     /* by order slot */
    struct asset *assets;         /* [1 .. ASSETS_MAX] */
    struct member *members;
    struct account *accounts;
    struct balance *balances;
    struct exposure *exposures;
    struct product *products;
    struct instrument *instruments;
    struct spread_ref *spread_refs;
    struct spread *spreads;       /* by instrument; zero of an outright */
    struct guard *guards;         /* by instrument */
    struct event_halt *halts;     /* ring: id % HALTS_KEPT */
    struct client_id *client_ids;
    unsigned char *answers;
    struct event_trade *trades;         /* ring: trade_id % limits.trades */
    struct event_posting *postings;     /* ring: posting_id % limits.postings */
    struct event_settlement *settlements; /* ring: id % limits.settlements */
    struct event_settlement_source *settlement_sources; /* ring: id % settlement_sources_kept */
    struct window *windows;             /* by instrument: settlement.h */
    struct index *indices;              /* index.h */
    struct index_hour *index_hours;
    struct index_input *index_inputs;
    struct index_spot index_spot;       /* INDEX-02 */
    struct pending_request *requests;
    struct span_venue *span_venue;      /* span.h, like the following */
    struct span_group *span_groups;
    struct span_instrument *span_instruments; /* by instrument */
    struct span_record *span_records;
    struct span_exposure *span_exposures;     /* by exposure */
    struct span_account *span_accounts;       /* by account */
    uint32_t *closed;                   /* ring of slots */
    uint32_t *timer_heap;               /* slots, [1 .. timers] by (expires_at, id) */
    uint32_t *elections;                /* ring of slots */
    struct margin_call *calls;          /* by account (CLEAR-09) */
    union clearing_record *records;     /* ring: record_id % limits.settlements */
    struct event_standing *standings;   /* by account, STANDINGS_KEPT each: standing.h */
    uint32_t *call_heap;                /* accounts, [1 .. calls_live] by (due, account) */
    struct map balance_map;             /* account << 32 | asset */
    struct map exposure_map;            /* account << 32 | instrument */
    struct map name_map;                /* an instrument's name, hashed */
    struct map client_id_map;           /* hash of account and text */
    struct limits limit;                /* GUARD-07 */
    struct fund_state *fund;            /* one */
    struct fund_member *fund_members;   /* by member */
    struct default_record *defaults;    /* by member */
    uint8_t *default_tiers;             /* by defaulter and member: tier_at */
    int64_t *default_bounds;            /* by defaulter and member: bound_at */
    struct portfolio_bid *bids;
    struct default_claim *claims;
    struct gain_window *gains;          /* by account */
    struct deals deal;                  /* MATCH-11 */
    struct spot spot;                   /* INDEX-01 */
    struct deliveries deliver;          /* DELIV-01 */
    struct certify certify;             /* CERT */
    struct tokens token;                /* UNIT-02 */
    struct mark *marks;                 /* by instrument: the latest (bust.c) */
    struct exposure_before *exposures_before; /* by exposure */
    unsigned char *block;
    size_t block_bytes;
    struct outbox *out;                 /* of the command being applied */

    /* Scratch of the command being applied; not state. */
    struct share *shares;               /* order slots and what each gets: orders + closed + 1 */
    struct share *shares_opposite;
    struct curve *curve;                /* settlement_curve.c */
    uint32_t *cascade_to;               /* cascade.c: exposures + 1 */
    struct print *prints;               /* prices traded by the aggressor at work, in order */
    uint32_t prints_count;
    uint32_t fills_left;
    uint32_t touched[TOUCHED_MAX];      /* instruments with pegged orders whose book changed */
    uint32_t touched_count;
    uint32_t span_noted_count;          /* exposures whose margin is to be reckoned (span.c) */
    uint32_t *span_noted;
    struct span_scratch *span_scratch;
    enum reject refused;                /* of the confirmed command at work; REJECT_none */
    uint32_t confirmer;                 /* who confirmed it */
    uint32_t reserved;
    const struct pending_request *confirming; /* which one that is; NULL: none (dual.h) */
    uint32_t claim_cursor;              /* default_layers.c */
    struct payer *payers;               /* accounts + 1 */
    struct query_leg *legs;             /* of a portfolio: instruments + 1 */
    int64_t *fund_weights;              /* by member */
    uint32_t implied_dirty_count;
    uint32_t *implied_dirty;            /* instruments with implied prices whose book changed */
    uint8_t *implied_marks;             /* by instrument: it is in implied_dirty */
    struct implied_depth *depth;        /* what a fill-or-kill counts with */
};

struct share {
    uint32_t order;
    uint32_t reserved;
    int64_t take;
    int64_t shown; /* displayed before */
};
struct print {
    uint32_t instrument;
    uint32_t reserved;
    px_t px;
};

enum { ASSETS_MAX = 255 };
/* Format of the state block, version 7: raised whenever what core_cut cuts, or a record in it, is
 * laid out anew, so that a snapshot of another layout is refused and its log replayed instead. */
#define CORE_MAGIC UINT64_C(0x374f43414d494a44)

/* ---- core.c ---- */
uint32_t order_slots(const struct core_limits *l); /* live and retained, NIL included */
void reject_push(struct core *c, const struct command *cmd, enum reject reason, int64_t detail);

/* ---- venue.c: settings of the whole venue; GUARD-05 ---- */
void venue_set(struct core *c, const struct command *cmd);
void query_venue(const struct core *c, struct outbox *out);

/* ---- instrument.c: products, periods, instruments, spreads; CONTRACT, UNIT ---- */
void product_create(struct core *c, const struct command *cmd);
void instrument_list(struct core *c, const struct command *cmd);
/* Lists an outright: REJECT_none and its id, or why not. */
enum reject instrument_open(struct core *c, const struct command_instrument_list *l,
                            bool by_cascade, uint32_t *id);
/* It is over (EXPIRY_done): out of the list of those that live. */
void instrument_end(struct core *c, uint32_t instrument);
void instruments_check(const struct core *c);
/* The product's outright of this period and block; NIL: not listed. */
struct period; /* calendar.h */
uint32_t instrument_find(const struct core *c, uint32_t product, const struct period *period);
void spread_list(struct core *c, const struct command *cmd);
void event_product_push(const struct core *c, struct outbox *out, uint32_t product);
void event_instrument_push(const struct core *c, struct outbox *out, uint32_t instrument);

/* ---- account.c: members, accounts, the clearing house's own accounts ---- */
void account_open_system(struct core *c); /* at a fresh start */
void account_create(struct core *c, const struct command *cmd);
void account_kill(struct core *c, const struct command *cmd); /* MATCH-09; cancels by order.c */
void event_account_push(const struct core *c, struct outbox *out, uint32_t account);
/* Of an account, or of all of a member's: one of the two is NIL. */
void event_killed_push(struct core *c, uint32_t account, uint32_t member, uint32_t on);
bool account_name_is_valid(const char *name);
uint32_t account_find(const struct core *c, const char *name); /* NIL: none of this name */
/* Whether there is a position; whether there is none and all is marked. */
bool account_holds(const struct core *c, uint32_t account);
bool account_is_flat(const struct core *c, uint32_t account);
/* Another account of the clearing house's own, opened when first needed; announced. */
bool account_room_own(const struct core *c, uint32_t count);
uint32_t account_open_own(struct core *c, const char *name);
void event_member_push(const struct core *c, struct outbox *out, uint32_t member);

/* ---- ledger.c: double entry; the only place where a balance or a position changes ---- */
struct ledger_line {
    uint32_t account;
    uint32_t asset;      /* ASSET_USD, ..., or ASSET_INSTRUMENT + instrument */
    int64_t amount;      /* > 0: credited */
};
/* Finds or makes the record; NIL when the pool is full. */
uint32_t balance_get(struct core *c, uint32_t account, uint32_t asset);
uint32_t exposure_reach(struct core *c, uint32_t account, uint32_t instrument); /* exposure_get */
uint32_t exposure_find(const struct core *c, uint32_t account, uint32_t instrument);
/* Posts a linked chain: all lines or none. Lines sum to zero in each asset (ASSERT). Returns
 * REJECT_none, or insufficient_funds / amount_overflow / capacity_exhausted with nothing
 * changed. */
enum reject ledger_post(struct core *c, const struct ledger_line *lines, uint32_t count,
                        enum posting_code code, uint32_t instrument, uint64_t reference);
/* Two-phase: reserve now, then post or void. */
enum reject ledger_pend(struct core *c, uint32_t account, uint32_t asset, int64_t amount,
                        enum posting_code code, uint64_t reference);
void ledger_unpend(struct core *c, uint32_t account, uint32_t asset, int64_t amount,
                   enum posting_code code, uint64_t reference, bool post, uint32_t to);
int64_t ledger_cash(const struct core *c, uint32_t account); /* USD, 10^-6 */
int128_t ledger_cash_free(const struct core *c, uint32_t account); /* less pending withdrawals */
void deposit(struct core *c, const struct command *cmd);      /* CLEAR-13 */
void withdraw(struct core *c, const struct command *cmd);
void transfer(struct core *c, const struct command *cmd);

/* ---- novation.c: a trade becomes two positions against the clearing house; CLEAR-01, -12 ---- */
struct trade {
    uint32_t instrument;
    enum trade_kind kind;
    enum side aggressor;
    px_t px;
    qty_t qty;
    uint32_t order[2];   /* slots, [SIDE_buy], [SIDE_sell] */
    bool maker[2];
};
/* Trade id, ledger chain, fees, cost, last prices, volumes, the trade event; for a spread, its
 * legs. Capacity for exposures was made sure of when the orders entered. Cannot fail. */
void novation_trade(struct core *c, const struct trade *t);

/* ---- margin.c: CLEAR-08, the flat model and the fully collateralised mode ---- */
/* Whether `qty` more lots at `price` on `side` may work for exposure e (and eb for a spread's
 * second leg, else NIL): REJECT_none or insufficient_margin; *missing gets the shortfall. */
enum reject margin_admit(struct core *c, uint32_t account, uint32_t instrument, uint32_t e,
                         uint32_t eb, enum side side, price_t price, int64_t qty,
                         int64_t *missing);
/* Adds (qty > 0) or takes away (qty < 0) working lots at this price; recomputes requirements. */
void margin_work(struct core *c, uint32_t instrument, uint32_t e, uint32_t eb, enum side side,
                 price_t price, int64_t qty);
/* Recomputes an exposure's requirement and its account's sum, after a position change. */
void margin_update(struct core *c, uint32_t e);

/* ---- settle.c: mark-to-market, expiry; CLEAR-04 ---- */
void mark_to_market(struct core *c, const struct command *cmd);
void expire(struct core *c, const struct command *cmd);
/* Settlement, else last, else none. */
price_t price_mark(const struct core *c, uint32_t instrument);

/* ---- entry.c: what an order must satisfy, in the order of reject.def ---- */
enum { ORDER_FLAGS_ALL = (1 << 19) - 1, ENTRY_OFF_TICK = 1 << 19, ENTRY_OUT_OF_RANGE = 1 << 20,
       /* what an order may say of itself: that it liquidates only the clearing house says */
       ORDER_FLAGS_CLIENT = ORDER_FLAGS_ALL & ~ORDER_FLAG_LIQUIDATION };
struct entry {              /* an order_new or order_edit on its way in, prices in ticks */
    uint32_t account;
    uint32_t instrument;
    uint32_t exposure;      /* NIL: not looked up yet */
    uint32_t exposure_b;
    uint32_t flags;
    uint8_t side;
    uint8_t type;
    uint8_t tif;
    uint8_t smp_mode;
    uint8_t peg;
    uint8_t held;           /* a linked order, which will wait for its parent */
    uint8_t waking;         /* a linked order that wakes, or an edit that leaves prices alone:
                               not judged again by the band, its trigger may be met already */
    uint8_t plain;          /* a limit order with a price, an amount and nothing else, to stay,
                               for the day or immediate: most checks cannot refuse it */
    px_t px;                /* PX_NONE: none yet */
    px_t trigger;
    int64_t offset;         /* ticks */
    int64_t qty;            /* still to be filled */
    int64_t max_show;
    int64_t min_qty;
    uint64_t smp_id;
    ts_t expires_at;
    ts_t valid_until;
};
/* Reads the command's numbers; REJECT_none or why not. *detail as in event_reject. */
enum reject entry_from_new(const struct core *c, const struct command *cmd, struct entry *e);
void entry_from_linked(const struct core *c, const struct command *cmd, uint32_t index,
                       struct entry *e);
enum reject entry_check(const struct core *c, struct entry *e, int64_t *detail);
int64_t entry_max_show(const struct entry *e); /* 0: shows all */
bool type_is_trigger(enum order_type type);
bool trigger_rises(enum side side, enum order_type type); /* elected by a rise */

/* ---- order.c: entry, edit, cancel; MATCH-02, -03, -05, -09 ---- */
uint32_t order_find(const struct core *c, uint64_t id); /* live or retained; NIL */
void order_start(struct core *c, uint32_t o);
/* The price at which an entry is admitted (CLEAR-08); PX_NONE: it may be repriced without bound. */
px_t entry_margin_px(const struct core *c, const struct entry *e);
void order_work(struct core *c, uint32_t o, int64_t lots); /* counts lots as working */
void order_new(struct core *c, const struct command *cmd);
/* An order of the clearing house's own for an account (CLEAR-09), of an entry that entry_check
 * passed; margin is not asked. False: no room, nothing changed. */
bool order_enter_own(struct core *c, struct entry *e);
void order_edit(struct core *c, const struct command *cmd);
void order_cancel(struct core *c, const struct command *cmd);
void order_cancel_many(struct core *c, const struct command *cmd);
void order_mass_quote(struct core *c, const struct command *cmd);
/* Cancels one live order for this cause: book, margin, lists, event. */
void order_close(struct core *c, uint32_t o, enum order_state state, enum order_cause cause);
/* Cancels all live orders of an account / of an instrument. Returns how many. */
uint32_t order_cancel_account(struct core *c, uint32_t account, enum order_cause cause);
uint32_t order_cancel_instrument(struct core *c, uint32_t instrument, enum order_cause cause);
void event_order_push(const struct core *c, struct outbox *out, uint32_t o, enum order_cause cause);
void event_order_text_push(const struct core *c, struct outbox *out, uint32_t o);
/* The level at px after a change; `level` as known by the caller, NIL: it is gone. */
void event_level_push(const struct core *c, struct outbox *out, uint32_t instrument,
                      enum side side, px_t px, uint32_t level);

/* ---- match.c: continuous trading ---- */
/* Lets order `a` (open, not in a book, limit in px) trade and then rest or be cancelled. */
void match_enter(struct core *c, uint32_t a);
/* One fill between aggressor and resting order, with everything that follows for both. */
void match_fill(struct core *c, uint32_t a, uint32_t r, int64_t qty);
/* How many lots `e` could trade at once within its limit, up to its quantity. */
int64_t match_available(const struct core *c, const struct entry *e);
void match_rest(struct core *c, uint32_t o);
void match_directed(struct core *c, uint32_t a, uint32_t target);
bool smp_conflict(const struct core *c, uint32_t a, uint32_t r);
/* False when the aggressor is finished. */
bool smp_resolve(struct core *c, uint32_t a, uint32_t r);
bool smp_decrement(struct core *c, uint32_t a, int64_t lots_a, uint32_t r, int64_t lots_r);
/* Booking common to both sides of a fill at `px`: filled, notional, working quantity. */
void order_filled(struct core *c, uint32_t o, px_t px, int64_t qty);
void order_refresh(struct core *c, uint32_t o); /* an iceberg's next part; loses time and TOP */
void reduce_only_cut(struct core *c, uint32_t exposure);
void match_follow(struct core *c, uint32_t o); /* after a fill: reduce-only and linked orders */
void book_touched(struct core *c, uint32_t instrument); /* its levels changed */
void book_pegs_touched(struct core *c, uint32_t instrument);

/* ---- allocate.c: MATCH-01's algorithms other than plain FIFO ---- */
bool allocate_applies(const struct core *c, uint32_t instrument);
/* What each order of a level gets of `qty` lots, in time order; returns how many orders. */
uint32_t allocate_level(const struct core *c, uint32_t level, int64_t qty, struct share *shares);
/* One round at the best level opposite to `a`; false when nothing could be given. */
bool allocate_round(struct core *c, uint32_t a);

/* ---- trigger.c: stops, trailing stops and their election; MATCH-08 ---- */
void trigger_add(struct core *c, uint32_t o);
void trigger_remove(struct core *c, uint32_t o);
void trigger_print(struct core *c, uint32_t instrument, px_t px); /* remembers, to elect later */
void trigger_elect_prints(struct core *c);
bool trigger_elect_auction(struct core *c, uint32_t instrument, px_t px);
void trigger_run(struct core *c); /* enters what was elected, until none is left */
void election_push(struct core *c, uint32_t o);
void election_drop(struct core *c, uint32_t o);
struct book *trigger_book(const struct core *c, uint32_t o);
/* The limit of a stop without one: its trigger with the product's protection. */
px_t trigger_limit(const struct core *c, uint32_t instrument, enum side side, px_t trigger);
bool trigger_met(const struct core *c, uint32_t instrument, bool rises, px_t trigger);

/* ---- peg.c ---- */
void peg_add(struct core *c, uint32_t o);
void special_add(struct core *c, uint32_t *head, uint32_t o);
void special_remove(struct core *c, uint32_t *head, uint32_t o);
void peg_run(struct core *c);

/* ---- link.c: one-triggers-other, one-cancels-other ---- */
void link_filled(struct core *c, uint32_t o);
void link_closed(struct core *c, uint32_t o);
void link_activate(struct core *c, uint32_t o);

/* ---- auction.c: MATCH-07 ---- */
struct auction {
    px_t px; /* PX_NONE: nothing crosses */
    int64_t qty;
    int64_t surplus;
};
struct auction auction_find(const struct core *c, uint32_t instrument);
void auction_uncross(struct core *c, uint32_t instrument);
void event_auction_push(struct core *c, uint32_t instrument, struct auction a, bool final);

/* ---- session.c: trading states and what the clock brings ---- */
void state_set(struct core *c, const struct command *cmd);
/* Whatever moves a product's state: says it; uncrosses into `open`; Day orders end with
 * `closed`. */
void product_move(struct core *c, uint32_t product, enum trading_state after, const char *reason);
void event_instrument_state_push(struct core *c, uint32_t instrument, enum trading_state before,
                                 const char *reason);
void timer_add(struct core *c, uint32_t o);
void timer_remove(struct core *c, uint32_t o);
void timer_run(struct core *c);
void session_day(struct core *c); /* a new UTC date */

/* ---- repeat.c: MATCH-05 ---- */
enum repeat { REPEAT_first, REPEAT_answered, REPEAT_rejected };
enum repeat repeat_look(struct core *c, const struct command *cmd, uint64_t *body_hash);
bool repeat_has_room(const struct core *c);
void repeat_keep(struct core *c, const struct command *cmd, uint64_t body_hash, size_t from);

/* Small readers. */
static inline uint32_t exposure_get(struct core *c, uint32_t account, uint32_t instrument)
{
    uint32_t recent = c->accounts[account].exposure_recent;
    if (c->exposures[recent].instrument == instrument && recent != NIL) return recent;
    return exposure_reach(c, account, instrument);
}
static inline bool account_exists(const struct core *c, uint32_t account)
{
    return account != NIL && account <= c->s->accounts;
}
/* Neither the clearing house's own nor an estate. */
static inline bool account_is_customer(const struct core *c, uint32_t account)
{
    return account_exists(c, account) && c->accounts[account].system == SYSTEM_none;
}
/* By itself or with all of its member's (MATCH-09). */
static inline bool account_is_killed(const struct core *c, uint32_t account)
{
    const struct account *a = &c->accounts[account];
    return a->killed || c->members[a->member].killed;
}
/* The member that the clearing house's own accounts belong to. */
static inline uint32_t member_clearing(const struct core *c)
{
    return c->accounts[c->s->account_ccp].member;
}
static inline struct order *order_at(const struct core *c, uint32_t o)
{
    return &c->pools.orders[o];
}
/* Open, or a trigger or linked order that waits. */
static inline bool order_is_live(const struct order *o)
{
    return (o->state == ORDER_STATE_open) | (o->state == ORDER_STATE_untriggered);
}
static inline struct book *book_of(const struct core *c, uint32_t instrument)
{
    return &c->instruments[instrument].book;
}
static inline enum trading_state state_of(const struct core *c, uint32_t instrument)
{
    const struct instrument *in = &c->instruments[instrument];
    uint32_t state = c->products[in->product].state;
    return (enum trading_state)(in->own_state != 0 && state == STATE_open ? in->own_state : state);
}
static inline enum side opposite(enum side side)
{
    return side == SIDE_buy ? SIDE_sell : SIDE_buy;
}
static inline const struct product *product_of(const struct core *c, uint32_t instrument)
{
    return &c->products[c->instruments[instrument].product];
}
static inline bool is_spread(const struct core *c, uint32_t instrument)
{
    return c->instruments[instrument].terms.is_spread != 0;
}
/* Expired, or past its last trading instant; one that was listed afterwards (a replay's) has
 * none. */
static inline bool instrument_is_past(const struct core *c, uint32_t instrument)
{
    const struct event_instrument *terms = &c->instruments[instrument].terms;
    bool past = c->s->ts.v >= terms->expires_at.v && terms->expires_at.v > terms->created.v;
    return terms->expired != 0 || past;
}
/* Its last price stands: it has expired, or waits for its delivery's notice. */
static inline bool instrument_is_final(const struct core *c, uint32_t instrument)
{
    uint8_t expired = c->instruments[instrument].terms.expired;
    return expired == EXPIRY_done || expired == EXPIRY_delivers;
}
/* The level at px as it is now. */
static inline void level_say(struct core *c, uint32_t instrument, enum side side, px_t px)
{
    uint32_t level = book_level_at(&c->pools, book_of(c, instrument), side, px);
    event_level_push(c, c->out, instrument, side, px, level);
}
/* Whether orders gather for an auction. */
static inline bool state_gathers(enum trading_state state)
{
    return state == STATE_pre_open || state == STATE_auction;
}
/* The last trade of this session, else the settlement price; PRICE_NONE: neither. */
static inline price_t price_reference(const struct instrument *in)
{
    return price_is_none(in->session_last) ? in->settlement : in->session_last;
}
/* GUARD-01: the price about which the band lies: the last trade of this session, else the
 * indicative price, else the settlement price; PRICE_NONE: there is no band. */
static inline price_t price_band_reference(const struct core *c, uint32_t instrument)
{
    const struct instrument *in = &c->instruments[instrument];
    if (price_is_none(in->session_last) && state_gathers(state_of(c, instrument))) {
        px_t indicative = auction_find(c, instrument).px;
        if (!px_is_none(indicative)) return PRICE(indicative.v * in->tick.v);
    }
    return price_reference(in);
}
/* What lots of a spread are in lots of its first (0) or second (1) leg (MATCH-06). */
static inline int64_t spread_lots(const struct core *c, uint32_t spread, uint32_t leg, int64_t lots)
{
    return lots * (int64_t)c->spreads[spread].ratios[leg];
}
static inline price_t price_of(const struct core *c, uint32_t instrument, px_t px)
{
    return px_is_none(px) ? PRICE_NONE : PRICE(px.v * c->instruments[instrument].tick.v);
}

#endif
