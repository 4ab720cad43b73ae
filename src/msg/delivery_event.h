/* delivery_event.h: what is said of physical delivery (DELIV-01 to -06); a part of event.h.
 *
 * Everybody is told of notices, allocations' states and hours; a tender, an intake and what keys
 * and endpoints are filed is the parties' own business, and their allocation's other side's.
 */
#ifndef DOJIMA_MSG_DELIVERY_EVENT_H
#define DOJIMA_MSG_DELIVERY_EVENT_H

enum allocation_state {
    ALLOCATION_none = 0,
    ALLOCATION_allotted,   /* on notice day; its margin is required, not yet paid (DELIV-01) */
    ALLOCATION_escrowed,   /* margin and tokens are in escrow; the canary is to come */
    ALLOCATION_ready,      /* the canary answered; its hours come and go */
    ALLOCATION_making_up,  /* the block is over; what is short may still be made up (DELIV-05) */
    ALLOCATION_buying_in,  /* the balancing auction looks for what is still short */
    ALLOCATION_window,     /* settled but for the challenge window: the seller's margin stays */
    ALLOCATION_closed,     /* nothing is owed, nothing held */
    ALLOCATION_state_count
};

enum hour_state {
    HOUR_due = 0,     /* nothing is in */
    HOUR_claimed,     /* a receipt without the buyer's signature */
    HOUR_received,    /* signed by both */
    HOUR_verified,    /* and a verdict is in */
    HOUR_metered,     /* its figure is final but for a challenge */
    HOUR_challenged,
    HOUR_falsified,
    HOUR_state_count
};

enum { /* event_allocation.flags */
    ALLOCATION_FLAG_CANARY = 1,      /* answered */
    ALLOCATION_FLAG_PAID = 2,        /* the block's hours are paid */
    ALLOCATION_FLAG_REPLACEMENT = 4, /* of a buy-in: `of` is whose */
    ALLOCATION_FLAG_FALSIFIED = 8,
    ALLOCATION_FLAG_UNTAKEN = 16,    /* a failure to take (DELIV-02) */
    ALLOCATION_FLAG_RESOLD = 32,     /* of a resale: `of` is whose buyer did not take */
    ALLOCATION_FLAG_ON_SALE = 64,    /* `auction` offers what is still to come of it */
};

enum { /* event_delivery_hour.flags */
    HOUR_FLAG_MAKE_UP = 1,   /* beside the block: for what was short in it */
    HOUR_FLAG_UNTAKEN = 2,   /* the buyer's signature was withheld (DELIV-02) */
    HOUR_FLAG_ATTESTED = 4,
    HOUR_FLAG_UNVERIFIED = 8, /* both signed, no verdict came: paid, without evidence */
    HOUR_FLAG_SHORT = 16,     /* beyond tolerance: to be made up or bought in */
    HOUR_FLAG_RESOLD = 32,    /* left the allocation, with work_due 0 wholly, else in part */
};

struct event_tender {
    struct event_header header;
    uint32_t account;
    uint32_t withdrawn;
    struct command_tender terms;
};
ASSERT_SIZE(struct event_tender, 40 + sizeof(struct command_tender));

struct event_intake {
    struct event_header header;
    uint32_t account;
    uint32_t reserved;
    struct command_intake terms;
};
ASSERT_SIZE(struct event_intake, 40 + sizeof(struct command_intake));

/* DELIV-01: an instrument's notice. Who got what follows from this record, the tenders, the intakes
 * and the ages: the allocation can be recomputed. */
struct event_notice {
    struct event_header header;
    uint32_t instrument;
    uint32_t allocations;
    price_t price;      /* final settlement */
    qty_t open;         /* lots open before */
    qty_t allotted;     /* of them, to be delivered */
    qty_t cash;         /* of them, settled in money */
    uint64_t state_seq; /* of the last command before */
    uint8_t seed[DIGEST_SIZE]; /* four words: of the instrument's name, its date and state_seq */
};
ASSERT_SIZE(struct event_notice, 32 + 48 + DIGEST_SIZE);

/* Lots that end in money on notice day, or an allocation's (work then), and what its fault cost. */
struct event_delivery_cash {
    struct event_header header;
    uint64_t allocation; /* 0: on notice day */
    uint32_t instrument;
    uint32_t reason;     /* enum delivery_reason */
    uint32_t buyer;
    uint32_t seller;
    uint32_t at_fault;   /* account; 0: nobody */
    uint32_t reserved;
    qty_t lots;
    int64_t work;        /* nano-CT */
    price_t price;       /* contract */
    price_t reference;   /* what it was compared with; PRICE_NONE: nothing */
    money_t difference;  /* max(buy-in, 110% reference) - price, to the other side */
    money_t damages;     /* to the other side */
};
ASSERT_SIZE(struct event_delivery_cash, 32 + 32 + 48);

struct event_allocation {
    struct event_header header;
    uint64_t id;
    uint64_t of;          /* a replacement's: the allocation that it replaces; a warrant's: the one
                             that it was split from; of what was resold: whose; 0: none */
    uint32_t instrument;
    uint32_t state;       /* enum allocation_state */
    uint32_t buyer;
    uint32_t seller;
    uint32_t resource;
    uint32_t grade;       /* delivered */
    uint32_t flags;       /* ALLOCATION_FLAG_ */
    uint32_t reason;      /* enum delivery_reason: why it, or a part, ended in money */
    qty_t lots;           /* 0: a replacement, or resold */
    int64_t work_hour;    /* nano-CT due in each hour */
    int64_t work_due;     /* of the whole block */
    int64_t work_done;    /* metered so far, make-up included */
    int64_t work_made_up;
    int64_t work_short;   /* still to be made up or bought in */
    int64_t work_bought;  /* in the balancing auction */
    int64_t work_resold;  /* that has left: in work_due of others */
    price_t price;        /* per CT of par */
    price_t price_resold; /* flag RESOLD: what the buyer pays of a CT's price; else 0 */
    int64_t factor_e6;    /* grade differential against par, capped */
    ts_t first_hour;
    ts_t end;             /* of the last hour */
    ts_t due;             /* when the clock looks next; 0: never again */
    ts_t window_until;    /* challenges until then */
    money_t margin_buyer; /* required, then in escrow */
    money_t margin_seller;
    money_t paid;         /* to the seller for work, fees not deducted */
    money_t damages;      /* paid by the seller */
    uint64_t auction;     /* the latest: resale, balancing; 0: none */
    uint8_t buyer_key[PUBLIC_KEY_SIZE];
    uint8_t seller_key[PUBLIC_KEY_SIZE];
    char buyer_endpoint[ENDPOINT_SIZE];
    char seller_endpoint[ENDPOINT_SIZE];
};
ASSERT_SIZE(struct event_allocation, 32 + 16 + 32 + 20 * 8 + 2 * 32 + 2 * 96);

/* DELIV-04: what is published of an hour. */
struct event_delivery_hour {
    struct event_header header;
    uint64_t allocation;
    uint32_t instrument;
    uint32_t state;      /* enum hour_state */
    ts_t hour;
    uint32_t flags;      /* HOUR_FLAG_ */
    uint32_t outcome;    /* enum proof_outcome, when verified */
    int64_t work_due;    /* nano-CT */
    int64_t work_claimed; /* by the receipt, floored once (UNIT-06) */
    int64_t work;        /* accepted */
    uint64_t tasks;
    uint64_t sampled;
    uint64_t failed;
    int64_t bound_e6;    /* upper bound of the fault rate at 95%, rounded up; 10^6: no evidence */
    price_t reference;   /* the hour's reference price, once paid; PRICE_NONE: not yet */
    money_t paid;
    ts_t challenged_until; /* the verdict on a challenge is due; 0: none */
    uint32_t challenger;
    uint32_t reserved;
    uint8_t root[DIGEST_SIZE];
    uint8_t seed[DIGEST_SIZE];
    uint8_t verifier_key[PUBLIC_KEY_SIZE];
};
ASSERT_SIZE(struct event_delivery_hour, 32 + 32 + 80 + 8 + 96);

#endif
