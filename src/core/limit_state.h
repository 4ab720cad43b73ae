/* limit_state.h: the records of position limits (GUARD-07) in the state block; what they mean, and
 * their invariants: limit.h.
 */
#ifndef DOJIMA_CORE_LIMIT_STATE_H
#define DOJIMA_CORE_LIMIT_STATE_H

#include "base/map.h"
#include "msg/event.h"

enum {
    LIMIT_BUCKETS_MAX = 13, /* of one instrument: twelve months and their sum */
    LIMIT_OWNER_ACCOUNT = 1u << 30, /* owner key of an account that has no owner: | account */
};

struct limit_bucket {
    char name[LIMIT_PERIOD_SIZE]; /* 2027M03; "all" */
    uint32_t group;         /* product; NIL: a free place */
    uint32_t next;          /* of the group; of the free places */
    uint32_t instruments;   /* that count here and have not expired */
    uint32_t holdings;
    ts_t start;             /* of the period; 0 both: all months */
    ts_t end;
    int64_t last_day;       /* UTC date of the last trading instant; INT64_MAX: none yet */
    int64_t supply;         /* lots; -1: the group's */
};
ASSERT_SIZE(struct limit_bucket, 72);

/* By product. */
struct limit_group {
    uint32_t buckets;       /* list head */
    uint32_t all;           /* the bucket of all months */
    int64_t supply;         /* lots + 1; 0: never set */
};
ASSERT_SIZE(struct limit_group, 16);

/* By instrument: where its lots count, and how much. */
struct limit_map {
    uint32_t count;         /* of buckets, the sum of months last; 0: not limited */
    uint32_t unit;          /* thousandths that a lot counts in a month */
    uint64_t all_unit;      /* ... in the sum */
    uint32_t bucket[LIMIT_BUCKETS_MAX];
    uint32_t reserved;
};
ASSERT_SIZE(struct limit_map, 72);

/* What the records say of a holding. */
struct limit_extra {
    int64_t exempt[2];      /* [SIDE_buy], [SIDE_sell], lots */
    int64_t physical;       /* lots */
    ts_t until;             /* when the first of these records ends */
};

struct limit_holding {
    int128_t net;           /* thousandths of a lot */
    int128_t buys;
    int128_t sells;
    uint32_t owner;
    uint32_t bucket;
    uint32_t links;         /* exposures; 0: a free place */
    uint32_t next;          /* of the free places */
    uint32_t alerted;       /* beyond its accountability level, and said so */
    uint32_t version;       /* of the records summed in what follows */
    struct limit_extra extra;
    uint64_t reserved;
};
ASSERT_SIZE(struct limit_holding, 112);

/* By exposure: what of it is counted, and where. */
struct limit_link {
    int64_t position;
    int64_t buys;
    int64_t sells;
    uint32_t holding[LIMIT_BUCKETS_MAX];
    uint32_t count;
};
ASSERT_SIZE(struct limit_link, 80);

struct owner {
    char name[OWNER_NAME_SIZE];
};

/* All of it in the state block. */
struct limit_state {
    uint32_t owners;
    uint32_t buckets;        /* highest place in use */
    uint32_t bucket_free;
    uint32_t holdings;
    uint32_t holding_free;
    uint32_t holding_map_count;
    uint32_t version;        /* of the records: counts their changes */
    uint32_t reserved;
    uint64_t record_id;
    uint64_t reserved2;
};
ASSERT_SIZE(struct limit_state, 48);

struct limits {
    struct limit_state *s;
    struct owner *owners;            /* [1 .. accounts] */
    uint32_t *account_owner;         /* by account: owner, or 0 */
    struct limit_group *groups;      /* by product */
    struct limit_bucket *buckets;
    struct limit_map *maps;          /* by instrument */
    struct limit_holding *holdings;
    struct limit_link *links;        /* by exposure */
    struct limit_record *records;    /* [0 ..] */
    struct map holding_map;          /* owner << 32 | bucket */
    uint32_t bucket_count;           /* capacities */
    uint32_t holding_count;
    uint32_t record_count;
    bool waived; /* scratch: the trade at hand is not asked (porting, default) */
};

#endif
