/* collateral.h: commands of collateral, margin calls, liquidation and porting (CLEAR-02, CLEAR-08,
 * CLEAR-09). Part of command.h, whose rules of layout hold here. */
#ifndef DOJIMA_MSG_COLLATERAL_H
#define DOJIMA_MSG_COLLATERAL_H

enum {
    ASSET_SOURCE_SIZE = 64,  /* where a price and a haircut come from */
    EVIDENCE_SIZE = 96,      /* what was seen before capacity was issued */
    SHARE_ONE_E6 = 1000000,  /* shares are in 10^-6 */
};

/* An asset other than USD: certified capacity, counted in 10^-9 of its unit (UNIT-06: nano-CT). */
struct collateral_terms {
    char name[ASSET_NAME_SIZE];
    uint32_t instrument;  /* of whose hours it is capacity; 0: of none that is listed */
    uint32_t haircut_e6;  /* taken off its value: 0 to 10^6 */
    price_t price;        /* USD for one unit, 10^-6 USD; 0 or above */
    char source[ASSET_SOURCE_SIZE];
};
ASSERT_SIZE(struct collateral_terms, 96);

struct command_asset_set {
    uint32_t asset; /* 0: a new one; else its price, haircut and source are set anew */
    uint32_t reserved;
    struct collateral_terms terms; /* name and instrument are those of a new one */
    char reason[REASON_TEXT_SIZE];
};
ASSERT_SIZE(struct command_asset_set, 168);

/* Issued to header.account against evidence, or retired from it. */
struct command_asset_issue {
    uint32_t asset;
    uint32_t retire; /* 1: out of the account and out of existence */
    int64_t amount;  /* > 0 */
    char evidence[EVIDENCE_SIZE];
};
ASSERT_SIZE(struct command_asset_issue, 112);

struct command_pledge {
    uint32_t asset;
    uint32_t release; /* 1: given back */
    int64_t amount;   /* > 0 */
};
ASSERT_SIZE(struct command_pledge, 16);

/* What header.account, of a member in default, had pledged is sold (CLEAR-10). */
struct command_collateral_sell {
    uint32_t asset;
    uint32_t buyer;  /* account */
    int64_t amount;  /* > 0 */
    money_t price;   /* of all of it */
    char evidence[EVIDENCE_SIZE];
};
ASSERT_SIZE(struct command_collateral_sell, 120);

/* How calls are made and what follows when they are not met (CLEAR-09). */
struct clearing_settings {
    int64_t call_ns;            /* from a call to its deadline; 0: no calls are made */
    int64_t slice_ns;           /* between two slices of a liquidation; > 0 with calls */
    int64_t slice_share_e6;     /* of a position that one slice may close; at least one lot */
    int64_t slice_lots_max;     /* 0: no other bound */
    int64_t slices_per_day;     /* of one account; > 0 with calls */
    int64_t slice_width_e6;     /* a slice's price may be this far from the mark ... */
    int64_t slice_width_ticks;  /* ... and at least so many ticks (GUARD-00) */
    int64_t maintenance_e6;     /* of the positions' margin: below it there is a call; > 0 */
    int64_t collateral_cap_e6;  /* of the requirement, that pledged capacity may cover */
};
enum { CLEARING_SETTINGS = 9 };
ASSERT_SIZE(struct clearing_settings, 8 * CLEARING_SETTINGS);

struct command_clearing_set {
    uint32_t flags; /* 1 << n: the n-th setting is given, from 0; the others stay */
    uint32_t reserved;
    struct clearing_settings settings;
    char reason[REASON_TEXT_SIZE];
};
ASSERT_SIZE(struct command_clearing_set, 80 + REASON_TEXT_SIZE);

/* header.account moves to `member` (CLEAR-02), which has consented before. */
struct command_port {
    uint32_t member;
    uint32_t withdraw; /* of a consent: 1: it is taken back */
};
ASSERT_SIZE(struct command_port, 8);

#endif
