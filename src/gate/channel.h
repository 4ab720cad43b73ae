/* channel.h: WebSocket subscriptions: from released events to notifications.
 *
 *   book.INSTRUMENT.raw|100ms               snapshot, then changes linked by change_id
 *   book.INSTRUMENT.none.DEPTH.100ms        the best DEPTH levels, whole, when they changed
 *   trades.INSTRUMENT.raw|100ms             also trades.KIND.CURRENCY.raw|100ms
 *   ticker.INSTRUMENT.raw|100ms             quote.INSTRUMENT
 *   halts.PRODUCT|any
 *   index.NAME                              an hour's reference price, when it is fixed
 *   delivery.INSTRUMENT|any                 notices, allocations, their hours, what ended in money
 *   spot.PRODUCT|any|balancing|resale       auctions of hours: opened, closed, done, failed
 *   user.spot.PRODUCT|any|balancing|resale  own bids, whenever their state changes
 *   user.orders|trades|changes.INSTRUMENT.raw|100ms, also .KIND.CURRENCY.raw|100ms
 *   user.portfolio.CURRENCY
 *
 * `raw` speaks once for all that one group commit released, `100ms` at most ten times a second.
 *
 * Invariants: (1) nothing but released events is told; what is read from the state for it (tickers,
 * portfolios) is held back until that state is durable; (2) a notification is written once, however
 * many listen; (3) one who does not read is evicted and holds up nobody; (4) user channels speak of
 * the account of the key that subscribed, and of no other; (5) a change's prev_change_id is the
 * change_id of the notification before it in that channel, or of the snapshot.
 *
 * Upstream: events (the tap), mirror. Downstream: server.
 */
#ifndef DOJIMA_GATE_CHANNEL_H
#define DOJIMA_GATE_CHANNEL_H

#include "gate/directory.h"
#include "gate/mirror.h"
#include "gate/server.h"
#include "gate/venue.h"

enum {
    CHANNEL_NAME_SIZE = 128,
    CHANNELS_MAX = 65536,
    CHANNELS_PER_SESSION_MAX = 2000,
};

struct channel;
struct channels;

/* What a connection subscribes to; embedded in a session. */
struct subscriptions {
    struct connection *connection;
    struct channel **list;
    uint32_t count;
    uint32_t capacity;
};

/* The venue, the directory and the server are the caller's. NULL: out of memory. */
struct channels *channels_open(const struct venue *venue, const struct directory *directory);
void channels_close(struct channels *c);
void channels_server_set(struct channels *c, struct server *server);

/* Reads the books as they are, once, before any event is told. */
int channels_load(struct channels *c);

enum channel_result {
    CHANNEL_OK = 0,
    CHANNEL_UNKNOWN,  /* no such channel, instrument or product */
    CHANNEL_PRIVATE,  /* needs an account */
    CHANNEL_FULL,     /* over a bound */
};

/* Subscribes; a channel that is subscribed already stays so. account: 0 for nobody. A book's
 * snapshot is sent at once. */
enum channel_result channel_subscribe(struct channels *c, struct subscriptions *s,
                                      uint32_t account, const char *name);
/* False: it was not subscribed. */
bool channel_unsubscribe(struct channels *c, struct subscriptions *s, const char *name);
/* All, or only those of accounts. */
void channel_unsubscribe_all(struct channels *c, struct subscriptions *s, bool only_private);
const char *channel_name(const struct channel *channel);

/* Takes the released events of some commands, one behind the other. */
void channels_apply(struct channels *c, const unsigned char *bytes, size_t size);
/* Speaks in the raw channels: at the end of a release. `durable`: see invariant 1. */
void channels_flush(struct channels *c, uint64_t durable);
/* Speaks in the 100ms channels: ten times a second. */
void channels_tick(struct channels *c, uint64_t durable);

uint32_t channels_count(const struct channels *c);
uint64_t channels_notifications(const struct channels *c); /* sent so far, to all listeners */

#endif
