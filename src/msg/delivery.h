/* delivery.h: the words of physical delivery (DELIV-01 to -06): a product's terms, and the
 * commands. Same rules for layout as command.h, which includes it. What is said: delivery_event.h.
 *
 * A product with terms of vintage 0 is not delivered. Days count back from D, the UTC date
 * on which the instrument's period begins; a `_at` is a second of such a day. Shares are in 10^-6.
 * Signatures stand in no command: the gate has verified them (proof/receipt.h, proof/verdict.h)
 * and says by which keys.
 *
 * Upstream: compute.h (grades, keys, sizes). Downstream: command.h.
 */
#ifndef DOJIMA_MSG_DELIVERY_H
#define DOJIMA_MSG_DELIVERY_H

#include "base/assert.h"
#include "base/units.h"
#include "msg/compute.h"

#include <stdint.h>

enum {
    DELIVERY_REGIONS_MAX = 4,   /* an intake's regions */
    DELIVERY_EXCLUDED_MAX = 8,  /* providers that an intake does not want */
    DELIVERY_REASON_SIZE = 64,
};

/* Why lots or work of an instrument end in money instead of compute (DELIV-01, DELIV-05). */
enum delivery_reason {
    DELIVERY_REASON_none = 0,
    DELIVERY_REASON_no_tender,       /* the seller tendered no resource for these lots */
    DELIVERY_REASON_no_certificate,  /* what it tendered was not, or no longer, certified */
    DELIVERY_REASON_no_intake,       /* the buyer filed no intake */
    DELIVERY_REASON_constraints,     /* no tender that was left meets the buyer's constraints */
    DELIVERY_REASON_no_room,         /* the venue's pools are full, or the money out of range */
    DELIVERY_REASON_seller_margin,   /* could not pay the delivery margin */
    DELIVERY_REASON_buyer_margin,
    DELIVERY_REASON_no_tokens,       /* the seller's tokens did not cover every hour */
    DELIVERY_REASON_canary,          /* failed, or absent at its deadline */
    DELIVERY_REASON_shortfall,       /* less than due, beyond tolerance and make-up */
    DELIVERY_REASON_nothing,         /* nothing at all in an hour */
    DELIVERY_REASON_falsified,       /* a proof was falsified */
    DELIVERY_REASON_seller_default,
    DELIVERY_REASON_buyer_default,
    DELIVERY_REASON_count
};

/* DELIV-04: what a verdict is of, and what it says; as in the note (proof/verdict.h). */
enum proof_kind { PROOF_hour = 0, PROOF_canary, PROOF_challenge, PROOF_kind_count };
enum proof_outcome {
    PROOF_ok = 0,
    PROOF_short,     /* sound, but less than was due */
    PROOF_falsified, /* an opened task does not check */
    PROOF_no_answer, /* the seller opened nothing in time */
    PROOF_outcome_count
};
/* In the interface and in notes. */
extern const char *const proof_kind_words[PROOF_kind_count + 1];
extern const char *const proof_outcome_words[PROOF_outcome_count + 1];

struct delivery_terms {
    struct token_class class; /* vintage 0: the product is not delivered; the grade is par, the
                                 least that may be delivered; region "": any */
    int64_t grade_e6[GRADE_count]; /* UNIT-03: what a grade is worth [0.70, 1.00, 1.60] */
    int64_t grade_cap_e6;   /* the most that a better grade than par is paid [1.60] */
    int64_t tolerance_hour_e6;     /* DELIV-05 [0.02] */
    int64_t tolerance_day_e6;      /* [0.005] */
    int64_t margin_seller_e6;      /* DELIV-01: of the value at the final price [0.50] */
    int64_t margin_buyer_e6;       /* of what it may have to pay at most [1.00] */
    int64_t buy_in_e6;             /* of the reference price: a buy-in's least cost [1.10] */
    int64_t buy_in_max_e6;         /* of the reference price: the most that is bid [3.00] */
    int64_t damages_short_e6;      /* [0.10] */
    int64_t damages_nothing_e6;    /* [0.25] */
    int64_t damages_falsified_e6;  /* [0.50] */
    int64_t fee;                   /* per CT delivered and side, 10^-6 USD; >= 0 */
    uint32_t index;                /* reference prices of the hours; 0: the final price stands in */
    uint32_t last_days;            /* days before D: last trading [6] */
    uint32_t position_days;        /* tenders and intakes from its beginning on [5] */
    uint32_t notice_days;          /* allocation [4] */
    uint32_t margin_days;          /* [3] */
    uint32_t canary_days;          /* the canary's, and the last of warrants [1] */
    uint32_t last_at;              /* [12:00] */
    uint32_t notice_at;            /* [12:00] */
    uint32_t margin_at;            /* [12:00] */
    uint32_t canary_at;            /* warrants end, the canary begins [12:00] */
    uint32_t canary_by;            /* its verdict's deadline, the same day [18:00] */
    uint32_t pay_at;               /* on D + 1 [12:00] */
    int64_t meter_ns;              /* after an hour: receipt and verdict [2 h] */
    int64_t sign_ns;               /* DELIV-02: a buyer's signature is withheld after [10 min] */
    int64_t make_up_ns;            /* after the last hour [24 h] */
    int64_t buy_in_ns;             /* how long a balancing auction takes offers [30 min] */
    int64_t challenge_ns;          /* after the last hour [72 h] */
    int64_t answer_ns;             /* for a challenge's verdict [24 h] */
};
ASSERT_SIZE(struct delivery_terms, 24 + 24 + 80 + 8 + 48 + 48);

/* A short's offer of a resource for delivery: header.account's. Again for the same resource: the
 * later one stands; 0 lots: withdrawn. Without an instrument it is what the account stands ready to
 * deliver from: hours of the spot market, and what it wins in a balancing auction (DELIV-05). */
struct command_tender {
    uint32_t instrument; /* 0: standing */
    uint32_t resource;
    qty_t lots;          /* standing: not looked at but for 0 */
    uint32_t grade;      /* to be delivered: par or better, not above the certificate's */
    uint32_t reserved;
    uint8_t public_key[PUBLIC_KEY_SIZE]; /* signs receipts */
    char endpoint[ENDPOINT_SIZE];
};
ASSERT_SIZE(struct command_tender, 24 + PUBLIC_KEY_SIZE + ENDPOINT_SIZE);

/* Where a long, or who takes its warrant, wants delivery, and what it does not want. */
struct command_intake {
    uint32_t instrument;    /* 0: standing, for hours of the spot market */
    uint32_t withdraw;      /* 1: the intake is gone; the rest is zero */
    uint32_t grade_minimum;
    uint32_t region_count;  /* 0: any */
    uint32_t excluded_count;
    uint32_t reserved;
    uint32_t excluded[DELIVERY_EXCLUDED_MAX]; /* accounts */
    char regions[DELIVERY_REGIONS_MAX][REGION_NAME_SIZE];
    uint8_t public_key[PUBLIC_KEY_SIZE];      /* countersigns receipts */
    char endpoint[ENDPOINT_SIZE];
};
ASSERT_SIZE(struct command_intake, 24 + 32 + 64 + PUBLIC_KEY_SIZE + ENDPOINT_SIZE);

/* DELIV-06: the buyer's right to `lots` of an allocation goes to another account. */
struct command_warrant_transfer {
    uint64_t allocation;
    uint32_t to;
    uint32_t reserved;
    qty_t lots; /* 0: all */
};
ASSERT_SIZE(struct command_warrant_transfer, 24);

enum { /* command_receipt.flags */
    RECEIPT_BUYER_SIGNED = 1, /* absent: the buyer has withheld its signature so far */
};
struct command_receipt {
    uint64_t allocation;
    ts_t hour;           /* its beginning */
    uint32_t instrument;
    uint32_t flags;
    uint64_t tasks;
    uint64_t flop_high;  /* 128 bits */
    uint64_t flop_low;
    uint8_t root[DIGEST_SIZE];
    uint8_t seller_key[PUBLIC_KEY_SIZE];
    uint8_t buyer_key[PUBLIC_KEY_SIZE];
};
ASSERT_SIZE(struct command_receipt, 48 + DIGEST_SIZE + 2 * PUBLIC_KEY_SIZE);

struct command_verdict {
    uint64_t allocation;
    ts_t hour;
    uint8_t kind;    /* enum proof_kind */
    uint8_t outcome; /* enum proof_outcome */
    uint8_t attested; /* 1: the hardware attested itself */
    uint8_t reserved;
    uint32_t bound_e6; /* upper bound of the fault rate at 95%: the gate has recomputed it */
    uint64_t tasks;
    uint64_t sampled;
    uint64_t failed;
    uint64_t flop_high; /* verified */
    uint64_t flop_low;
    uint8_t root[DIGEST_SIZE];
    uint8_t seed[DIGEST_SIZE];
    uint8_t verifier_key[PUBLIC_KEY_SIZE];
};
ASSERT_SIZE(struct command_verdict, 64 + 2 * DIGEST_SIZE + PUBLIC_KEY_SIZE);

struct command_proof_challenge {
    uint64_t allocation;
    ts_t hour;
    char reason[DELIVERY_REASON_SIZE];
};
ASSERT_SIZE(struct command_proof_challenge, 16 + DELIVERY_REASON_SIZE);

#endif
