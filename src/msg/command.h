/* command.h: everything that can be asked of the venue, as fixed records.
 *
 * A command is a header and the body of its kind. It is what the journal keeps and what the core
 * applies: no pointers, no padding, little-endian as the machine is. `header.size` counts header
 * and body; a body that ends in an array or in text may be cut short to what it uses.
 *
 * Invariants: (1) every struct here is a multiple of 8 bytes without padding, size asserted;
 * (2) bytes that are not used are zero, so equal requests are equal bytes; (3) names are
 * zero-padded and hold at least one zero at the end; (4) the sequencer alone writes seq and ts.
 *
 * Numbers: prices in 10^-6 USD as typed (the core turns them into ticks and rejects what is off
 * the tick, so that rejects keep their precedence); amounts in lots; money in 10^-6 of the asset.
 *
 * Upstream: base. Downstream: wire (bytes to commands), seq (stamps, journals), core (applies).
 */
#ifndef DOJIMA_MSG_COMMAND_H
#define DOJIMA_MSG_COMMAND_H

#include "base/assert.h"
#include "base/units.h"
#include "msg/block.h"
#include "msg/cascade.h"
#include "msg/compute.h"
#include "msg/limit.h"
#include "msg/margin.h"
#include "msg/default.h"
#include "msg/settlement.h"
#include "msg/guard.h"
#include "msg/spot.h"
#include "msg/delivery.h"

#include <stddef.h>
#include <stdint.h>

enum {
    PRODUCT_NAME_SIZE = 16,
    ACCOUNT_NAME_SIZE = 32,
    MEMBER_NAME_SIZE = 32,
    ASSET_NAME_SIZE = 16,
    PERIOD_NAME_SIZE = 24,
    INSTRUMENT_NAME_SIZE = 64,
    LABEL_SIZE = 72, /* 64 characters, as Deribit allows */
    CLIENT_ORDER_ID_SIZE = 40,
    REASON_TEXT_SIZE = 64,
    LINKED_ORDERS_MAX = 3,
    QUOTES_MAX = 64,
    LMM_MAX = 8,
    FEE_TIERS_MAX = 4,
    SPREAD_LEGS_MAX = 2,
    SPREAD_RATIO_MAX = 1000,
};

enum command_kind {
    COMMAND_none = 0,
    COMMAND_tick,             /* only time passes: what is due happens */
    COMMAND_venue_set,        /* venue-wide settings */
    COMMAND_product_create,
    COMMAND_instrument_list,
    COMMAND_spread_list,
    COMMAND_account_create,   /* and its member, with the first account */
    COMMAND_deposit,
    COMMAND_withdraw,
    COMMAND_transfer,         /* between accounts of one member */
    COMMAND_confirm,          /* the second officer's yes */
    COMMAND_state_set,        /* a product's trading state */
    COMMAND_settlement_price,
    COMMAND_settle_day,       /* the day's settlement prices of a product (CLEAR-03) */
    COMMAND_mark_to_market,
    COMMAND_expire,
    COMMAND_kill,             /* trading off or on for an account or member */
    COMMAND_order_new,
    COMMAND_order_edit,
    COMMAND_order_cancel,
    COMMAND_cancel_many,      /* by account, product, instrument, side, session, label */
    COMMAND_mass_quote,
    COMMAND_limits_set,       /* GUARD-07: a product's position limits */
    COMMAND_supply_set,       /* what can be delivered */
    COMMAND_owner_set,        /* whose an account is */
    COMMAND_exemption_set,
    COMMAND_asset_set,        /* CLEAR-09: certified capacity as an asset: price, haircut, source */
    COMMAND_asset_issue,      /* against evidence, or retired */
    COMMAND_pledge,           /* capacity as collateral, or released */
    COMMAND_collateral_sell,  /* of a member in default */
    COMMAND_clearing_set,     /* calls, liquidation, caps */
    COMMAND_call_margin,      /* looks at margins now */
    COMMAND_port_accept,      /* CLEAR-02: the receiving member consents */
    COMMAND_port,
    COMMAND_margin_set,       /* parameters of a margin group (CLEAR-06) */
    COMMAND_margin_inter,     /* credits between groups */
    COMMAND_margin_flat,      /* margin per lot of a flat product */
    COMMAND_margin_run,       /* a run of CLEAR-05 begins, is committed or given up */
    COMMAND_margin_result,    /* its results, for many accounts */
    COMMAND_margin_convert,   /* micros into standards or back (CONTRACT-03) */
    COMMAND_fund_set,         /* how the default fund is run (CLEAR-10, CLEAR-11) */
    COMMAND_fund_size,        /* the day's shares */
    COMMAND_fund_move,        /* money into and out of the fund, own capital, recoveries */
    COMMAND_default_declare,
    COMMAND_default_step,     /* allocate the loss, tear up, close */
    COMMAND_default_hedge,    /* an order for a defaulter's estate */
    COMMAND_portfolio_open,   /* an auction of a defaulter's portfolio */
    COMMAND_portfolio_bid,
    COMMAND_close_out,        /* a client of a defaulter that nobody takes (CLEAR-10) */
    COMMAND_block_propose,    /* MATCH-11: a trade made outside the book */
    COMMAND_block_answer,
    COMMAND_trade_bust,       /* MATCH-10 */
    COMMAND_index_create,     /* a reference price as data (INDEX-02) */
    COMMAND_index_submit,
    COMMAND_index_price,      /* the committee's */
    COMMAND_guards_set,       /* GUARD-05 */
    COMMAND_spot_open,        /* INDEX-01: a day-ahead auction beside the clock's */
    COMMAND_spot_bid,
    COMMAND_spot_cancel,
    COMMAND_spot_result,      /* the solution of a closed auction */
    COMMAND_certification_set, /* CERT-01: what certificates must satisfy */
    COMMAND_accredit,         /* certifiers and verifiers, by their keys */
    COMMAND_certificate_submit, /* or appealed with another (CERT-02) */
    COMMAND_certificate_end,  /* withdrawn, refused, decertified */
    COMMAND_token_issue,      /* UNIT-02 */
    COMMAND_token_transfer,
    COMMAND_token_pledge,     /* as cover of shorts (CLEAR-08), or released */
    COMMAND_tender,           /* DELIV-01: a resource for delivery */
    COMMAND_intake,           /* where a buyer takes it */
    COMMAND_warrant_transfer, /* DELIV-06 */
    COMMAND_receipt,          /* DELIV-02: an hour's work, signed */
    COMMAND_verdict,          /* DELIV-04: a verifier's, signed */
    COMMAND_proof_challenge,
    COMMAND_kind_count
};

enum { /* header.flags */
    COMMAND_FLAG_REPEAT_SAFE = 1, /* a repeated client_order_id is looked up (MATCH-05) */
};

struct command_header {
    uint32_t size;       /* bytes, header included; a multiple of 8 */
    uint16_t kind;       /* enum command_kind */
    uint16_t flags;
    uint64_t seq;        /* stamped by the sequencer: 1, 2, 3, ... without gaps */
    ts_t ts;             /* stamped by the sequencer; never goes back */
    ts_t received_ts;    /* when the gateway read it (GUARD-08); 0: no check */
    uint32_t account;    /* whose order, deposit, ...; 0: none */
    uint32_t session;    /* the connection, for cancel-on-disconnect; 0: none */
    uint64_t request;    /* the gateway's own correlation; the core does not look at it */
    uint64_t nonce;      /* hash of the nonce of a signed request, so that a restart knows it */
    uint32_t principal;  /* which officer or key asked; two differ where two must (GUARD-05) */
    uint32_t reserved;
};
ASSERT_SIZE(struct command_header, 64);

enum side { SIDE_buy = 0, SIDE_sell = 1 };

enum order_type {
    ORDER_TYPE_limit = 0,
    ORDER_TYPE_market,
    ORDER_TYPE_market_limit,
    ORDER_TYPE_stop_limit,
    ORDER_TYPE_stop_market,
    ORDER_TYPE_take_limit,
    ORDER_TYPE_take_market,
    ORDER_TYPE_trailing_stop,
    ORDER_TYPE_pegged,
    ORDER_TYPE_count
};

enum time_in_force {
    TIF_good_til_cancelled = 0,
    TIF_good_til_day,
    TIF_good_til_date,
    TIF_immediate_or_cancel,
    TIF_fill_or_kill,
    TIF_at_the_opening,
    TIF_count
};

enum smp_mode {
    SMP_none = 0, /* not given: cancel_resting when there is an smp_id */
    SMP_cancel_resting,
    SMP_cancel_aggressing,
    SMP_cancel_both,
    SMP_decrement,
    SMP_count
};

enum peg { PEG_none = 0, PEG_primary, PEG_market, PEG_midpoint, PEG_count };

enum link_type { /* Deribit's linked_order_type */
    LINK_none = 0,
    LINK_one_triggers_other,
    LINK_one_cancels_other,
    LINK_one_triggers_one_cancels_other,
    LINK_count
};

enum fill_condition { /* Deribit's trigger_fill_condition: when the linked orders wake */
    FILL_CONDITION_first_hit = 0,
    FILL_CONDITION_complete_fill,
    FILL_CONDITION_incremental,
    FILL_CONDITION_count
};

enum { /* order flags, in commands and events */
    ORDER_FLAG_POST_ONLY = 1 << 0,
    ORDER_FLAG_REJECT_POST_ONLY = 1 << 1,
    ORDER_FLAG_REDUCE_ONLY = 1 << 2,
    ORDER_FLAG_HAS_PRICE = 1 << 3,
    ORDER_FLAG_HAS_TRIGGER = 1 << 4,
    ORDER_FLAG_HAS_MAX_SHOW = 1 << 5,
    ORDER_FLAG_HAS_QTY = 1 << 6,
    ORDER_FLAG_PRICE_INEXACT = 1 << 7,   /* more digits than 10^-6: off any tick */
    ORDER_FLAG_TRIGGER_INEXACT = 1 << 8,
    ORDER_FLAG_QTY_INEXACT = 1 << 9,     /* not whole */
    ORDER_FLAG_MAX_SHOW_INEXACT = 1 << 10,
    ORDER_FLAG_MIN_QTY_INEXACT = 1 << 11,
    ORDER_FLAG_QUOTE = 1 << 12,          /* entered by mass_quote */
    ORDER_FLAG_LIQUIDATION = 1 << 13,    /* entered by the clearing house */
    ORDER_FLAG_HAS_EXPIRES_AT = 1 << 14,
    ORDER_FLAG_HAS_SMP_MODE = 1 << 15,
    ORDER_FLAG_HAS_POST_ONLY = 1 << 16,  /* in an edit: post_only is given */
    ORDER_FLAG_HAS_REDUCE_ONLY = 1 << 17,
    ORDER_FLAG_HAS_OFFSET = 1 << 18,     /* trailing distance or peg offset is given */
};

/* One order of an OTO/OCO group, held until its parent fills (OTO) or live at once (OCO). */
struct linked_order {
    uint32_t flags; /* ORDER_FLAG_ */
    uint8_t side;
    uint8_t type;
    uint8_t tif;
    uint8_t reserved;
    price_t price;
    price_t trigger;
    price_t offset;
    qty_t qty; /* 0: as the parent's */
    qty_t max_show;
    char label[LABEL_SIZE];
};
ASSERT_SIZE(struct linked_order, 120);

struct command_order_new {
    uint32_t instrument;
    uint32_t flags; /* ORDER_FLAG_ */
    uint8_t side;
    uint8_t type;
    uint8_t tif;
    uint8_t smp_mode;
    uint8_t peg;
    uint8_t link_type;
    uint8_t fill_condition;
    uint8_t linked_count;
    price_t price;
    price_t trigger;
    price_t offset; /* trailing_stop: distance (> 0); pegged: signed, towards higher prices */
    qty_t qty;
    qty_t max_show;
    qty_t min_qty;
    uint64_t smp_id; /* 0: none; a hash of the text, or the number, of the request */
    ts_t expires_at;
    ts_t valid_until;
    uint64_t target_order_id; /* directed execution, only on products made for replays; 0: none */
    char client_order_id[CLIENT_ORDER_ID_SIZE];
    char label[LABEL_SIZE];
    struct linked_order linked[LINKED_ORDERS_MAX]; /* cut to linked_count */
};
ASSERT_SIZE(struct command_order_new, 208 + 360);
/* What an order without text, or without linked orders, needs to carry. */
#define COMMAND_ORDER_NEW_BARE_SIZE                                                               \
    (sizeof(struct command_header) + offsetof(struct command_order_new, client_order_id))
#define COMMAND_ORDER_NEW_TEXT_SIZE                                                               \
    (sizeof(struct command_header) + offsetof(struct command_order_new, linked))

struct command_order_edit {
    uint64_t order_id;
    uint32_t flags; /* ORDER_FLAG_: HAS_ flags say which of the following are given */
    uint32_t reserved;
    price_t price;
    price_t trigger;
    price_t offset;
    qty_t qty; /* the new total, what is filled included */
    qty_t max_show;
    ts_t valid_until;
};
ASSERT_SIZE(struct command_order_edit, 64);

struct command_order_cancel {
    uint64_t order_id;
};
ASSERT_SIZE(struct command_order_cancel, 8);

enum cancel_scope {
    CANCEL_SCOPE_account = 0, /* header.account's orders */
    CANCEL_SCOPE_member,      /* of every account of `member`: an officer's */
    CANCEL_SCOPE_count
};
enum cancel_select { /* which of them; may be combined */
    CANCEL_SELECT_QUOTES = 1,      /* only mass quotes */
    CANCEL_SELECT_LABEL = 2,       /* only this label */
    CANCEL_SELECT_SIDE = 4,        /* only this side */
    CANCEL_SELECT_SESSION = 8,     /* only orders of header.session */
    CANCEL_SELECT_TRIGGER = 16,    /* only untriggered orders */
    CANCEL_SELECT_RESTING = 32,    /* only orders that are no triggers */
};

struct command_cancel_many {
    uint32_t scope;
    uint32_t select; /* CANCEL_SELECT_ */
    uint32_t member;
    uint32_t product;    /* 0: any */
    uint32_t instrument; /* 0: any */
    uint32_t side;
    char label[LABEL_SIZE];
};
ASSERT_SIZE(struct command_cancel_many, 96);

/* Replaces the account's quote in one instrument; a quantity of 0 removes that side. */
struct quote {
    uint32_t instrument;
    uint32_t flags; /* ORDER_FLAG_POST_ONLY, _REJECT_POST_ONLY, PRICE/QTY_INEXACT for the bid */
    uint32_t ask_flags;
    uint32_t reserved;
    price_t bid_price;
    qty_t bid_qty;
    price_t ask_price;
    qty_t ask_qty;
};
ASSERT_SIZE(struct quote, 48);

struct command_mass_quote {
    uint32_t count;
    uint32_t smp_mode;
    uint64_t smp_id;
    ts_t valid_until;
    char label[LABEL_SIZE];
    struct quote quotes[QUOTES_MAX]; /* cut to count */
};
ASSERT_SIZE(struct command_mass_quote, 96 + 64 * 48);

struct command_kill {
    uint32_t account; /* one of the two */
    uint32_t member;
    uint32_t on; /* 1: trading stops and all orders are cancelled; 0: trading may go on */
    uint32_t reserved;
};
ASSERT_SIZE(struct command_kill, 16);

enum trading_state { STATE_closed = 0, STATE_pre_open, STATE_auction, STATE_open, STATE_halted,
                     STATE_count };

enum algorithm {
    ALGORITHM_fifo = 0,
    ALGORITHM_pro_rata,
    ALGORITHM_allocation,
    ALGORITHM_split,
    ALGORITHM_configurable,
    ALGORITHM_count
};

enum settlement_kind { SETTLEMENT_cash = 0, SETTLEMENT_physical, SETTLEMENT_count };
enum contract_unit {
    UNIT_lot = 0, /* contract_size is USD per 1.0 of price and lot */
    UNIT_hour,    /* ... per hour of the block: a block product */
    UNIT_count
};
enum margin_model { MARGIN_flat = 0, MARGIN_span, MARGIN_count };

enum { /* product flags */
    PRODUCT_FLAG_TOP = 1 << 0,         /* a TOP step comes first */
    PRODUCT_FLAG_HAS_FLOOR = 1 << 1,
    PRODUCT_FLAG_HAS_BAND = 1 << 2,
    PRODUCT_FLAG_DIRECTED = 1 << 3,    /* orders may name whom they execute: replays only */
    PRODUCT_FLAG_HAS_PROTECTION = 1 << 4,
    PRODUCT_FLAG_GUARDED = 1 << 5, /* some of `guards`; the core's own: nobody sets it */
    PRODUCT_FLAG_SPOT = 1 << 8,    /* its trades are an index's (INDEX-02); the core's own */
};

struct lmm_share {
    uint32_t account;
    uint32_t share_e6; /* of 10^6 */
};
ASSERT_SIZE(struct lmm_share, 8);

/* CLEAR-12: from this many lots traded in the calendar month, these fees per lot. */
struct fee_tier {
    qty_t from;
    money_t maker; /* may be negative: a rebate */
    money_t taker;
};
ASSERT_SIZE(struct fee_tier, 24);

struct command_product_create {
    char name[PRODUCT_NAME_SIZE];
    uint32_t kind; /* 0 future */
    uint32_t flags; /* PRODUCT_FLAG_ */
    uint8_t settlement;
    uint8_t algorithm;
    uint8_t contract_unit;
    uint8_t margin_model;
    uint8_t peak_start_hour; /* UTC */
    uint8_t peak_end_hour;   /* at or below the start: on the next day */
    uint8_t lmm_count;
    uint8_t fee_tier_count;
    price_t tick;           /* > 0 */
    int64_t contract_size;  /* 10^-6 USD per 1.0 of price per unit; > 0 */
    qty_t qty_max;          /* an order's limit; 0: QTY_MAX */
    price_t floor;          /* outrights' prices and triggers (CONTRACT-02) */
    price_t band;           /* GUARD-01, in price units */
    price_t protection;     /* MATCH-02, in price units */
    qty_t pro_rata_minimum; /* MATCH-01 */
    qty_t top_minimum;
    qty_t top_maximum;      /* 0: none */
    int64_t fifo_share_e6;
    money_t flat_margin;    /* per lot */
    money_t clearing_fee;   /* per lot and side */
    struct lmm_share lmm[LMM_MAX];
    struct fee_tier fee_tiers[FEE_TIERS_MAX]; /* the first begins at 0 */
    struct product_limits limits; /* GUARD-07 */
    struct product_offbook offbook; /* MATCH-10, MATCH-11 */
    struct settlement_rules settlement_rules; /* CLEAR-03 */
    struct guard_terms guards;    /* GUARD-00 to -04 */
    struct trading_calendar calendar; /* CONTRACT-01 */
    struct spot_terms spot;       /* INDEX-01 */
    struct supply_terms supply;   /* CERT-03 */
    struct delivery_terms delivery; /* DELIV-01 */
};
ASSERT_SIZE(struct command_product_create,
            288 + 72 + 40 + 48 + sizeof(struct guard_terms) + sizeof(struct trading_calendar) +
                sizeof(struct spot_terms) + sizeof(struct supply_terms) +
                sizeof(struct delivery_terms));

struct command_instrument_list {
    uint32_t product;
    uint32_t reserved;
    char period[PERIOD_NAME_SIZE]; /* 2027M03, 2027D0315H07-PK, ... */
    ts_t expires_at;               /* 0: the end of the period */
};
ASSERT_SIZE(struct command_instrument_list, 40);

struct command_spread_list {
    uint32_t legs[SPREAD_LEGS_MAX]; /* instruments; S = A - B */
    int32_t ratios[SPREAD_LEGS_MAX]; /* lots of each leg for one of the spread: 1 and -1, 1 and
                                        -10, ...; without a common divisor */
};
ASSERT_SIZE(struct command_spread_list, 16);

enum account_mode { MODE_margined = 0, MODE_collateralised, MODE_count };
enum account_origin { ORIGIN_house = 0, ORIGIN_client, ORIGIN_count };

struct command_account_create {
    char account[ACCOUNT_NAME_SIZE];
    char member[MEMBER_NAME_SIZE];
    uint32_t mode;
    uint32_t origin;
};
ASSERT_SIZE(struct command_account_create, 72);

/* Deposit, withdrawal (header.account) and transfer (to `to`). */
struct command_transfer {
    uint32_t asset;
    uint32_t to;
    money_t amount; /* > 0 */
};
ASSERT_SIZE(struct command_transfer, 16);

struct command_confirm {
    uint64_t request; /* the request_id that asked for a second officer */
    uint32_t refuse;  /* 1: it is not to be carried out */
    uint32_t reserved;
};
ASSERT_SIZE(struct command_confirm, 16);

struct command_state_set {
    uint32_t product;
    uint32_t state; /* enum trading_state */
    char reason[REASON_TEXT_SIZE];
};
ASSERT_SIZE(struct command_state_set, 72);

struct command_settlement_price {
    uint32_t instrument;
    uint32_t reserved;
    price_t price;
};
ASSERT_SIZE(struct command_settlement_price, 16);

struct command_expire {
    uint32_t instrument;
    uint32_t reserved;
};
ASSERT_SIZE(struct command_expire, 8);

struct venue_settings {
    uint32_t dual_transfers;  /* 1: deposits and withdrawals wait for a second officer (CLEAR-13) */
    uint32_t reserved;
    int64_t stale_ns;         /* GUARD-08; 0: no check */
    uint32_t mark_at[MARK_TIMES_MAX]; /* CLEAR-04: seconds of the UTC day, rising */
    uint32_t mark_count;
    uint32_t reserved2;
};
ASSERT_SIZE(struct venue_settings, 40);

enum { /* venue_set.flags: which settings are given; the others stay */
    VENUE_HAS_DUAL_TRANSFERS = 1,
    VENUE_HAS_STALE = 2,
    VENUE_HAS_MARKS = 4,
};

struct command_venue_set {
    uint32_t flags; /* VENUE_HAS_ */
    uint32_t reserved;
    struct venue_settings settings;
    char reason[REASON_TEXT_SIZE];
};
ASSERT_SIZE(struct command_venue_set, 112);

#include "msg/collateral.h"

struct command {
    struct command_header header;
    union {
        struct command_venue_set venue_set;
        struct command_product_create product_create;
        struct command_instrument_list instrument_list;
        struct command_spread_list spread_list;
        struct command_account_create account_create;
        struct command_transfer transfer; /* deposit, withdraw, transfer */
        struct command_confirm confirm;
        struct command_state_set state_set;
        struct command_settlement_price settlement_price;
        struct command_settle_day settle_day;
        struct command_index_create index_create;
        struct command_index_submit index_submit;
        struct command_index_price index_price;
        struct command_expire expire;
        struct command_kill kill;
        struct command_order_new order_new;
        struct command_order_edit order_edit;
        struct command_order_cancel order_cancel;
        struct command_cancel_many cancel_many;
        struct command_mass_quote mass_quote;
        struct command_limits_set limits_set;
        struct command_block_propose block_propose;
        struct command_block_answer block_answer;
        struct command_trade_bust trade_bust;
        struct command_supply_set supply_set;
        struct command_owner_set owner_set;
        struct command_exemption_set exemption_set;
        struct command_asset_set asset_set;
        struct command_asset_issue asset_issue;
        struct command_pledge pledge;
        struct command_collateral_sell collateral_sell;
        struct command_clearing_set clearing_set;
        struct command_port port; /* port, port_accept */
        struct command_margin_set margin_set;
        struct command_margin_inter margin_inter;
        struct command_margin_flat margin_flat;
        struct command_margin_run margin_run;
        struct command_margin_result margin_result;
        struct command_margin_convert margin_convert;
        struct command_fund_set fund_set;
        struct command_fund_size fund_size;
        struct command_fund_move fund_move;
        struct command_default_declare default_declare;
        struct command_default_step default_step;
        struct command_default_hedge default_hedge;
        struct command_close_out close_out;
        struct command_portfolio_open portfolio_open;
        struct command_portfolio_bid portfolio_bid;
        struct command_guards_set guards_set;
        struct command_spot_open spot_open;
        struct command_spot_bid spot_bid;
        struct command_spot_cancel spot_cancel;
        struct command_spot_result spot_result;
        struct command_certification_set certification_set;
        struct command_accredit accredit;
        struct command_certificate_submit certificate_submit;
        struct command_certificate_end certificate_end;
        struct command_token_issue token_issue;
        struct command_token_transfer token_transfer;
        struct command_token_pledge token_pledge;
        struct command_tender tender;
        struct command_intake intake;
        struct command_warrant_transfer warrant_transfer;
        struct command_receipt receipt;
        struct command_verdict verdict;
        struct command_proof_challenge proof_challenge;
    };
};

#define COMMAND_SIZE_MAX sizeof(struct command)

/* margin.c: whether the bodies of msg/margin.h are commands. */
int margin_command_is_valid(const struct command *c);
/* compute.c: the same of msg/compute.h. */
int compute_command_is_valid(const struct command *c);
/* delivery.c: whether the bodies of msg/delivery.h are commands. */
int delivery_command_is_valid(const struct command *c);
/* Text that ends within its field, zeros behind it. */
int command_text_is_valid(const char *text, size_t size);

/* The whole size of a command of this kind, uncut; 0 when there is no such kind. */
uint32_t command_size_full(enum command_kind kind);

/* Whether size, kind, enums and array counts are within bounds, whatever the bytes: what every
 * reader of stored or received commands checks before the core sees them. */
int command_is_valid(const struct command *c, size_t bytes);

/* The name of a kind, as in `order_new`; static storage. */
const char *command_kind_name(enum command_kind kind);

#endif
