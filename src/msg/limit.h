/* limit.h: position limits in messages (GUARD-07): a product's limits, who owns which account, what
 * can be delivered, exemptions, and what the venue says of large positions.
 *
 * Amounts are in lots of the product that leads its group (a micro's lots count as 1/ratio).
 * Holdings, which add micros to standards, are in thousandths of a lot.
 *
 * Upstream: base. Downstream: command.h, event.h.
 */
#ifndef DOJIMA_MSG_LIMIT_H
#define DOJIMA_MSG_LIMIT_H

#include "base/assert.h"
#include "base/units.h"

#include <stdint.h>

enum {
    OWNER_NAME_SIZE = 32,
    LIMIT_PERIOD_SIZE = 24,
    LIMIT_REASON_SIZE = 64,
    LIMIT_STEPS = 3,
    LIMIT_UNIT = 1000, /* holdings are counted in lots / LIMIT_UNIT */
};

/* Of a product; 0: there is no such limit. Each holds for the long and for the short side. */
struct product_limits {
    qty_t spot_cap;           /* in the spot period of a contract month */
    int64_t spot_share_e6;    /* of the deliverable supply, where one is set; needs spot_cap */
    qty_t month;              /* of one contract month, at any time */
    qty_t all_months;         /* of all together; longer periods count as their months */
    qty_t accountable_month;  /* beyond this, the venue asks; it does not refuse */
    qty_t accountable_all;
    uint32_t spot_days;       /* UTC dates up to and with the last trading date */
    uint32_t step_e6[LIMIT_STEPS]; /* of the spot limit: until the third last, on the second last,
                                      on the last of these dates */
    uint32_t micro_of;        /* product that this one is counted with; 0: itself */
    uint32_t ratio;           /* lots of this product that make one of that */
};
ASSERT_SIZE(struct product_limits, 72);

struct command_limits_set {
    uint32_t product;
    uint32_t reserved;
    struct product_limits limits;
    char reason[LIMIT_REASON_SIZE];
};
ASSERT_SIZE(struct command_limits_set, 144);

struct command_supply_set {
    uint32_t product;
    uint32_t instrument; /* 0: of every contract month that has none of its own */
    qty_t amount;        /* lots that could be delivered */
    char reason[LIMIT_REASON_SIZE];
};
ASSERT_SIZE(struct command_supply_set, 80);

/* header.account belongs to this owner; "": to nobody but itself. */
struct command_owner_set {
    char owner[OWNER_NAME_SIZE];
    char reason[LIMIT_REASON_SIZE];
};
ASSERT_SIZE(struct command_owner_set, 96);

enum limit_record_kind {
    LIMIT_RECORD_exemption = 0, /* the limit is higher by the amount, until it expires */
    LIMIT_RECORD_physical,      /* certified capacity of the owner: counts on the long side of the
                                   spot limit */
    LIMIT_RECORD_count
};
enum { LIMIT_SIDE_LONG = 1, LIMIT_SIDE_SHORT = 2 };

struct command_exemption_set {
    uint64_t revoke;     /* id of an exemption that ends now; 0: a new record */
    uint32_t kind;       /* enum limit_record_kind */
    uint32_t product;
    uint32_t instrument; /* 0: every contract month of the product, and all together */
    uint32_t sides;      /* LIMIT_SIDE_ */
    qty_t amount;
    ts_t expires_at;     /* of an exemption */
    char owner[OWNER_NAME_SIZE]; /* an owner, or an account that has none */
    char reason[LIMIT_REASON_SIZE];
};
ASSERT_SIZE(struct command_exemption_set, 136);

/* A record, as it is made, ended or asked for. */
struct limit_record {
    uint64_t id;     /* 1, 2, 3, ...; 0: free */
    uint32_t kind;
    uint32_t owner;  /* the core's key */
    uint32_t product; /* that leads the group */
    uint32_t bucket; /* the contract month; 0: all */
    uint32_t sides;
    uint32_t reserved;
    qty_t amount;
    ts_t expires_at; /* INT64_MAX: none */
    char owner_name[OWNER_NAME_SIZE];
    char period[LIMIT_PERIOD_SIZE]; /* of the contract month; "": all */
    char reason[LIMIT_REASON_SIZE];
};
ASSERT_SIZE(struct limit_record, 168);

#endif
