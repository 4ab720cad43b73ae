/* certify.h: the registry of certified hardware (CERT-01, CERT-02) and what is certified and not
 * yet promised (CERT-03).
 *
 * A resource is what one provider certifies under one name: it comes with its first certificate and
 * stays that provider's. A certificate of an accredited certifier is judged when it is submitted;
 * what is wrong with it is kept with it, for everybody to read. One that stands takes effect after
 * the acceptance period, lapses at its expiry, and is superseded when a renewal takes effect: a
 * renewal submitted that much earlier leaves no gap. A resource has at most one certificate in
 * effect and one that awaits it.
 *
 * After a refusal or a decertification, a certificate by another certifier for the same resource
 * and class, submitted as an appeal within the time that the venue sets, reverses it. A
 * decertified resource takes nothing else for so long.
 *
 * Invariants, asserted by certify_check: (1) a resource's `effective` and `awaiting` are exactly
 * its certificates with that status; (2) every live certificate has a resource of its account, an
 * end after now, and a certifier that was accredited when it came; (3) a finished certificate gives
 * its place to a new one only when it has expired, so that nothing can be replayed; (4) due is the
 * earliest of what the clock brings; (5) what is promised of a resource in an hour is what its
 * record says, and there is none of an hour that is over but where tokens are in escrow.
 *
 * Upstream: state. Downstream: core, token, limit, delivery.
 */
#ifndef DOJIMA_CORE_CERTIFY_H
#define DOJIMA_CORE_CERTIFY_H

#include "core/state.h"

void certify_cut(struct core *c, struct arena *a);
void certify_start(struct core *c);

/* ---- commands: certify.c, certify_life.c ---- */
void certification_set(struct core *c, const struct command *cmd);
void accredit(struct core *c, const struct command *cmd);
void certificate_submit(struct core *c, const struct command *cmd);
void certificate_end(struct core *c, const struct command *cmd);

/* ---- what others ask ---- */
/* Whether this key is accredited now in this role; its id, or NIL. */
uint32_t certify_accredited(const struct core *c, enum accreditation_role role,
                            const uint8_t key[PUBLIC_KEY_SIZE]);
bool resource_exists(const struct core *c, uint32_t resource);
uint32_t resource_account(const struct core *c, uint32_t resource);
/* The class that the certificate in effect gives the resource; false: none is in effect. */
bool resource_class(const struct core *c, uint32_t resource, struct token_class *class);
/* The id of a class; NIL: never certified. */
uint32_t token_class_find(const struct core *c, const struct token_class *class);
bool token_class_equal(const struct token_class *a, const struct token_class *b);
/* Whether work of class `own` can be delivered for `claimed`: the same vintage and region (any, if
 * none is claimed), the same or a better grade (UNIT-03). */
bool token_class_serves(const struct token_class *own, const struct token_class *claimed);
/* The certificate, by place, that covers the account's own resource in all hours of [from_hour,
 * end_hour); NIL: none, or not of this class. */
uint32_t certificate_valid(const struct core *c, uint32_t account, uint32_t resource,
                           const struct token_class *class, int64_t from_hour, int64_t end_hour);
/* nano-CT that the resource is certified for in this hour; 0: it is not. */
int64_t certificate_work(const struct core *c, uint32_t resource, int64_t hour);
/* The same less what is promised; never below 0. */
int64_t certificate_supply(const struct core *c, uint32_t resource, int64_t hour);
/* Of all resources of a class: certified in this hour, promised, and certified less promised. */
struct class_supply {
    int128_t certified;
    int128_t promised;
    int128_t uncommitted; /* summed resource by resource */
};
struct class_supply certify_class_supply(const struct core *c, uint32_t class, int64_t hour);
/* nano-CT an hour that its certificate in effect says, whatever the hour; 0: none is in effect. */
int64_t certificate_work_now(const struct core *c, uint32_t resource);
/* What is promised of a resource in this hour. */
int64_t promise_of(const struct core *c, uint32_t resource, int64_t hour);
/* nano-CT an hour that the account is certified for now, in classes that serve this one. */
int128_t certify_capacity(const struct core *c, uint32_t account, const struct token_class *class);
/* DELIV-05: a proof was falsified: the certificate in effect ends, and what awaits is refused. */
void certificate_revoke(struct core *c, uint32_t resource, const char *reason);

/* ---- certify_life.c: what becomes of a certificate ---- */
uint32_t certificate_find(const struct core *c, uint64_t id); /* its place; NIL */
void certificate_accept(struct core *c, uint32_t place);
/* A certifier is revoked: what awaits acceptance by this key is refused. */
void certificates_disown(struct core *c, const uint8_t key[PUBLIC_KEY_SIZE]);
void event_certificate_push(const struct core *c, struct outbox *out, uint32_t place);

/* ---- certify_supply.c: what is promised of a resource's hour; token.c alone changes it ---- */
struct promise *promise_find(const struct core *c, uint32_t resource, int64_t hour); /* or NULL */
struct promise *promise_get(struct core *c, uint32_t resource, int64_t hour); /* NULL: no room */
bool promise_is_over(const struct core *c, int64_t hour); /* by the clock */
bool promise_ahead(const struct core *c, uint32_t resource); /* for an hour that is not over */
uint32_t promise_room(const struct core *c); /* how many more there may be */
/* What has neither tokens issued for an hour to come nor anything in escrow goes. */
void promise_settle(struct core *c, uint32_t resource, int64_t hour);
/* All of an hour that is over. */
void promises_end(struct core *c, int64_t hour);

/* What is due by the clock (schedule.h). */
int64_t certify_due(const struct core *c);
void certify_run(struct core *c);

void event_resource_push(const struct core *c, struct outbox *out, uint32_t resource);
void event_token_class_push(const struct core *c, struct outbox *out, uint32_t class);
void query_certification(const struct core *c, struct outbox *out);
void query_certificates(const struct core *c, const struct query *q, struct outbox *out);
void certify_check(const struct core *c);
/* Adds to a hash what matters of the registry. */
void certify_hash(const struct core *c, void (*add)(void *h, const void *bytes, size_t size),
                  void *h);

#endif
