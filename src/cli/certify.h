/* certify.h: what `dojima certify` is made of: the page that it shows, the evidence that it keeps.
 *
 * Upstream: work (certify). Downstream: a terminal; files.
 */
#ifndef DOJIMA_CLI_CERTIFY_H
#define DOJIMA_CLI_CERTIFY_H

#include "work/certify.h"

#include <stdio.h>

/* What a result stands under. */
struct certify_heading {
    const struct certify_plan *plan;
    const char *resource, *provider, *site, *region; /* NULL: not said */
    char started[40], hardware[HARDWARE_LINE_SIZE];
    char evidence[DIGEST_TEXT_SIZE]; /* "": not known yet */
};

/* ---- certify_page.c, certify_svg.c ---- */
void certify_page(FILE *to, const struct certify_heading *h, const struct certify_result *r);
void certify_svg(FILE *to, const struct certify_heading *h, const struct certify_result *r);

enum { CERTIFY_NUMBER_SIZE = 32 };
/* FLOP a second with its unit; a time in ms ("-" when it is not known). */
const char *certify_rate(char text[CERTIFY_NUMBER_SIZE], double flops);
const char *certify_ms(char text[CERTIFY_NUMBER_SIZE], int64_t ns);

/* ---- certify_evidence.c ---- */
/* Everything that was measured, as one JSON object: the certificate has its SHA-256. */
void certify_evidence(FILE *to, const struct certify_heading *h, const struct certify_result *r);

#endif
