/* standing_event.h: what an account had and had to have; a part of event.h. */
#ifndef DOJIMA_MSG_STANDING_EVENT_H
#define DOJIMA_MSG_STANDING_EVENT_H

/* Said of every account with a position, an order or money after each mark-to-market of all
 * instruments, and once more when it has none of them any longer. */
struct event_standing {
    struct event_header header;
    uint64_t mark_id;    /* of the mark it was taken after; 0: as it stands */
    uint32_t account;
    uint32_t member;
    uint32_t mode;       /* enum account_mode */
    uint32_t origin;     /* enum account_origin */
    uint32_t status;     /* enum account_status */
    uint32_t call_state; /* enum call_state; CALL_none: no call that lives */
    money_t cash;        /* USD, what is reserved for a withdrawal included */
    money_t pending;     /* of it, reserved */
    money_t unsettled;   /* variation since the last mark */
    money_t equity;      /* cash less pending, with unsettled */
    money_t credit;      /* of pledged capacity, after haircut and cap (CLEAR-09) */
    money_t initial;     /* of positions and working orders, worst case */
    money_t maintenance; /* of positions; what triggers a call */
    money_t missing;     /* initial beyond equity and credit; 0: nothing */
    uint64_t call;       /* the call that lives; 0: none */
    money_t called;
    ts_t deadline;
    ts_t taken;          /* when */
};
ASSERT_SIZE(struct event_standing, 32 + 32 + 64 + 32);

#endif
