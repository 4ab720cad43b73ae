/* index_spot_state.h: the records of trades on spot (INDEX-02) in the state block; what they mean,
 * and their invariants: index_spot.h.
 */
#ifndef DOJIMA_CORE_INDEX_SPOT_STATE_H
#define DOJIMA_CORE_INDEX_SPOT_STATE_H

#include "base/map.h"
#include "msg/event.h"

struct index_pair { /* what one account sold another, in one instrument */
    uint32_t instrument;
    uint32_t seller;
    uint32_t buyer;
    uint32_t next;     /* of the instrument; of the free places */
    int64_t volume;    /* lots that stand */
    int64_t busted;    /* lots undone */
    int128_t value;    /* of those that stand: sum of price x lots */
};
ASSERT_SIZE(struct index_pair, 48);

struct index_tally { /* by instrument */
    uint32_t first;
    uint32_t reserved;
    int64_t unkept;    /* lots for which there was no room */
};

struct index_spot_hour { /* by index and hour % index_input_hours: as event_index_spot */
    int64_t hour;
    price_t price;
    int64_t volume;
    int64_t cap;
    int64_t unkept;
    uint64_t input_first; /* id of its first spot_input */
    uint32_t inputs;
    uint32_t sellers;
    uint32_t trimmed;
    uint32_t result;
};
ASSERT_SIZE(struct index_spot_hour, 64);

struct index_seller { /* ring by id: as event_index_seller */
    uint64_t id;
    int64_t volume;
    int128_t value;
    price_t price;
    int64_t related;
    int64_t busted;
    int64_t weight;
    uint32_t account;
    uint32_t status;
    uint64_t reserved;
};
ASSERT_SIZE(struct index_seller, 80);

struct index_spot_state {
    uint64_t input_id; /* the latest */
    uint32_t pairs;    /* highest place in use */
    uint32_t pair_free;
    uint32_t pair_map_count;
    uint32_t reserved;
};

/* Scratch while an hour is fixed. */
struct index_selling {
    struct index_seller input;
    int64_t through;       /* of it, lots sold through the clearing house */
    int128_t through_value;
    int64_t bought;        /* lots bought through the clearing house */
};

struct index_spot {
    struct index_spot_state *s;
    struct index_pair *pairs;
    struct index_tally *tallies;   /* by instrument */
    struct index_spot_hour *hours;
    struct index_seller *inputs;    /* ring: id % index_spot_pairs */
    struct map map;               /* key of seller, buyer and instrument to its pair */
    struct index_selling *sellers;  /* scratch: accounts + 1 */
    uint32_t *places;             /* scratch: by owner's key, its seller; zero between uses */
};

#endif
