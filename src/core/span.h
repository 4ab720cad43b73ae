/* span.h: SPAN-16 in the way of an order (CLEAR-06, CLEAR-08).
 *
 * What is charged. A margin group (SPAN's combined commodity) of an account: scanning risk, the
 * greatest loss over 16 scenarios of price and volatility; an intra-commodity charge for each delta
 * of a spread between tiers; a spot-month charge for each delta in spreads and left over; not below
 * what netting_e6 leaves of the instruments' own scanning risks. The account: the sum of its
 * groups, less credits for opposite groups. Everything is per delta; an instrument has a fixed
 * number of deltas a lot, so micros net with standards of the same hours by scale (CONTRACT-03).
 *
 * Worst case of working orders. An instrument's position may end anywhere from L = position - sells
 * to U = position + buys. All instruments of a group move together, so the worst portfolio of the
 * box is one of its two corners: all buys filled, met by a fall, or all sells filled, met by a
 * rise. For that no charge may outweigh what a delta adds to the scan, which is asked of every set
 * of parameters (span_terms_check); then the larger corner is exactly the greatest requirement of
 * any outcome, it never falls when an order is added, and fills and cancels never raise it. A
 * credit between groups counts only deltas that every outcome leaves on the same side. A spread
 * order counts in both legs, as if they could fill apart.
 *
 * Spreads between tiers are formed at the dearest first (their charge and what spreading changes in
 * the spot month); credits likewise. With equal units on both legs that makes the sums monotone:
 * one more delta changes an alternating sum of falling terms.
 *
 * Speed path. requirement = max(R + S - S0, S x min(1, R / S0)), where R is what the last CLEAR-05
 * run found for the positions of its beginning, S0 what SPAN said of those, and S is SPAN now;
 * nothing held and nothing working requires nothing; without a run it is S. The second term keeps
 * a position that replaces another from being free. Equity is cash and the variation since the
 * last mark, at settlement prices, rounded down.
 *
 * Incremental. A change of an exposure adds lots x array to the 16 sums of the (account, group)
 * record and moves one tier's deltas: no division, no look at the portfolio. Changed exposures are
 * noted and reckoned together before margin is next looked at, and at the end of the command.
 *
 * Invariants: (1) between commands the sums of every record are those of its account's positions
 * and working orders (span_check recomputes them from nothing); (2) span_account.contribution is in
 * account.requirement, and 0 <= contribution <= MONEY_MAX; (3) `weight` bounds every sum of a
 * record: above SPAN_WEIGHT_MAX the sums may have wrapped (they are exact again below it), the
 * record requires MONEY_MAX and nothing that adds to it is admitted; (4) an exposure has a record
 * exactly when its product is of the span model and has parameters, and its account is margined.
 *
 * Upstream: state. Downstream: margin, ledger (exposures), settle, core, hash, check, query.
 */
#ifndef DOJIMA_CORE_SPAN_H
#define DOJIMA_CORE_SPAN_H

#include "core/state.h"

#define SPAN_WEIGHT_MAX ((int128_t)1 << 60)

enum { SPAN_UPPER = 0, SPAN_LOWER = 1, SPAN_CORNERS = 2 };

/* What SPAN knows of an instrument; group 0: nothing, it cannot be traded. */
struct span_instrument {
    int64_t fall[SPAN_SCENARIOS]; /* what a lot long loses in a scenario; 0: nothing */
    int64_t rise[SPAN_SCENARIOS]; /* what a lot short loses */
    int64_t delta;                /* of a lot */
    int64_t worst;                /* greatest of both */
    int64_t bound;                /* the most that a lot may add to a requirement */
    int64_t weight;               /* the most that a lot may add to any sum */
    uint32_t group;
    uint32_t tier;
    uint32_t maturity;            /* the instrument that stands for all of these hours */
    uint32_t reserved;
};

/* All that a group's deltas come to when every buy, or every sell, has filled. */
struct span_corner {
    int64_t longs[SPAN_TIERS_MAX];  /* over maturities, each net: by tier */
    int64_t shorts[SPAN_TIERS_MAX];
    int64_t net;
    int64_t value;                  /* scan and charges */
};

/* (account, group). */
struct span_record {
    uint32_t account;
    uint32_t group;
    uint32_t next;           /* of the account */
    uint32_t reserved;
    int64_t gross;           /* sum of the instruments' own worst cases */
    int64_t requirement;
    int64_t loss[SPAN_SCENARIOS];
    struct span_corner corner[SPAN_CORNERS];
    int128_t weight;
};

/* Beside an exposure, by the same index. */
struct span_exposure {
    uint32_t record;     /* NIL: not margined by SPAN */
    uint32_t lead;       /* the account's exposure in the maturity's instrument */
    int64_t low;         /* lots counted in the record: position - sells */
    int64_t high;        /* position + buys */
    int64_t delta_low;   /* in a lead: deltas of the whole maturity */
    int64_t delta_high;
    int64_t variation;   /* counted in the account's */
    uint32_t noted;      /* 1: in core.span_noted */
    uint32_t led;        /* in a lead: others of the account that it leads */
};

/* Beside an account, by the same index. */
struct span_account {
    uint32_t records;       /* list head */
    uint32_t inter;         /* records whose group has credits */
    int128_t groups;        /* sum of the records' requirements */
    int128_t variation;     /* sum of the exposures'; account.variation is this, within bounds */
    int64_t span;           /* of groups and credits */
    int64_t contribution;   /* in account.requirement */
    uint64_t run;           /* of what follows; 0: none */
    struct margin_result result;
    int64_t span_at_run;
    int64_t share_e20;      /* min(1, R / S0) x 2^20, rounded up */
    uint64_t staged_run;    /* of a run that has begun and is not committed */
    int64_t staged_span;    /* SPAN of the positions when it began */
    uint32_t staged;        /* 1: a result has come */
    uint32_t reserved;
    struct margin_result staged_result;
};

struct span_pair { /* two tiers, dearest first */
    uint32_t a;
    uint32_t b;
    int64_t charge;
    int64_t effect; /* charge and what spreading changes in the spot month */
};

struct span_group {
    struct command_margin_set terms; /* all of it, whatever was given last */
    struct span_pair pairs[SPAN_SPREADS_MAX];
    int64_t charge_bound; /* the most that one delta more or less changes in charges */
    int64_t saving_max;   /* the most that a delta takes part in, of credits between groups */
    uint32_t inter;       /* 1: some credit names it */
    uint32_t reserved;
};

struct span_inter {
    uint32_t a;
    uint32_t b;
    int64_t saving; /* per common unit */
};

struct span_venue {
    struct command_margin_inter table;
    struct span_inter inters[SPAN_INTERS_MAX]; /* dearest first */
    uint32_t groups;
    uint32_t records;
    uint64_t run;        /* begun last */
    uint64_t committed;
    ts_t begun;
    ts_t until;          /* its results are taken until then */
    uint32_t open;       /* 1: begun, neither committed nor given up */
    uint32_t results;    /* staged so far */
    uint32_t account_conversion; /* convert.c; NIL: not opened yet */
    uint32_t reserved;
};

/* ---- span.c: the way of an order ---- */
static inline uint32_t span_records_max(const struct core_limits *l)
{
    return l->exposures / 4 + 64;
}
static inline bool span_applies(const struct core *c, uint32_t e)
{
    return c->span_exposures[e].record != NIL;
}
/* Notes that an exposure's position, cost or working lots changed. */
void span_note(struct core *c, uint32_t e);
/* Reckons what was noted. */
void span_settle_noted(struct core *c);
/* Before a requirement is looked at in the middle of a command. */
static inline void span_current(struct core *c)
{
    if (c->span_noted_count > 0) span_settle_noted(c);
}
/* Counts an exposure in its record as it now is. */
void span_exposure_update(struct core *c, uint32_t e);
/* CLEAR-08 for an outright: yes without a look at the scenarios; false: not known this way. */
bool span_admits(const struct core *c, uint32_t e, enum side side, int64_t lots);
/* Makes what an exposure of the span model needs beside it; false: there is no room. */
bool span_prepare(struct core *c, uint32_t account, uint32_t instrument);
void span_attach(struct core *c, uint32_t e); /* after span_prepare */
/* The account's part after its records, run or the credits' table changed. */
void span_account_update(struct core *c, uint32_t account);
int64_t span_record_requirement(const struct span_group *g, struct span_record *r, bool upper,
                                bool lower);
int64_t span_variation(const struct core *c, uint32_t e);
/* A settlement price was set: what it changes in the variation of all who hold it. */
void span_settled(struct core *c, uint32_t instrument);

struct span_charges {
    int64_t intra;
    int64_t spot;
};
struct span_charges span_charges_of(const struct span_group *g, const struct span_corner *k);
/* Scan of a corner; *scenario (1 to 16) gets what drives it, 0: none. */
int64_t span_scan_of(const struct span_record *r, int corner, uint32_t *scenario);
/* Adds to a record: `lots` on the lower or upper end, of the maturity whose deltas are *delta. */
void span_record_move(struct span_record *r, const struct span_instrument *i, int corner,
                      int64_t lots, int64_t *delta);
void span_record_worst(struct span_record *r, const struct span_instrument *i, int64_t low_before,
                       int64_t high_before, int64_t low, int64_t high);
/* Credits between groups, from the net deltas of each ([group][0] long, [1] short). */
int64_t span_credit(const struct core *c, const int64_t (*certain)[2]);
int64_t span_after_credit(const struct core *c, int128_t groups, int64_t credit, int64_t *floor);

/* ---- span_params.c: parameters as data; loosening takes two officers (GUARD-05) ---- */
void margin_set(struct core *c, const struct command *cmd);
void margin_inter(struct core *c, const struct command *cmd);
/* A new instrument of a product that has parameters. */
void span_instrument_listed(struct core *c, uint32_t instrument);
/* Whether its arrays would be in range. */
bool span_instrument_fits(const struct core *c, const struct event_instrument *terms);
void span_start(struct core *c); /* at a fresh start */

/* ---- span_run.c: results of CLEAR-05 ---- */
void margin_run(struct core *c, const struct command *cmd);
void margin_result(struct core *c, const struct command *cmd);
int64_t span_speed_path(const struct span_account *a, int64_t span, bool nothing);

/* ---- convert.c: CONTRACT-03 ---- */
void margin_convert(struct core *c, const struct command *cmd);
/* Trading in what is to be delivered ends: the clearing house's side of conversions is closed, by
 * conversions of those who hold the other side of it (convert.c). */
void conversion_unwind(struct core *c, uint32_t instrument);

/* ---- span_explain.c: from nothing: what-ifs, maintenance, the incremental sums checked ---- */
struct span_range { /* by instrument; as a maturity, its deltas */
    int64_t low;
    int64_t high;
    int64_t delta_low;
    int64_t delta_high;
    uint32_t touched; /* [0 .. count - 1]: instruments in use */
    uint32_t known;
};
struct span_scratch { /* not state; zero between uses */
    uint32_t count;
    uint32_t reserved;
    struct span_range at[];
};
static inline size_t span_scratch_bytes(uint32_t instruments)
{
    return sizeof(struct span_scratch) + ((size_t)instruments + 1) * sizeof(struct span_range);
}
struct span_book { /* an account's groups, reckoned anew */
    struct span_record records[SPAN_GROUPS_MAX + 1];
    uint32_t used[SPAN_GROUPS_MAX + 1];
    uint32_t count;
    int64_t span;
    int64_t credit;
    int64_t offset_floor;
    int128_t groups;
    int64_t flat;  /* of flat products */
    bool nothing; /* neither position nor order */
};
enum span_what { SPAN_WITH_ORDERS, SPAN_POSITIONS, SPAN_LEGS_ONLY };
void span_reckon(const struct core *c, uint32_t account, enum span_what what,
                 const struct query_leg *legs, uint32_t count, struct span_book *book);
/* SPAN of an account's positions, without its orders. */
int64_t span_of_positions(const struct core *c, uint32_t account);
int64_t span_maintenance(const struct core *c, uint32_t account);
/* The worst case of one exposure by itself, for show. */
money_t span_alone(const struct core *c, uint32_t e);
void query_margin(const struct core *c, const struct query *q, struct outbox *out);
void query_margin_terms(const struct core *c, struct outbox *out);
void span_check(const struct core *c);

#endif
