/* query.h: everything that can be read of the venue. A query is answered by the core with events,
 * changes nothing, and is not journaled; its answer is released when all that it may reveal is
 * durable. Same rules for layout as command.h.
 */
#ifndef DOJIMA_MSG_QUERY_H
#define DOJIMA_MSG_QUERY_H

#include "base/assert.h"
#include "base/units.h"

#include <stdint.h>

enum query_kind {
    QUERY_none = 0,
    QUERY_book,        /* instrument, count = depth: level events, bids then asks, best first */
    QUERY_book_orders, /* instrument: an order event for each resting order, in priority order */
    QUERY_ticker,      /* instrument: one ticker event */
    QUERY_positions,   /* account, instrument or 0 */
    QUERY_orders,      /* account, instrument or product or 0: open and untriggered orders */
    QUERY_order,       /* order_id, account (0: any): the order, closed ones while retained */
    QUERY_orders_closed, /* account, instrument or 0, count: latest closed orders, newest first */
    QUERY_trades,      /* instrument or product or 0, account or 0, order_id or 0, count, from_id,
                          start, end: newest first; from_id > 0: ids below it */
    QUERY_account,     /* account: one account event and a balance event an asset */
    QUERY_ledger,      /* account or 0 (all), count, from_id: posting events, newest first */
    QUERY_settlements, /* instrument or 0, count: settlement events, newest first */
    QUERY_requests,    /* what awaits a second officer */
    QUERY_directory,   /* every asset, member, account, product, instrument, in order of id */
    QUERY_hash,        /* one hash event */
    QUERY_large_positions, /* product or 0, from_id: the least lots, either side: holdings */
    QUERY_exemptions,  /* from position limits, and physical capacities */
    QUERY_collateral,  /* clearing event, then asset and collateral events of all but USD */
    QUERY_calls,       /* account or 0: a call event for each that has ever been called */
    QUERY_kind_count
};

struct query {
    uint32_t kind;
    uint32_t account;
    uint32_t instrument;
    uint32_t product;
    uint64_t order_id;
    uint64_t from_id;
    ts_t start; /* 0: no bound */
    ts_t end;   /* 0: no bound */
    uint32_t count; /* 0: the default of the kind */
    uint32_t reserved;
    ts_t now;       /* the clock, for what depends on it */
};
ASSERT_SIZE(struct query, 64);

#endif
