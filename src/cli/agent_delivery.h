/* agent_delivery.h: deliveries as the venue tells them: allocations and their hours.
 *
 * Upstream: agent (private/get_allocations, public/get_delivery). Downstream: deliver, intake,
 * verify_watch.
 */
#ifndef DOJIMA_CLI_AGENT_DELIVERY_H
#define DOJIMA_CLI_AGENT_DELIVERY_H

#include "cli/agent.h"

enum { DELIVERY_ALLOCATIONS_MAX = 256, DELIVERY_HOURS_MAX = 64, DELIVERY_WORD_SIZE = 24,
       DELIVERY_VERIFIERS_MAX = 16 };
/* A canary is no hour: the verifier draws one of these numbers, of hours after the year 2089, that
 * nobody could know before: too many to have done the tasks of all. */
#define DELIVERY_CANARY_FIRST INT64_C(1048576)
#define DELIVERY_CANARIES INT64_C(1450000)
#define DELIVERY_HOUR_MS INT64_C(3600000)
/* Between two agents: what one sends the other takes. */
enum { DELIVERY_CANARY_TASKS_MAX = 64, DELIVERY_TASKS_MAX = 1024, /* of one answer */
       DELIVERY_GRACE_MS = 300000 /* venue time for answers that are on their way */ };

struct delivery_hour {
    int64_t hour;  /* since 1970 */
    bool make_up;
    char state[DELIVERY_WORD_SIZE]; /* due, claimed, received, verified, metered, ... */
    int64_t work_due;     /* nano-CT */
    int64_t work_claimed;
    uint64_t tasks;       /* of its receipt */
    struct digest root;
};

struct delivery_allocation {
    uint64_t id;
    char instrument[64];
    char state[DELIVERY_WORD_SIZE]; /* allotted, escrowed, ready, making_up, ... */
    char resource[AGENT_NAME_SIZE];
    uint32_t vintage; /* of the product */
    int64_t work_hour; /* nano-CT due in each hour */
    int64_t first_hour, end_hour; /* since 1970 */
    int64_t canary_ms; /* from then on the canary is asked for */
    int64_t work_short; /* nano-CT still to be made up */
    int64_t make_up_until; /* hours since 1970 */
    uint8_t buyer_key[NOTE_KEY_SIZE];
    uint8_t seller_key[NOTE_KEY_SIZE];
    char buyer_endpoint[AGENT_ENDPOINT_SIZE];
    char seller_endpoint[AGENT_ENDPOINT_SIZE];
    uint32_t hour_count;
    struct delivery_hour hours[DELIVERY_HOURS_MAX];
};

struct deliveries_seen {
    struct delivery_allocation list[DELIVERY_ALLOCATIONS_MAX];
    uint32_t count;
};

/* What the key that asks may see of allocations that are not closed, with their hours. False: the
 * agent is to end, or the venue refuses it (said). */
bool agent_deliveries(struct agent *a, struct deliveries_seen *d);

/* Whom the venue has accredited as verifiers. */
struct verifiers {
    uint8_t keys[DELIVERY_VERIFIERS_MAX][NOTE_KEY_SIZE];
    uint32_t count;
};
bool agent_verifiers(struct agent *a, struct verifiers *v); /* asks; own thread */
bool verifiers_have(const struct verifiers *v, const uint8_t key[NOTE_KEY_SIZE]);

/* FLOP of nano-CT (UNIT-06); 0 for what is below 0. */
uint128_t delivery_flop(int64_t work);

bool delivery_is(const struct delivery_allocation *d, const char *state);
/* NULL: there is none. */
const struct delivery_allocation *delivery_find(const struct deliveries_seen *d, uint64_t id);
const struct delivery_hour *delivery_hour_find(const struct delivery_allocation *d, int64_t hour);
/* DELIV-05: an hour behind the block in which what was short may be made up, as it is due then.
 * False: there is nothing to make up, or not in that hour. */
bool delivery_make_up(const struct delivery_allocation *d, int64_t hour, struct delivery_hour *h);

#endif
