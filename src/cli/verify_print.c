/* verify_print.c: what `dojima verify` says, as text and as JSON; see verify.h. */
#include "cli/verify.h"

#include "base/time_text.h"
#include "msg/compute.h"
#include "quant/freivalds.h"
#include "wire/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_TEXT_SIZE = 2 * NOTE_KEY_SIZE + 1 };

static const char *kind_name(enum verify_kind kind)
{
    static const char *const names[] = {"unknown", "certificate", "receipt", "verdict", "proof"};
    return names[kind];
}

static const char *key_text(char text[KEY_TEXT_SIZE], const uint8_t key[NOTE_KEY_SIZE])
{
    hex_write(text, key, NOTE_KEY_SIZE);
    text[KEY_TEXT_SIZE - 1] = 0;
    return text;
}

static const char *hour_text(char text[TIME_TEXT_SIZE], int64_t hour)
{
    (void)time_format(text, TS(hour * NS_PER_HOUR));
    return text;
}

static const char *second_text(char text[TIME_TEXT_SIZE], ts_t ts)
{
    (void)time_format(text, ts);
    return text;
}

/* As 1.234567 of 10^18 FLOP: CT, cut after nano-CT (UNIT-06). */
static const char *ct_text(char text[DECIMAL_TEXT_SIZE], uint128_t flop)
{
    (void)decimal_format(text, (int128_t)(flop / 1000000000), 9);
    return text;
}

static const char *flop_text(char text[DECIMAL_TEXT_SIZE], uint128_t flop)
{
    (void)decimal_format(text, (int128_t)flop, 0);
    return text;
}

/* ---- text ---- */

static void print_certificate(const struct certificate *c, FILE *to)
{
    char issued[TIME_TEXT_SIZE], expires[TIME_TEXT_SIZE], ct[DECIMAL_TEXT_SIZE];
    char key[KEY_TEXT_SIZE], evidence[KEY_TEXT_SIZE];
    fprintf(to, "  resource %s of %s at %s, region %s\n  hardware %s\n", c->resource, c->provider,
            c->site, c->region, c->hardware);
    fprintf(to, "  vintage %u, grade %s, %s CT an hour, measured over %u s%s\n", c->vintage,
            grade_name(c->grade), ct_text(ct, (uint128_t)c->work * 1000000000), c->duration_s,
            c->quick != 0 ? " (a quick try, not a certification)" : "");
    fprintf(to, "  issued %s, expires %s\n  evidence %s\n  certifier %s\n",
            second_text(issued, c->issued), second_text(expires, c->expires),
            key_text(evidence, c->evidence), key_text(key, c->certifier));
}

static void print_hour(uint64_t allocation, int64_t hour, const struct digest *root, FILE *to)
{
    char when[TIME_TEXT_SIZE], text[DIGEST_TEXT_SIZE];
    digest_text(text, root);
    fprintf(to, "  allocation %" PRIu64 ", hour %s\n  root %s\n", allocation,
            hour_text(when, hour), text);
}

static void print_receipt(const struct receipt *r, FILE *to)
{
    char flop[DECIMAL_TEXT_SIZE], ct[DECIMAL_TEXT_SIZE], key[KEY_TEXT_SIZE];
    print_hour(r->allocation, r->hour, &r->root, to);
    fprintf(to, "  %s: %" PRIu64 " tasks, %s FLOP, %s CT\n", r->instrument, r->tasks,
            flop_text(flop, r->flop), ct_text(ct, r->flop));
    fprintf(to, "  seller %s%s\n", key_text(key, r->seller),
            (r->signed_by & RECEIPT_SIGNED_seller) != 0 ? "" : ", has not signed");
    fprintf(to, "  buyer %s%s\n", key_text(key, r->buyer),
            (r->signed_by & RECEIPT_SIGNED_buyer) != 0 ? "" : ", has not signed");
}

static void print_verdict(const struct verdict *v, FILE *to)
{
    char flop[DECIMAL_TEXT_SIZE], ct[DECIMAL_TEXT_SIZE];
    char key[KEY_TEXT_SIZE], seed[KEY_TEXT_SIZE];
    print_hour(v->allocation, v->hour, &v->root, to);
    fprintf(to, "  %s: %s; %" PRIu64 " of %" PRIu64 " tasks sampled, %" PRIu64 " failed\n",
            proof_kind_words[v->kind], proof_outcome_words[v->outcome], v->sampled, v->tasks,
            v->failed);
    fprintf(to, "  verified %s FLOP, %s CT; hardware %s\n", flop_text(flop, v->flop),
            ct_text(ct, v->flop), v->attested != 0 ? "attested" : "not attested");
    fprintf(to, "  seed %s\n  verifier %s\n", key_text(seed, v->seed),
            key_text(key, v->verifier));
}

static void print_proof(const struct verify_file *f, FILE *to)
{
    const struct proof_header *h = &f->proof.header;
    print_hour(h->allocation, h->hour, &h->root, to);
    fprintf(to, "  vintage %u, %u of %" PRIu64 " tasks opened, %u right\n", h->vintage, h->opened,
            h->tasks, f->right);
    for (uint32_t i = 0; i < f->task_count; i++) {
        const struct verify_result *t = &f->tasks[i];
        char flop[DECIMAL_TEXT_SIZE];
        fprintf(to, "  task %" PRIu64 " (%s, %s FLOP): %s%s%s\n", t->index,
                t->workload == NULL ? "unknown workload" : t->workload->name,
                flop_text(flop, t->flop), verify_outcome_text(t->outcome),
                t->reason[0] != 0 ? ": " : "", t->reason);
    }
}

/* What may be concluded from a file that is right, and what not. */
static void print_shown(const struct verify_file *f, FILE *to)
{
    char bound[DECIMAL_TEXT_SIZE];
    switch (f->kind) {
    case VERIFY_KIND_certificate:
        fprintf(to, "  Shown: whoever holds the certifier's key says so. Not shown: that a venue "
                    "accredits that key, or has not ended the certificate.\n");
        break;
    case VERIFY_KIND_receipt:
        fprintf(to, "  Shown: both sides agree on what was delivered. Not shown: that the work is "
                    "right; a proof of sampled tasks is evidence of that.\n");
        break;
    case VERIFY_KIND_verdict:
        (void)decimal_format(bound, f->note.verdict.bound_ppm, 4);
        fprintf(to, "  Shown: the verifier says that at most %s%% of the hour's tasks are wrong, "
                    "with 95%% confidence, if the seed was drawn after the receipt. This is "
                    "statistical evidence, not certainty.\n", bound);
        break;
    case VERIFY_KIND_proof:
        fprintf(to, "  Shown: these tasks were committed to, and are right: a wrong matrix product "
                    "passes with a chance of at most 2^-%d. Not shown: anything of tasks that are "
                    "not opened, but what sampling says.\n",
                FREIVALDS_ROUNDS * FREIVALDS_ROUND_BITS);
        break;
    default: break;
    }
}

void verify_print(const struct verify_report *r, FILE *to)
{
    for (uint32_t i = 0; i < r->count; i++) {
        const struct verify_file *f = &r->files[i];
        fprintf(to, "%s: %s: %s%s\n", f->path, kind_name(f->kind),
                f->good ? "right" : "WRONG: ", f->reason);
        if (f->kind == VERIFY_KIND_proof && f->tasks != NULL) print_proof(f, to);
        if (f->read && f->kind == VERIFY_KIND_certificate)
            print_certificate(&f->note.certificate, to);
        if (f->read && f->kind == VERIFY_KIND_receipt) print_receipt(&f->note.receipt, to);
        if (f->read && f->kind == VERIFY_KIND_verdict) print_verdict(&f->note.verdict, to);
        if (f->good) print_shown(f, to);
    }
    for (uint32_t i = 0; i < r->pair_count; i++)
        fprintf(to, "%s and %s: %s%s\n", r->pairs[i].a->path,
                r->pairs[i].b == NULL ? "the proofs" : r->pairs[i].b->path,
                r->pairs[i].good ? "" : "WRONG: ", r->pairs[i].text);
}

/* ---- JSON ---- */

static void key_u128(struct json_writer *w, const char *name, uint128_t value)
{
    char text[DECIMAL_TEXT_SIZE];
    json_key_string(w, name, flop_text(text, value));
}

static void key_hex(struct json_writer *w, const char *name, const uint8_t *bytes)
{
    char text[KEY_TEXT_SIZE];
    json_key_string(w, name, key_text(text, bytes));
}

static void json_hour(struct json_writer *w, uint64_t allocation, int64_t hour,
                      const struct digest *root, uint64_t tasks)
{
    char text[TIME_TEXT_SIZE];
    json_key(w, "allocation");
    json_uint(w, allocation);
    json_key_string(w, "hour", hour_text(text, hour));
    key_hex(w, "root", root->v);
    json_key(w, "tasks");
    json_uint(w, tasks);
}

static void json_certificate(struct json_writer *w, const struct certificate *c)
{
    char text[TIME_TEXT_SIZE];
    json_key_string(w, "resource", c->resource);
    json_key_string(w, "provider", c->provider);
    json_key_string(w, "site", c->site);
    json_key_string(w, "region", c->region);
    json_key_string(w, "hardware", c->hardware);
    json_key_int(w, "vintage", c->vintage);
    json_key_string(w, "grade", grade_name(c->grade));
    json_key(w, "ct_per_hour");
    json_fixed(w, (int128_t)c->work, 9);
    json_key_int(w, "duration", c->duration_s);
    key_hex(w, "evidence", c->evidence);
    json_key_bool(w, "quick", c->quick != 0);
    json_key_string(w, "issued", second_text(text, c->issued));
    json_key_string(w, "expires", second_text(text, c->expires));
    key_hex(w, "certifier", c->certifier);
}

static void json_receipt(struct json_writer *w, const struct receipt *r)
{
    json_hour(w, r->allocation, r->hour, &r->root, r->tasks);
    json_key_string(w, "instrument", r->instrument);
    key_u128(w, "flop", r->flop);
    key_hex(w, "seller", r->seller);
    key_hex(w, "buyer", r->buyer);
}

static void json_verdict(struct json_writer *w, const struct verdict *v)
{
    json_hour(w, v->allocation, v->hour, &v->root, v->tasks);
    json_key_string(w, "kind", proof_kind_words[v->kind]);
    json_key_string(w, "outcome", proof_outcome_words[v->outcome]);
    json_key(w, "sampled");
    json_uint(w, v->sampled);
    json_key(w, "failed");
    json_uint(w, v->failed);
    json_key(w, "fault_rate_bound_95");
    json_fixed(w, v->bound_ppm, 6);
    key_u128(w, "flop", v->flop);
    json_key_bool(w, "attested", v->attested != 0);
    key_hex(w, "seed", v->seed);
    key_hex(w, "verifier", v->verifier);
}

static void json_proof(struct json_writer *w, const struct verify_file *f)
{
    const struct proof_header *h = &f->proof.header;
    json_hour(w, h->allocation, h->hour, &h->root, h->tasks);
    json_key_int(w, "vintage", h->vintage);
    json_key_int(w, "opened", h->opened);
    json_key_int(w, "right", f->right);
    json_key_int(w, "error_bits", FREIVALDS_ROUNDS * FREIVALDS_ROUND_BITS);
    json_key(w, "opened_tasks");
    json_open_array(w);
    for (uint32_t i = 0; i < f->task_count; i++) {
        const struct verify_result *t = &f->tasks[i];
        json_open_object(w);
        json_key(w, "index");
        json_uint(w, t->index);
        if (t->workload != NULL) json_key_string(w, "workload", t->workload->name);
        key_u128(w, "flop", t->flop);
        json_key_string(w, "outcome", verify_outcome_text(t->outcome));
        if (t->reason[0] != 0) json_key_string(w, "reason", t->reason);
        json_close_object(w);
    }
    json_close_array(w);
}

static void json_file(struct json_writer *w, const struct verify_file *f)
{
    json_open_object(w);
    json_key_string(w, "file", f->path);
    json_key_string(w, "kind", kind_name(f->kind));
    json_key_bool(w, "right", f->good);
    if (!f->good) json_key_string(w, "reason", f->reason);
    if (f->read) {
        json_key(w, kind_name(f->kind));
        json_open_object(w);
        if (f->kind == VERIFY_KIND_certificate) json_certificate(w, &f->note.certificate);
        if (f->kind == VERIFY_KIND_receipt) json_receipt(w, &f->note.receipt);
        if (f->kind == VERIFY_KIND_verdict) json_verdict(w, &f->note.verdict);
        if (f->kind == VERIFY_KIND_proof) json_proof(w, f);
        json_close_object(w);
    }
    json_close_object(w);
}

static void json_report(struct json_writer *w, const struct verify_report *r)
{
    json_reset(w);
    json_open_object(w);
    json_key_bool(w, "right", verify_good(r));
    json_key_bool(w, "complete", verify_complete(r));
    json_key(w, "files");
    json_open_array(w);
    for (uint32_t i = 0; i < r->count; i++) json_file(w, &r->files[i]);
    json_close_array(w);
    json_key(w, "together");
    json_open_array(w);
    for (uint32_t i = 0; i < r->pair_count; i++) {
        const struct verify_pair *p = &r->pairs[i];
        json_open_object(w);
        json_key_string(w, "a", p->a->path);
        if (p->b != NULL) json_key_string(w, "b", p->b->path);
        json_key_bool(w, "right", p->good);
        json_key_string(w, "reason", p->text);
        if (p->all != 0) {
            json_key(w, "held");
            json_uint(w, p->held);
            json_key(w, "of");
            json_uint(w, p->all);
            json_key_bool(w, "complete", p->held == p->all);
        }
        json_close_object(w);
    }
    json_close_array(w);
    json_close_object(w);
    json_newline(w);
}

int verify_print_json(const struct verify_report *r, FILE *to)
{
    struct json_writer w = {.capacity = 1 << 16};
    do {
        free(w.bytes);
        w.capacity *= 2;
        w.bytes = malloc(w.capacity);
        if (w.bytes != NULL) json_report(&w, r);
    } while (w.bytes != NULL && w.overflow && w.capacity < (size_t)1 << 30);
    int status = w.bytes == NULL || w.overflow || fwrite(w.bytes, 1, w.used, to) != w.used ? -1 : 0;
    free(w.bytes);
    return status;
}
