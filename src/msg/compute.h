/* compute.h: the words of certified hardware and of its tokens (UNIT-02, UNIT-03, CERT-01 to -03):
 * grades, classes, certificates, and the commands. Same rules for layout as command.h, which
 * includes it. What the venue says of them: compute_event.h.
 *
 * Numbers: work is in nano-CT (10^9 reference FLOP, UNIT-06); hours are whole hours since
 * 1970-01-01T00:00Z, named by their beginning (UNIT-04).
 *
 * A certificate reaches the core as fields: the gate has checked the note's form and signature, so
 * that the core needs no cryptography; what the fields may be is the core's to judge.
 *
 * Upstream: base. Downstream: command.h, core (certify, token), gate.
 */
#ifndef DOJIMA_MSG_COMPUTE_H
#define DOJIMA_MSG_COMPUTE_H

#include "base/assert.h"
#include "base/units.h"

#include <stddef.h>
#include <stdint.h>

enum {
    REGION_NAME_SIZE = 16,
    RESOURCE_NAME_SIZE = 32, /* letters, digits, `_`, `.`, `-`, as accounts' */
    SITE_NAME_SIZE = 32,
    HARDWARE_TEXT_SIZE = 96,
    DIGEST_SIZE = 32,        /* SHA-256 */
    PUBLIC_KEY_SIZE = 32,    /* Ed25519 */
    ENDPOINT_SIZE = 96,
    CERTIFIER_NAME_SIZE = 32,
    CERTIFICATE_REASON_SIZE = 64,
    VINTAGES_MAX = 8,        /* that a venue admits at once */
    REGIONS_MAX = 16,
    TOKEN_HOURS_MAX = 744,   /* of one command */
    TOKEN_NAME_SIZE = 56,    /* CT-2026-server-eu-2027031507 */
};
/* No resource does more in an hour: 10^16 nano-CT, ten million CT. */
#define WORK_PER_HOUR_MAX INT64_C(10000000000000000)

/* UNIT-03, from the least demanding to the most; a better grade may be delivered for a lesser. */
enum grade { GRADE_offline = 0, GRADE_server, GRADE_interactive, GRADE_count };

/* What makes tokens alike, but for their hour. */
struct token_class {
    uint32_t vintage; /* a number such as 2026; 0: no class */
    uint32_t grade;   /* enum grade */
    char region[REGION_NAME_SIZE];
};
ASSERT_SIZE(struct token_class, 24);

/* Of a product; all zero: as if there were no certificates. Its class is the product's. */
struct supply_terms {
    uint32_t certified;      /* 1: what can be delivered (GUARD-07) is what is certified and not
                                promised, frozen when a contract's spot period begins */
    uint32_t short_share_e6; /* CERT-03: of its own certified capacity an account may be short;
                                0: there is no such limit */
    price_t short_margin;    /* USD a CT of each lot short beyond; 0: an order beyond is refused */
};
ASSERT_SIZE(struct supply_terms, 16);

/* ---- settings of the venue ---- */

struct certification_settings {
    int64_t acceptance_ns;    /* from submission until a certificate takes effect [48 h] */
    int64_t validity_ns;      /* that a certificate may have from its issue [30 days] */
    int64_t appeal_ns;        /* after a refusal or decertification, in which it may be appealed;
                                 for so long, a decertified resource is certified only so */
    int64_t duration_min_s;   /* of the measurement [600] */
    int64_t work_max;         /* nano-CT an hour of one resource */
    uint32_t quick;           /* 1: certificates of --quick runs are accepted */
    uint32_t vintage_count;
    uint32_t vintages[VINTAGES_MAX];
    uint32_t region_count;    /* 0: any */
    uint32_t reserved;
    char regions[REGIONS_MAX][REGION_NAME_SIZE];
};
ASSERT_SIZE(struct certification_settings, 40 + 8 + 32 + 8 + 256);

enum { /* certification_set.flags: which settings are given; the others stay */
    CERTIFICATION_HAS_ACCEPTANCE = 1 << 0,
    CERTIFICATION_HAS_VALIDITY = 1 << 1,
    CERTIFICATION_HAS_APPEAL = 1 << 2,
    CERTIFICATION_HAS_DURATION = 1 << 3,
    CERTIFICATION_HAS_WORK = 1 << 4,
    CERTIFICATION_HAS_QUICK = 1 << 5,
    CERTIFICATION_HAS_VINTAGES = 1 << 6,
    CERTIFICATION_HAS_REGIONS = 1 << 7,
    CERTIFICATION_HAS_ALL = (1 << 8) - 1,
};

struct command_certification_set {
    uint32_t flags; /* CERTIFICATION_HAS_ */
    uint32_t reserved;
    struct certification_settings settings;
    char reason[CERTIFICATE_REASON_SIZE];
};
ASSERT_SIZE(struct command_certification_set, 8 + 344 + 64);

/* ---- who may certify and verify ---- */

enum accreditation_role { ROLE_certifier = 0, ROLE_verifier, ROLE_count };

/* Two officers accredit; one revokes. */
struct command_accredit {
    char name[CERTIFIER_NAME_SIZE];
    uint32_t role;   /* enum accreditation_role */
    uint32_t revoke; /* 1: of this name and role; the key is not looked at */
    uint8_t key[PUBLIC_KEY_SIZE];
    char reason[CERTIFICATE_REASON_SIZE];
};
ASSERT_SIZE(struct command_accredit, 136);

/* ---- certificates ---- */

/* What a certificate says. */
struct certificate_terms {
    char resource[RESOURCE_NAME_SIZE];
    char site[SITE_NAME_SIZE];
    char hardware[HARDWARE_TEXT_SIZE];
    struct token_class class;
    int64_t work_per_hour;   /* measured, nano-CT */
    ts_t issued;
    ts_t expires;
    uint32_t duration_s;     /* of the measurement */
    uint32_t quick;          /* 1: of a --quick run */
    uint8_t evidence[DIGEST_SIZE];
    uint8_t certifier[PUBLIC_KEY_SIZE];
    uint8_t note[DIGEST_SIZE]; /* of the whole signed note: what a replay has in common */
};
ASSERT_SIZE(struct certificate_terms, 160 + 24 + 24 + 8 + 96);

/* For header.account, which provides the resource. */
struct command_certificate_submit {
    uint64_t appeals; /* the certificate whose refusal or decertification this answers; 0: none */
    struct certificate_terms terms;
};
ASSERT_SIZE(struct command_certificate_submit, 8 + 312);

enum certificate_end {
    CERTIFICATE_END_withdraw = 0, /* by its provider, header.account */
    CERTIFICATE_END_refuse,       /* while it awaits acceptance; an officer */
    CERTIFICATE_END_decertify,    /* its resource; two officers */
    CERTIFICATE_END_count
};

struct command_certificate_end {
    uint64_t certificate;
    uint32_t how; /* enum certificate_end */
    uint32_t reserved;
    char reason[CERTIFICATE_REASON_SIZE];
};
ASSERT_SIZE(struct command_certificate_end, 80);

/* ---- tokens (UNIT-02) ---- */

/* To header.account from its own resource, of the resource's class, for each of `hours` hours from
 * `hour`; or taken back from it: all hours or none. */
struct command_token_issue {
    uint32_t resource;
    uint32_t hours;  /* 1 to TOKEN_HOURS_MAX */
    int64_t hour;
    int64_t amount;  /* nano-CT of each hour; > 0 */
    uint32_t retire; /* 1: out of the account and out of existence */
    uint32_t reserved;
};
ASSERT_SIZE(struct command_token_issue, 32);

/* From header.account to `to`. */
struct command_token_transfer {
    struct token_class class;
    int64_t hour;
    int64_t amount;  /* of each hour; > 0 */
    uint32_t hours;
    uint32_t to;
};
ASSERT_SIZE(struct command_token_transfer, 48);

/* Tokens of all hours of an instrument's block are pledged for so many lots short of it, or
 * released: lots x work in a lot-hour, of each hour (CLEAR-08). */
struct command_token_pledge {
    uint32_t instrument;
    uint32_t release;
    int64_t lots; /* > 0 */
};
ASSERT_SIZE(struct command_token_pledge, 16);

/* In the interface, in notes and in tokens' names; grade_name gives "" when there is none. */
extern const char *const grade_words[GRADE_count + 1];
const char *grade_name(uint32_t grade);

/* ---- tokens as assets of the ledger ---- */

/* A class is numbered when it is first certified, and the asset of a class and hour follows from
 * both: an id means the same for ever. Classes from 1, hours from 2026 to 2040. */
enum {
    TOKEN_ASSET_FIRST = 1 << 20,
    TOKEN_HOUR_BITS = 17,
    TOKEN_CLASSES_MAX = 119,
    TOKEN_HOUR_FIRST = 490896, /* 2026-01-01T00:00Z */
    TOKEN_HOUR_END = TOKEN_HOUR_FIRST + (1 << TOKEN_HOUR_BITS),
};

static inline bool asset_is_token(uint32_t asset)
{
    return asset >= TOKEN_ASSET_FIRST && asset < 1 << 24;
}
static inline bool token_hour_is_valid(int64_t hour)
{
    return hour >= TOKEN_HOUR_FIRST && hour < TOKEN_HOUR_END;
}
static inline uint32_t token_asset(uint32_t class, int64_t hour)
{
    return TOKEN_ASSET_FIRST + (class << TOKEN_HOUR_BITS) + (uint32_t)(hour - TOKEN_HOUR_FIRST);
}
static inline uint32_t token_asset_class(uint32_t asset)
{
    return (asset - TOKEN_ASSET_FIRST) >> TOKEN_HOUR_BITS;
}
static inline int64_t token_asset_hour(uint32_t asset)
{
    const uint32_t mask = (1u << TOKEN_HOUR_BITS) - 1;
    return TOKEN_HOUR_FIRST + (int64_t)((asset - TOKEN_ASSET_FIRST) & mask);
}

/* CT-2026-server-eu-2027031507: vintage, grade, region, and the hour as YYYYMMDDHH. Returns the
 * length. */
size_t token_name_write(const struct token_class *class, int64_t hour, char text[TOKEN_NAME_SIZE]);

#endif
