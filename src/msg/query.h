/* query.h: everything that can be read of the venue. A query is answered by the core with events,
 * changes nothing, and is not journaled; its answer is released when all that it may reveal is
 * durable. Same rules for layout as command.h.
 */
#ifndef DOJIMA_MSG_QUERY_H
#define DOJIMA_MSG_QUERY_H

#include "base/assert.h"
#include "base/units.h"
#include "msg/margin.h"

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
    QUERY_account,     /* account: one account event and a balance event an asset, money first */
    QUERY_ledger,      /* account or 0 (all), count, from_id: posting events, newest first */
    QUERY_settlements, /* instrument or product or 0, count, from_id: settlement events, newest
                          first, each with its sources */
    QUERY_requests,    /* what awaits a second officer */
    QUERY_venue,       /* one venue event: its settings */
    QUERY_halts,       /* product or 0, count: halt events, newest first */
    QUERY_directory,   /* every asset, member, account, product, instrument, in order of id */
    QUERY_hash,        /* one hash event */
    QUERY_large_positions, /* product or 0, from_id: the least lots, either side: holdings */
    QUERY_exemptions,  /* from position limits, and physical capacities */
    QUERY_collateral,  /* clearing event, then asset and collateral events of all but USD */
    QUERY_clearing_records, /* account or 0, count: call, slice and port events, newest first */
    QUERY_calls,       /* account or 0: a call event for each that has ever been called */
    QUERY_margin,      /* account, legs_count legs: the requirement explained, as it would be with
                          those on top; one margin_group event a group, then a margin event */
    QUERY_margin_terms, /* every group's parameters, then the table of credits */
    QUERY_fund,        /* the fund event, a share event for each member that has part in it, and
                          default and portfolio events of every default */
    QUERY_portfolio_bids, /* order_id = auction, account or 0: bids of an auction that is open */
    QUERY_blocks,      /* account or 0 (all): proposals that wait */
    QUERY_index,       /* instrument: the index; start, end (hours), count: price events, newest
                          first, each with its inputs while they are kept */
    QUERY_spot,        /* order_id = auction, or product or 0, count: auction events, newest
                          first, of one that is done with its hours */
    QUERY_spot_waiting, /* the auction event of the first auction that awaits a solution; or none */
    QUERY_spot_bids,   /* order_id = auction, account or 0 (all), count, from_id (above it): bid
                          events in order of id */
    QUERY_standings,   /* account: a standing event as it stands, then those kept, newest first */
    QUERY_certification, /* the settings, then every accreditation, revoked ones too */
    QUERY_certificates, /* account or 0, instrument = resource or 0, order_id = certificate or 0,
                           count, from_id: certificate events, newest first; flags: only those in
                           effect or awaiting it */
    QUERY_tokens,      /* instrument = class or 0; start, end; count: a token event for each hour
                          in which the class is certified or tokens exist, by class and hour */
    QUERY_tenders,     /* account or 0, instrument or 0: tender and intake events */
    QUERY_allocations, /* account or 0, instrument or 0, from_id, count: allocation events, newest
                          first; from_id > 0: ids below it */
    QUERY_delivery,    /* order_id = allocation: its event, then its hours'; or instrument: notice
                          and cash events kept, then hours' of all its allocations */
    QUERY_kind_count
};

/* What QUERY_margin adds to an account: a position, or lots that may fill on one side. */
enum {
    QUERY_FLAG_ALONE = 1, /* margin: of the legs alone, without what the account has */
    QUERY_FLAG_LIVE = 2,  /* certificates: no finished ones */
};

struct query_leg {
    uint32_t instrument;
    uint32_t kind;  /* 0: position (lots may be negative), 1: buy order, 2: sell order */
    int64_t lots;
};
ASSERT_SIZE(struct query_leg, 16);

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
    uint32_t legs_count;
    ts_t now;       /* the clock, for what depends on it */
    const struct query_leg *legs; /* the caller's, for the call; a query is never kept */
    uint64_t flags; /* QUERY_FLAG_ */
};

#endif
