/* event_default.h: what is said of the default fund and of defaults (CLEAR-10, CLEAR-11); a part of
 * event.h, which includes it behind the header of all events.
 */
#ifndef DOJIMA_MSG_EVENT_DEFAULT_H
#define DOJIMA_MSG_EVENT_DEFAULT_H

struct event_fund {
    struct event_header header;
    struct command_fund_set settings;
    int64_t date;   /* of the latest sizing, days since 1970; 0: none yet */
    money_t cover2; /* the two largest stress losses then; 0: sized by margin */
    money_t total;  /* sum of the shares of members that are not in default */
    money_t paid;   /* what they have paid in */
    money_t capital; /* own, outside the tranche */
    money_t skin;
    uint32_t members;       /* with a share or a contribution */
    uint32_t defaults_open;
};
ASSERT_SIZE(struct event_fund, 120);

struct event_fund_share {
    struct event_header header;
    uint32_t member;
    uint32_t account;    /* MEMBER/fund; 0: none yet */
    money_t due;         /* its share */
    money_t balance;     /* paid in */
    money_t call;        /* still to be paid in */
    ts_t call_deadline;  /* 0: no call */
    money_t assessed;    /* called beyond the contribution since the first open default */
    money_t assessment;  /* of that, still to be paid */
    ts_t assessment_deadline;
    money_t cap;         /* the most that may be assessed */
    uint32_t defaulted;
    uint32_t flags;      /* FUND_SHARE_ */
};
ASSERT_SIZE(struct event_fund_share, 112);

struct event_default {
    struct event_header header;
    uint32_t member;
    uint32_t account;  /* its estate: MEMBER/default */
    uint32_t status;   /* enum default_status */
    uint32_t layer;    /* the furthest that was needed so far */
    uint32_t number;   /* 1, 2, 3, ... over the venue */
    uint32_t waiting;  /* 1: an assessment is running */
    money_t margin;    /* the cash that was taken over; negative: it owed already */
    money_t deficit;   /* of the estate now; negative: a surplus */
    money_t paid;      /* by others than the defaulter so far, less what they got back */
    money_t recovered;
    ts_t declared;
    char reason[DEFAULT_REASON_SIZE];
};
ASSERT_SIZE(struct event_default, 32 + 24 + 40 + 64);

struct event_close_out { /* of a defaulter's client: begun, or over */
    struct event_header header;
    uint32_t account;
    uint32_t member;
    uint32_t over;     /* 1: nothing is held any more */
    uint32_t slices;
    money_t cash;      /* the client's own: when over, what may be withdrawn */
    money_t shortfall; /* beyond its margin: paid by its member's estate */
    char reason[DEFAULT_REASON_SIZE]; /* why it began */
};
ASSERT_SIZE(struct event_close_out, 32 + 16 + 16 + 64);

struct event_default_layer {
    struct event_header header;
    uint32_t member; /* the defaulter */
    uint32_t layer;  /* enum default_layer */
    uint32_t tier;   /* of the survivors */
    uint32_t payers; /* accounts that paid, or got back */
    money_t amount;  /* > 0: used; < 0: paid back */
    money_t deficit; /* afterwards */
};
ASSERT_SIZE(struct event_default_layer, 64);

struct event_portfolio {
    struct event_header header;
    uint64_t auction;
    uint32_t member; /* the defaulter */
    uint32_t status; /* enum portfolio_status */
    uint32_t portions;
    uint32_t awarded;
    uint32_t bidders; /* members that bid; 0 while it is open */
    uint32_t bidders_min;
    uint32_t flags;
    uint32_t reserved;
    ts_t deadline;
    money_t reserve;
    money_t paid;  /* to the estate, net; negative: to the bidders */
    money_t worst; /* awarded price per portion; MONEY(INT64_MIN): none */
};
ASSERT_SIZE(struct event_portfolio, 104);

struct event_portfolio_bid {
    struct event_header header;
    uint64_t auction;
    uint64_t bid; /* 1, 2, 3, ... in order of entry */
    uint32_t account;
    uint32_t member;
    uint32_t portions;
    uint32_t awarded;
    money_t price;
    money_t paid; /* for what was awarded; negative: received */
    uint32_t refused; /* enum reject: why the award passed it over; 0: not, or all was sold */
    uint32_t reserved;
};
ASSERT_SIZE(struct event_portfolio_bid, 88);

#endif
