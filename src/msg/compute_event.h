/* compute_event.h: what the venue says of certified hardware and of tokens (CERT-01 to -03,
 * UNIT-02). Part of event.h, whose rules of layout hold here. */
#ifndef DOJIMA_MSG_COMPUTE_EVENT_H
#define DOJIMA_MSG_COMPUTE_EVENT_H

struct event_certification {
    struct event_header header;
    struct certification_settings settings;
    char reason[CERTIFICATE_REASON_SIZE];
};
ASSERT_SIZE(struct event_certification, 32 + 344 + 64);

/* A certifier or verifier, as accredited or revoked. */
struct event_accreditation {
    struct event_header header;
    uint32_t id;        /* 1, 2, 3, ... */
    uint32_t role;      /* enum accreditation_role */
    ts_t since;
    ts_t until;         /* when it was revoked; 0: it stands */
    char name[CERTIFIER_NAME_SIZE];
    uint8_t key[PUBLIC_KEY_SIZE];
    char reason[CERTIFICATE_REASON_SIZE]; /* the latest */
};
ASSERT_SIZE(struct event_accreditation, 32 + 8 + 16 + 64 + 64);

/* Directory: a resource, when its first certificate comes; again when site or hardware change. */
struct event_resource {
    struct event_header header;
    uint32_t id;      /* 1, 2, 3, ... */
    uint32_t account; /* who provides it */
    char name[RESOURCE_NAME_SIZE];
    char site[SITE_NAME_SIZE];
    char hardware[HARDWARE_TEXT_SIZE];
};
ASSERT_SIZE(struct event_resource, 40 + 160);

/* Directory: a class of tokens, when it is first certified. */
struct event_token_class {
    struct event_header header;
    uint32_t id; /* 1, 2, 3, ... */
    uint32_t reserved;
    struct token_class class;
};
ASSERT_SIZE(struct event_token_class, 64);

enum certificate_status {
    CERTIFICATE_none = 0,
    CERTIFICATE_refused,     /* with its reasons (CERT-02) */
    CERTIFICATE_accepting,   /* awaits the end of the acceptance period */
    CERTIFICATE_effective,
    CERTIFICATE_superseded,  /* by a renewal */
    CERTIFICATE_lapsed,      /* at its expiry */
    CERTIFICATE_withdrawn,   /* by its provider */
    CERTIFICATE_decertified, /* by order: a falsified proof (DELIV-05), or officers */
    CERTIFICATE_status_count
};

/* Why a certificate was refused; several may apply, as bits 1 << n. */
enum certificate_fault {
    FAULT_expired = 0,
    FAULT_issued_in_the_future,
    FAULT_valid_too_long,
    FAULT_unknown_vintage,
    FAULT_unknown_region,
    FAULT_quick,              /* of a --quick run */
    FAULT_measured_too_short,
    FAULT_work_out_of_range,
    FAULT_other_provider,     /* the resource is another account's */
    FAULT_other_class,        /* an appeal for another vintage, grade or region */
    FAULT_decertified,        /* only an appeal certifies the resource now */
    FAULT_certifier_revoked,  /* before the certificate took effect */
    FAULT_by_officer,         /* for the reason given */
    FAULT_count
};

/* A certificate after what happened to it. */
struct event_certificate {
    struct event_header header;
    uint64_t id;          /* 1, 2, 3, ... */
    uint32_t resource;
    uint32_t account;
    uint32_t status;      /* enum certificate_status */
    uint32_t faults;      /* 1 << enum certificate_fault: of a refused one */
    uint64_t appeals;     /* which one this is an appeal from; 0: none */
    uint64_t reversed_by; /* the appeal that reversed this one's refusal or end; 0: none */
    ts_t submitted;
    ts_t effective;       /* when it takes, or took, effect; 0: never */
    ts_t ended;           /* 0: not yet */
    struct certificate_terms terms;
    char reason[CERTIFICATE_REASON_SIZE];
};
ASSERT_SIZE(struct event_certificate, 32 + 8 + 16 + 40 + 312 + 64);

enum token_cause {
    TOKEN_issued = 0,
    TOKEN_retired,
    TOKEN_transferred,
    TOKEN_pledged,
    TOKEN_released,
    TOKEN_escrowed,
    TOKEN_returned, /* from escrow */
    TOKEN_redeemed, /* against verified work */
    TOKEN_expired,  /* at the end of its hour */
    TOKEN_answer,   /* answers a query */
    TOKEN_cause_count
};

/* The tokens of one class and hour after what happened to some of them. */
struct event_token {
    struct event_header header;
    uint32_t asset;
    uint32_t class;
    int64_t hour;
    int64_t outstanding; /* in existence */
    int64_t pledged;     /* of them */
    int64_t escrowed;
    int64_t certified;   /* of an answer: of the class in this hour, by certificates in effect */
    int64_t promised;    /* of it: issued, or in escrow */
    uint32_t cause;      /* enum token_cause */
    uint32_t account;    /* whose; 0: of all */
    uint32_t resource;   /* 0: none */
    uint32_t to;         /* of a transfer */
    int64_t amount;
};
ASSERT_SIZE(struct event_token, 32 + 8 + 48 + 16 + 8);

#endif
