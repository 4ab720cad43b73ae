/* collateral_event.h: what the venue says of collateral, margin calls, liquidation and porting
 * (CLEAR-02, CLEAR-08, CLEAR-09). Part of event.h, whose rules of layout hold here. */
#ifndef DOJIMA_MSG_COLLATERAL_EVENT_H
#define DOJIMA_MSG_COLLATERAL_EVENT_H

/* Decimals of an asset's amounts: money 6, contracts whole lots, capacity 9 (UNIT-06). */
static inline int asset_scale(uint32_t asset)
{
    if (asset == ASSET_USD) return 6;
    return asset > ASSET_INSTRUMENT ? 0 : 9;
}

/* What a new or changed asset is; precedes nothing, follows its `asset` event. */
struct event_collateral {
    struct event_header header;
    uint32_t asset;
    uint32_t reserved;
    int64_t issued;     /* in existence, 10^-9 of the unit */
    int64_t pledged;    /* of it */
    struct collateral_terms terms;
};
ASSERT_SIZE(struct event_collateral, 32 + 24 + 96);

struct event_clearing {
    struct event_header header;
    struct clearing_settings settings;
    char reason[REASON_TEXT_SIZE];
};
ASSERT_SIZE(struct event_clearing, 32 + 72 + REASON_TEXT_SIZE);

enum call_state {
    CALL_none = 0,
    CALL_open,       /* to be met before its deadline */
    CALL_met,        /* by money or by less risk: all is as before */
    CALL_unmet,      /* deadline passed: the account may only reduce, orders are cancelled */
    CALL_liquidating, /* the clearing house closes the positions, slice by slice */
    CALL_ended,      /* the liquidation may not go on and margin is still missing: officers may
                        declare a default */
    CALL_dropped,    /* overtaken: the member is in default */
    CALL_closing,    /* a defaulter's client is closed out, slice by slice (CLEAR-10) */
    CALL_closed,     /* it is: what is left may leave */
    CALL_state_count
};

/* A margin call after whatever happened to it. */
struct event_call {
    struct event_header header;
    uint64_t id;           /* 1, 2, 3, ... over the venue */
    uint32_t account;
    uint32_t member;
    uint32_t origin;       /* enum account_origin */
    uint32_t state;        /* enum call_state */
    money_t called;        /* what was asked for */
    money_t missing;       /* what is missing now to be margined again; 0: nothing */
    money_t equity;        /* cash less what is reserved, with unsettled variation */
    money_t credit;        /* of pledged capacity, after haircut and cap */
    money_t requirement;   /* initial margin: what restores */
    money_t maintenance;   /* what triggers */
    ts_t issued;
    ts_t deadline;
    ts_t next;             /* of the next slice; 0: none */
    uint32_t slices;       /* done for this call */
    uint32_t slices_day;   /* today */
};
ASSERT_SIZE(struct event_call, 32 + 24 + 48 + 24 + 8);

enum slice_result {
    SLICE_traded = 0,
    SLICE_nothing_opposite, /* no price within reach in any of the account's instruments */
    SLICE_refused,          /* by a guard or a trading state; `reason` says which */
    SLICE_result_count
};

/* One slice of a liquidation. */
struct event_slice {
    struct event_header header;
    uint64_t call;
    uint32_t account;
    uint32_t instrument; /* 0: none could be traded */
    uint32_t number;     /* within the call, from 1 */
    uint32_t side;
    uint32_t result;     /* enum slice_result */
    uint32_t reason;     /* enum reject */
    qty_t before;        /* position */
    qty_t asked;
    qty_t filled;
    price_t limit;       /* PRICE_NONE: none */
};
ASSERT_SIZE(struct event_slice, 32 + 32 + 32);

enum port_state { PORT_accepted = 0, PORT_withdrawn, PORT_done, PORT_state_count };

/* An account goes from one member to another, with all that it holds. */
struct event_port {
    struct event_header header;
    uint32_t account;
    uint32_t from;
    uint32_t to;
    uint32_t state;     /* enum port_state */
    uint32_t positions; /* how many contracts */
    uint32_t orders;    /* cancelled */
    money_t cash;
};
ASSERT_SIZE(struct event_port, 64);

#endif
