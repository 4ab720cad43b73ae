/* certificate.h: what a certifier signs of a resource that it has measured (CERT-01).
 *
 * Lines, in this order: resource, provider, site, region, hardware, key, vintage, grade, work,
 * evidence, quick, issued, expires, certifier; signed by the certifier.
 *
 * Upstream: note. Downstream: gate (certificate_submit), work (`dojima certify`), cli (verify).
 */
#ifndef DOJIMA_PROOF_CERTIFICATE_H
#define DOJIMA_PROOF_CERTIFICATE_H

#include "base/units.h"
#include "proof/note.h"

enum {
    CERTIFICATE_RESOURCE_SIZE = 32,
    CERTIFICATE_PROVIDER_SIZE = 32,
    CERTIFICATE_SITE_SIZE = 64,
    CERTIFICATE_REGION_SIZE = 16,
    CERTIFICATE_HARDWARE_SIZE = 256,
};

struct certificate {
    char resource[CERTIFICATE_RESOURCE_SIZE]; /* its name, unique to the provider */
    char provider[CERTIFICATE_PROVIDER_SIZE]; /* the account that may sell it */
    char site[CERTIFICATE_SITE_SIZE];
    char region[CERTIFICATE_REGION_SIZE];
    char hardware[CERTIFICATE_HARDWARE_SIZE];
    uint8_t key[NOTE_KEY_SIZE]; /* the resource's own: with it its receipts are signed */
    uint32_t vintage;           /* 2026 */
    uint32_t grade;             /* 0 offline, 1 server, 2 interactive (UNIT-03) */
    uint64_t work;              /* measured, nano-CT (10^9 FLOP) an hour; at least 1 */
    uint8_t evidence[32];       /* SHA-256 of the result page and its raw figures */
    uint32_t quick;             /* 1: a try, shorter than CERT-01 asks for */
    uint32_t signed_by;         /* bit 0: the certifier */
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
