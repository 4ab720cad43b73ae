/* certify_state.h: the records of certified hardware and of tokens in the state block; what they
 * mean, and their invariants: certify.h and token.h.
 */
#ifndef DOJIMA_CORE_CERTIFY_STATE_H
#define DOJIMA_CORE_CERTIFY_STATE_H

#include "base/map.h"
#include "msg/event.h"

/* ---- certify.h ---- */

enum { ACCREDITATIONS_MAX = 127 };

struct accreditation {
    struct event_accreditation said; /* header unused (zero) */
};

struct resource {
    struct event_resource said; /* header unused (zero); id 0: there is none */
    uint32_t class;             /* of the certificate in effect */
    uint32_t effective;         /* place of the certificate in effect; NIL: none */
    uint32_t awaiting;          /* place of the one that awaits acceptance; NIL: none */
    uint32_t account_next;      /* the account's resources */
    ts_t certified_from;        /* without a gap and in one class, by the one in effect */
    ts_t barred_until;          /* decertified: until then only appeals certify it */
    uint64_t barred_by;         /* the certificate that was decertified; 0: none */
};

/* What is promised of a resource in one hour. */
struct promise {
    uint32_t resource;  /* NIL: a free place */
    uint32_t next;      /* of the free places */
    int64_t hour;
    int64_t issued;     /* nano-CT of tokens made of it */
    int64_t escrowed;   /* tokens, whoever issued them, that are bound to it (DELIV-01) */
    int64_t backed;     /* what was certified when the latest were issued */
};
ASSERT_SIZE(struct promise, 40);

/* All of it in the state block. */
struct certify_state {
    struct certification_settings settings;
    struct token_class classes[TOKEN_CLASSES_MAX + 1]; /* [1 ..] */
    uint32_t class_count;
    uint32_t accreditations;
    uint32_t resources;
    uint32_t certificates;   /* highest place in use */
    uint32_t promises;
    uint32_t promise_free;
    uint32_t promise_map_count;
    uint32_t reserved;
    uint64_t certificate_id;
    int64_t due;             /* when a certificate takes effect or lapses next; INT64_MAX: never */
};

struct certify {
    struct certify_state *s;
    struct accreditation *accreditations;     /* [1 ..] */
    struct resource *resources;               /* [1 ..] */
    struct event_certificate *certificates;   /* [1 ..]; id 0: a free place; header unused */
    struct promise *promises;
    uint32_t *account_resources;              /* by account: list head */
    struct map promise_map;                   /* resource << 32 | hour */
    uint32_t resource_max;                    /* capacities */
    uint32_t certificate_max;
    uint32_t promise_max;
};

/* ---- token.h ---- */

struct token_slot {
    uint32_t asset;       /* 0: a free place */
    uint32_t next;        /* of the free places */
    uint32_t balances;    /* list head, by balance.asset_next */
    uint32_t over;        /* 1: its hour is over; escrow alone is left */
    int64_t pledged;
    int64_t escrowed;
};
ASSERT_SIZE(struct token_slot, 32);

/* What an account has pledged for one instrument. */
struct token_cover {
    uint32_t account;     /* NIL: a free place */
    uint32_t instrument;
    uint32_t next;        /* of the account; of the free places */
    uint32_t reserved;
    int64_t lots;
};
ASSERT_SIZE(struct token_cover, 24);

/* All of it in the state block. */
struct token_state {
    uint32_t slots;       /* highest place in use */
    uint32_t slot_free;
    uint32_t slot_map_count;
    uint32_t covers;
    uint32_t cover_free;
    uint32_t covers_live;
    uint32_t over;           /* slots whose hour is over */
    uint32_t account_escrow; /* opened with the first token */
    uint32_t reserved;
    int64_t hour_next;    /* hours before it are over and dealt with */
};

struct tokens {
    struct token_state *s;
    struct token_slot *slots;    /* [1 ..] */
    struct token_cover *covers;  /* [1 ..] */
    uint32_t *account_covers;    /* by account: list head */
    struct map slot_map;         /* asset */
    uint32_t slot_max;           /* capacities */
    uint32_t cover_max;
};

#endif
