/* event_limit.h: what is said about position limits (GUARD-07), blocks (MATCH-11) and busted trades
 * (MATCH-10). Included by event.h, behind its header; same rules for layout.
 */
#ifndef DOJIMA_MSG_EVENT_LIMIT_H
#define DOJIMA_MSG_EVENT_LIMIT_H

#include "msg/command.h"

/* What an owner holds of a contract month: answers QUERY_large_positions; as an event of a command,
 * an accountability level that was passed. Thousandths of a lot unless said. */
struct event_holding {
    struct event_header header;
    uint32_t product;       /* that leads the group */
    uint32_t alert_account; /* whose trade passed the level; 0: an answer */
    int64_t net;
    int64_t buys;           /* working */
    int64_t sells;
    int64_t limit[2];       /* [SIDE_buy] long, [SIDE_sell] short; -1: none */
    int64_t exempt[2];      /* lots of the limit that are exemptions */
    int64_t physical;       /* lots */
    int64_t level;          /* of accountability, lots; 0: none */
    uint32_t in_spot;
    uint32_t reserved;
    char owner[OWNER_NAME_SIZE];
    char period[LIMIT_PERIOD_SIZE]; /* "all": the sum, in months */
};
ASSERT_SIZE(struct event_holding, 176);

struct event_owner {
    struct event_header header;
    uint32_t account;
    uint32_t reserved;
    char owner[OWNER_NAME_SIZE]; /* "": nobody but itself */
    char reason[LIMIT_REASON_SIZE];
};
ASSERT_SIZE(struct event_owner, 136);

struct event_supply {
    struct event_header header;
    uint32_t product;
    uint32_t instrument; /* 0: all contract months without their own */
    qty_t amount;
    char reason[LIMIT_REASON_SIZE];
};
ASSERT_SIZE(struct event_supply, 112);

struct event_exemption {
    struct event_header header;
    uint32_t ended; /* 1: revoked, expired or replaced */
    uint32_t reserved;
    struct limit_record record; /* `owner` and `bucket` are the core's own: 0 */
};
ASSERT_SIZE(struct event_exemption, 208);

struct event_block {
    struct event_header header;
    struct deal deal;
};
ASSERT_SIZE(struct event_block, 136);

/* One for each print of what is undone. */
struct event_trade_bust {
    struct event_header header;
    uint64_t trade_id;
    uint32_t instrument;
    uint32_t adjusted;          /* 1: made anew */
    price_t price;
    qty_t qty;
    price_t adjusted_price;     /* PRICE_NONE: none, or of a leg */
    uint64_t adjusted_trade_id; /* 0: none */
    uint64_t order_id[2];       /* [SIDE_buy], [SIDE_sell] */
    uint32_t account[2];
    char reason[DEAL_REASON_SIZE];
};
ASSERT_SIZE(struct event_trade_bust, 168);

#endif
