/* certificate.h: what a certifier signs of a resource that it has measured (CERT-01).
 *
 * Lines, in this order: resource, provider, site, region, hardware, vintage, grade, work,
 * duration, evidence, quick, issued, expires, certifier; signed by the certifier.
 *
 * Upstream: note. Downstream: gate (certificate_submit), work (`dojima certify`), cli (verify).
 */
#ifndef DOJIMA_PROOF_CERTIFICATE_H
#define DOJIMA_PROOF_CERTIFICATE_H

#include "base/units.h"
#include "msg/command.h"
#include "proof/note.h"

struct certificate {
    char resource[RESOURCE_NAME_SIZE]; /* its name, unique to the provider */
    char provider[ACCOUNT_NAME_SIZE];  /* the account that may sell it */
    char site[SITE_NAME_SIZE];
    char region[REGION_NAME_SIZE];
    char hardware[HARDWARE_TEXT_SIZE];
    uint32_t vintage;      /* 2026 */
    uint32_t grade;        /* enum grade (UNIT-03) */
    uint64_t work;         /* measured, nano-CT (10^9 FLOP) an hour; at least 1 */
    uint32_t duration_s;   /* of the measurement; at least 1 */
    uint32_t quick;        /* 1: a try, shorter than CERT-01 asks for */
    uint32_t signed_by;    /* bit 0: the certifier */
    uint8_t evidence[32];  /* SHA-256 of the result page and its raw figures */
    ts_t issued, expires;       /* whole seconds; expires is later */
    uint8_t certifier[NOTE_KEY_SIZE];
    uint8_t signature[NOTE_SIGNATURE_SIZE];
};

enum { CERTIFICATE_ROLE_certifier = 0, CERTIFICATE_SIGNED = 1 };

size_t certificate_encode(const struct certificate *c, char text[NOTE_SIZE_MAX]);
int certificate_parse(struct certificate *c, const char *text, size_t length,
                      struct note_error *error);
int certificate_check(const struct certificate *c, struct note_error *error);
bool certificate_sign(struct certificate *c, const uint8_t secret[NOTE_SECRET_SIZE]);
/* Signed by the key that it names. Whether that certifier is accredited, only the venue knows. */
int certificate_verify(const struct certificate *c, struct note_error *error);

#endif
