/* channel_internal.h: what channel.c (subscriptions), channel_feed.c (notifications) and
 * channel_spot.c (those of the spot market) share. */
#ifndef DOJIMA_GATE_CHANNEL_INTERNAL_H
#define DOJIMA_GATE_CHANNEL_INTERNAL_H

#include "gate/channel.h"
#include "gate/rpc.h"
#include "gate/server_internal.h"

enum channel_kind {
    CHANNEL_book = 0,
    CHANNEL_depth,
    CHANNEL_trades,
    CHANNEL_ticker,
    CHANNEL_quote,
    CHANNEL_halts,
    CHANNEL_index,
    CHANNEL_delivery,
    CHANNEL_spot,
    CHANNEL_user_orders,
    CHANNEL_user_trades,
    CHANNEL_user_changes,
    CHANNEL_user_portfolio,
    CHANNEL_user_calls,
    CHANNEL_user_spot,
};

enum { ANY = 0, SCRATCH_BYTES = 4 << 20, PENDING_MAX = 1 << 20 };

struct channel {
    char name[CHANNEL_NAME_SIZE];
    uint8_t kind;
    uint8_t interval; /* enum mirror_interval */
    uint8_t spreads;  /* of a wildcard: 0 all, 1 only spreads, 2 only outrights */
    uint8_t auctions; /* of the spot market: only this kind, which is no product's; 0: any */
    bool touched;     /* in the list of those that have something to say */
    uint32_t hash;
    uint32_t account;    /* of user channels, else 0 */
    uint32_t instrument; /* ANY: several */
    uint32_t product;    /* ANY: all; of wildcards, halts and the spot market */
    uint32_t depth;
    uint32_t index;      /* of reference prices */
    char currency[CURRENCY_SIZE]; /* of a wildcard that is no product's name; "": any */
    struct subscriptions **listeners;
    uint32_t count;
    uint32_t capacity;
    uint64_t seq;            /* of the last event in `pending` */
    struct buffer pending;   /* values joined by commas: trades, orders */
    struct buffer pending2;  /* of changes: the trades */
    struct channel *next_hash;
    struct channel *next_key; /* channels of the same instrument, account, or wildcards */
    struct channel *next_touched;
};

struct channel_list { struct channel *first; };

/* A notification that shows a state which is not durable yet. */
struct held_notification {
    uint64_t seq;
    struct channel *channel;
    size_t size;
    char *bytes;
};

struct channels {
    const struct venue *venue;
    const struct directory *directory;
    struct server *server;
    struct mirror mirror;
    struct channel **hashed; /* CHANNELS_HASH */
    struct channel_list *by_instrument;
    uint32_t instruments; /* places in by_instrument */
    struct channel_list *by_account;
    uint32_t accounts;
    struct channel_list wild; /* trades.KIND.CURRENCY and halts */
    struct channel *touched[MIRROR_INTERVALS];
    struct held_notification *held;
    uint32_t held_count;
    uint32_t held_capacity;
    uint32_t count;
    struct event_spot_auction spot; /* of the bids that are told: asked for once */
    bool sweep; /* some channel lost its last listener */
    uint64_t notifications;
    struct json_writer out;   /* a whole notification */
    struct json_writer item;  /* one value */
    struct json_writer sides[2];
};

enum { CHANNELS_HASH = 16384 };

bool channel_wants(const struct channels *c, const struct channel *channel, uint32_t instrument);
void channels_sweep(struct channels *c);
void channel_touch(struct channels *c, struct channel *channel);
void channel_forget_held(struct channels *c, const struct channel *channel);
void channel_snapshot(struct channels *c, struct channel *channel, struct subscriptions *to);
void channel_start(struct channels *c, struct channel *channel);

/* ---- channel_feed.c: a notification, begun up to its data; sent to every listener ---- */
struct json_writer *channel_message(struct channels *c, const struct channel *ch, uint64_t seq);
void channel_send(struct channels *c, struct channel *ch);
/* When `seq` is durable. */
void channel_send_held(struct channels *c, struct channel *ch, uint64_t seq, uint64_t durable);
/* Adds what c->item holds to a buffer of the channel, to be told at its next turn; tells it. */
void channel_note(struct channels *c, struct channel *ch, struct buffer *b, uint64_t seq);
void channel_say_pending(struct channels *c, struct channel *ch);
/* The first event of this kind that answers the query; NULL: none. Good until the next query. */
const void *channel_ask(struct channels *c, const struct query *q, enum event_kind kind,
                        uint64_t *seq);

/* ---- channel_spot.c ---- */
void channel_spot_auction(struct channels *c, const struct event_spot_auction *e,
                          const unsigned char *end);
void channel_spot_bid(struct channels *c, const struct event_spot_bid *e);
void channel_say_spot(struct channels *c, struct channel *ch, uint64_t durable);

#endif
