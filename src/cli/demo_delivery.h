/* demo_delivery.h: what the files of `dojima demo delivery` share.
 *
 *   demo_delivery.c         the story from beginning to end
 *   demo_delivery_market.c  hardware certified, a contract listed, traded, cascaded to days
 *   demo_delivery_hour.c    tenders, notice, escrow, canary, the hour, the buy-in, the payment
 *   demo_delivery_ledger.c  the ledger as a table; that it adds up
 */
#ifndef DOJIMA_CLI_DEMO_DELIVERY_H
#define DOJIMA_CLI_DEMO_DELIVERY_H

#include "cli/demo_stage.h"

enum { STORY_PRICE = 2000000, STORY_NAME_SIZE = 64 };

struct story {
    struct stage stage;
    bool fast;
    const char *cheat;
    char data[STAGE_PATH_SIZE];      /* the venue's */
    ts_t period;                     /* when the contract's begins */
    bool is_quarter;                 /* else a month */
    ts_t day;                        /* of the delivery: its first hour's date */
    char period_name[STORY_NAME_SIZE];
    char day_name[STORY_NAME_SIZE];
    struct stage_process *venue;
    uint64_t auction;
    uint64_t honest;                 /* allocations: north's, south's */
    uint64_t cheated;
    char hash[CLIENT_VALUE_SIZE];
};

/* demo_delivery_market.c */
bool story_certify(struct story *t);
bool story_venue(struct story *t);
bool story_trade(struct story *t);
bool story_cascade(struct story *t);

/* demo_delivery_hour.c */
bool story_agents(struct story *t);
bool story_notice(struct story *t);
bool story_hour(struct story *t);
bool story_buy_in(struct story *t);
bool story_payment(struct story *t);

/* demo_delivery_ledger.c */
bool story_ledger(struct story *t);    /* prints it */
bool story_conserved(struct story *t); /* every asset adds up to zero; replay; proofs offline */

#endif
