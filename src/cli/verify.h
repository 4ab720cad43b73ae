/* verify.h: what `dojima verify` (verify.c) found in its files, and how it is said
 * (verify_print.c). Not for other files. */
#ifndef DOJIMA_CLI_VERIFY_H
#define DOJIMA_CLI_VERIFY_H

#include "proof/certificate.h"
#include "proof/proof.h"
#include "proof/receipt.h"
#include "proof/verdict.h"
#include "work/verify.h"

#include <stdio.h>

enum { VERIFY_FILES_MAX = 1100, VERIFY_REASON_SIZE = 400,
       VERIFY_TOGETHER_MAX = 2 * VERIFY_FILES_MAX };

enum verify_kind { VERIFY_KIND_none, VERIFY_KIND_certificate, VERIFY_KIND_receipt,
                   VERIFY_KIND_verdict, VERIFY_KIND_proof };

struct verify_file {
    const char *path;
    uint8_t *bytes;
    size_t size;
    enum verify_kind kind;
    bool read;  /* its form is right: what is in it can be shown */
    bool good;
    char reason[VERIFY_REASON_SIZE]; /* unless good */
    union {
        struct certificate certificate;
        struct receipt receipt;
        struct verdict verdict;
    } note;
    struct proof proof;
    struct verify_result *tasks; /* of a proof */
    uint32_t task_count, right;
};

/* What files say of each other: two, or a verdict and all proofs (b NULL). */
struct verify_pair {
    const struct verify_file *a, *b;
    bool good;
    uint64_t held, all; /* a verdict's tasks that the proofs hold; all 0: not about that */
    char text[VERIFY_REASON_SIZE];
};

struct verify_report {
    struct verify_file files[VERIFY_FILES_MAX];
    uint32_t count;
    struct verify_pair pairs[VERIFY_TOGETHER_MAX];
    uint32_t pair_count;
};

bool verify_good(const struct verify_report *r);
bool verify_complete(const struct verify_report *r); /* all of a verdict's proofs, if any */
void verify_print(const struct verify_report *r, FILE *to);
/* 0; -1: no memory, or it cannot be written. */
int verify_print_json(const struct verify_report *r, FILE *to);

#endif
