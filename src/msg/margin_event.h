/* margin_event.h: what is said of margin: parameters, runs, and the explanation of a requirement
 * (CLEAR-05, CLEAR-06, CLEAR-08). Included by event.h only, behind struct event_header.
 *
 * Upstream: msg/margin.h. Downstream: core/span (writes), gate, wire, feed (read).
 */
#ifndef DOJIMA_MSG_MARGIN_EVENT_H
#define DOJIMA_MSG_MARGIN_EVENT_H

/* A group's parameters as they now are. */
struct event_margin_terms {
    struct event_header header;
    uint32_t id;
    uint32_t accounts; /* that were margined anew */
    struct command_margin_set terms;
};
ASSERT_SIZE(struct event_margin_terms, 40 + 896);

struct event_margin_inter {
    struct event_header header;
    struct command_margin_inter table;
};
ASSERT_SIZE(struct event_margin_inter, 32 + 1424);

struct event_margin_flat {
    struct event_header header;
    uint32_t product;
    uint32_t accounts;
    money_t before;
    money_t flat_margin;
    char source[MARGIN_SOURCE_SIZE];
    char reason[MARGIN_REASON_SIZE];
};
ASSERT_SIZE(struct event_margin_flat, 184);

struct event_margin_run {
    struct event_header header;
    uint64_t run;
    uint32_t phase; /* enum margin_phase */
    uint32_t count; /* accounts with results so far */
    ts_t begun;
};
ASSERT_SIZE(struct event_margin_run, 56);

/* Of a group, for one account: the worst case of positions and working orders. */
struct event_margin_group {
    struct event_header header;
    uint32_t account;
    uint32_t group;
    char name[MARGIN_GROUP_NAME_SIZE];
    uint32_t scenario;   /* 1 to 16: that drives the scanning risk; 0: none */
    uint32_t lower;      /* 1: all sells filled is the worst; 0: all buys filled */
    money_t scan;
    money_t intra;
    money_t spot;
    money_t short_option;
    money_t gross;       /* sum of the instruments' own scanning risks: what netting starts from */
    money_t netting_floor;
    money_t requirement;
    int64_t net_low;     /* net deltas when all sells, or all buys, fill */
    int64_t net_high;
};
ASSERT_SIZE(struct event_margin_group, 136);

/* Of an account, after its groups. */
struct event_margin {
    struct event_header header;
    uint32_t account;
    uint32_t simulated;      /* 1: with orders or positions that do not exist */
    uint64_t run;            /* the CLEAR-05 run in force for it; 0: none yet */
    money_t run_core;
    money_t run_liquidity;
    money_t run_concentration;
    money_t run_floor;
    money_t run_total;
    money_t run_stress_loss;
    money_t span_at_run;     /* of the positions when the run began */
    money_t span_groups;     /* sum of the groups now */
    money_t inter_credit;
    money_t offset_floor;    /* below which credits do not take it */
    money_t span;            /* of groups and credits */
    money_t flat;            /* of flat products and collateralised mode */
    money_t initial_margin;
    money_t maintenance_margin;
    money_t variation;       /* unsettled, counted in equity */
    money_t available;
};
ASSERT_SIZE(struct event_margin, 32 + 8 + 8 + 128);

#endif
