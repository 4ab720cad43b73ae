/* guard.h: protections as data, the command that changes them, and what is said of halts.
 * Included by command.h, event.h (after their headers are defined).
 *
 * price_band and protection_points stand in the product's terms; as fields of a guards_set they are
 * changed by the same rule (GUARD-05).
 */
#ifndef DOJIMA_MSG_GUARD_H
#define DOJIMA_MSG_GUARD_H

#include "base/assert.h"
#include "base/units.h"

#include <stdint.h>

enum guard_field {
#define GUARD_FIELD(name, looser, unit, otherwise, belongs) GUARD_##name,
#include "msg/guard.def"
#undef GUARD_FIELD
    GUARD_FIELDS,
    GUARD_TERMS = GUARD_price_band, /* so many stand in guard_terms */
};

enum { GUARD_GROUP_SIZE = 16 };

struct guard_terms {
    int64_t v[GUARD_TERMS]; /* by enum guard_field; 0: does not exist */
    char group[GUARD_GROUP_SIZE]; /* products of one group halt together; "": alone */
};
ASSERT_SIZE(struct guard_terms, 19 * 8 + 16);

enum { GUARDS_HAS_GROUP = 1u << GUARD_FIELDS };

/* What is given changes; what is not stays. */
struct command_guards_set {
    uint32_t product;
    uint32_t given; /* 1 << enum guard_field, GUARDS_HAS_GROUP */
    int64_t v[GUARD_FIELDS];
    char group[GUARD_GROUP_SIZE];
    char reason[64]; /* REASON_TEXT_SIZE */
};
ASSERT_SIZE(struct command_guards_set, 8 + 21 * 8 + 16 + 64);

enum guard_rule { /* what stopped trading */
    GUARD_RULE_officer = 0,
    GUARD_RULE_breaker,  /* GUARD-02 */
    GUARD_RULE_velocity, /* GUARD-03 */
    GUARD_RULE_limit,    /* GUARD-04 */
    GUARD_RULE_count
};

enum guard_phase { /* where an interruption stands */
    GUARD_PHASE_none = 0, /* over: trading goes on */
    GUARD_PHASE_halt,     /* an auction follows at `until` */
    GUARD_PHASE_auction,  /* trading follows at `until` */
    GUARD_PHASE_closed,   /* for the day (GUARD-04) */
    GUARD_PHASE_count
};

#endif
