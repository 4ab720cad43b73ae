/* delivery_state.h: what delivery keeps in the state block (delivery.h says how it lives). */
#ifndef DOJIMA_CORE_DELIVERY_STATE_H
#define DOJIMA_CORE_DELIVERY_STATE_H

#include "base/map.h"
#include "msg/event.h"

/* What the venue keeps; in the state block. */
struct delivery_state {
    uint64_t allocation_id;
    uint64_t cash_id;        /* of the ring of delivery_cash events */
    uint64_t notice_id;      /* of the ring of notices */
    int64_t due;             /* the earliest of allocations' and notices'; INT64_MAX: none */
    uint32_t allocations;    /* highest place ever used */
    uint32_t live;           /* allocations that are not closed */
    uint32_t hours;          /* highest place ever used */
    uint32_t hour_free;      /* list head */
    uint32_t hours_used;
    uint32_t tenders;        /* highest place ever used; free ones have account NIL */
    uint32_t intakes;
    uint32_t ages;
    uint32_t age_free;
    uint32_t account;        /* the clearing house's `delivery`; NIL until first needed */
    uint32_t cursor;         /* allocations are looked at from here on */
    uint32_t waiting;        /* instruments that wait for their notice */
    uint32_t map_count;
    uint32_t reserved;
    ts_t retry;              /* no notice before: the last one could not be given */
};

struct tender {
    uint32_t account; /* NIL: a free place */
    uint32_t reserved;
    struct command_tender terms;
};

struct intake {
    uint32_t account; /* NIL: a free place */
    uint32_t reserved;
    struct command_intake terms;
};

/* Lots of a long exposure that are this old. */
struct age {
    int64_t day;      /* UTC date of the purchase */
    int64_t lots;
    uint32_t next;    /* younger; or of the free places */
    uint32_t reserved;
};

struct allotment {
    struct event_allocation said; /* header unused (zero); id 0: a free place */
    struct token_class class;     /* of the tokens and of what is delivered */
    uint32_t hours;               /* list head: the block's in order, then make-ups' */
    uint32_t hour_last;
    uint32_t block_hours;         /* how many of them are the block's */
    uint32_t tokens;              /* 1: escrow holds its tokens */
    money_t pending_buyer;        /* in the requirement of the buyer, until it is in escrow */
    money_t pending_seller;
    money_t escrow_buyer;         /* held for it by the account `delivery` */
    money_t escrow_seller;
    price_t unit;                 /* what a CT is paid: price x factor, half-even */
    ts_t make_up_until;           /* 0: nothing is short, or no longer to be made up */
    ts_t auction_closes;
    int64_t due;                  /* when the clock looks at it next; INT64_MAX: never */
    int64_t auction_first;        /* hour */
    uint32_t first_buyer;         /* did not take: adds to what the buyer pays; NIL: none */
    uint32_t reserved;
    price_t top_up;               /* what it adds to each CT that is paid */
    money_t escrow_first;         /* held of it by the account `delivery` */
};

struct allotment_hour {
    struct event_delivery_hour said; /* header unused (zero) */
    uint32_t next;            /* of the allocation; or of the free places */
    uint32_t allocation;      /* place; NIL: free */
    ts_t claimed;             /* when a receipt without the buyer's signature came; 0: none */
    int64_t short_work;       /* still short, beyond tolerance */
    int64_t payable;          /* of said.work, what is paid: over-delivery is cut */
    int64_t escrowed;         /* tokens that escrow holds for it */
    money_t paid_first;       /* of said.paid, by the first buyer */
    uint64_t flop_high;       /* of the receipt */
    uint64_t flop_low;
};

struct notice; /* delivery_notice.c */

struct deliveries {
    struct delivery_state *s;
    struct allotment *allocations;   /* [1 ..] */
    struct allotment_hour *hours;    /* [1 ..] */
    struct tender *tenders;           /* [1 ..] */
    struct intake *intakes;           /* [1 ..] */
    struct age *ages;                 /* [1 ..] */
    uint32_t *age_first;              /* by exposure: oldest; NIL: none */
    int64_t *pending;                 /* by account: in its requirement */
    struct map map;                   /* allocation id to place */
    struct notice *notice;            /* scratch of the command being applied; not state */
    struct event_delivery_cash *cash; /* ring: cash_id % cash_max */
    struct event_notice *notices;     /* ring: notice_id % notice_max */
    uint32_t allocation_max;          /* capacities */
    uint32_t hour_max;
    uint32_t tender_max;
    uint32_t age_max;
    uint32_t cash_max;
    uint32_t notice_max;
};

#endif
