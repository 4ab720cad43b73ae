/* verify.c: `dojima verify`: certificates, receipts, verdicts and proofs, checked where they lie,
 * with nothing asked of the venue and nothing believed (DELIV-02 to -04).
 *
 * A note: its form to the byte, and its signatures by the keys it names (and by those that the
 * caller expects, --key). A proof: every opened task under the committed root, its transcript by
 * Freivalds' method and re-execution, with random vectors drawn here after the file was read.
 * Several files are held against each other: they must be of one hour, the opened tasks those that
 * the verdict's seed chooses, and what fails what the verdict says. Of a sample's proofs some may
 * be there: what is there is checked, and that it is not all is said.
 *
 * Upstream: files. Downstream: standard output; exit status 0 all is right, 1 something is not,
 * 2 it could not be called or read so, 3 what is there is right, and not all of a sample.
 */
#include "cli/verify.h"

#include "base/time_text.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/files.h"
#include "cli/verify_watch.h"
#include "proof/sample.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEY_JSON = 700, KEY_KEY, KEY_WEIGHTS, KEY_AT, KEY_WATCH, KEYS_MAX = 16, WEIGHTS_MAX = 8,
       INCOMPLETE = 3 };
#define FILE_BYTES_MAX ((size_t)1 << 36)

struct expected {
    char role[16];
    uint8_t key[NOTE_KEY_SIZE];
};

struct weights {
    const char *path;
    uint8_t *bytes;
    size_t size;
};

struct arguments {
    struct verify_report report;
    bool json;
    ts_t at;
    struct expected keys[KEYS_MAX];
    uint32_t key_count;
    struct weights weights[WEIGHTS_MAX];
    uint32_t weights_count;
};

static const struct argp_option options[] = {
    {"json", KEY_JSON, NULL, 0, "Prints one JSON object", 0},
    {"key", KEY_KEY, "ROLE=HEX", 0,
     "The key that a seller, buyer, certifier or verifier must have signed with; several times", 0},
    {"weights", KEY_WEIGHTS, "FILE", 0, "A buyer's weights, for tasks that name them", 0},
    {"at", KEY_AT, "TIME", 0, "Whether certificates are valid at this time [now]", 0},
    {"watch", KEY_WATCH, NULL, 0,
     "A verifier's agent for the deliveries of a venue (--watch --help)", 0},
    {0}};

static void key_parse(struct arguments *a, const char *text, struct argp_state *state)
{
    const char *equals = strchr(text, '=');
    if (a->key_count == KEYS_MAX) argp_error(state, "too many keys");
    struct expected *e = &a->keys[a->key_count];
    size_t length = equals == NULL ? 0 : (size_t)(equals - text);
    if (length == 0 || length >= sizeof e->role ||
        !hex_read(e->key, sizeof e->key, equals + 1, strlen(equals + 1)))
        argp_error(state, "--key is ROLE=, then 64 lower-case hexadecimal digits");
    memcpy(e->role, text, length);
    static const char *const roles[] = {"seller", "buyer", "certifier", "verifier"};
    bool known = false;
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        known = known || strcmp(e->role, roles[i]) == 0;
    a->key_count += 1;
    if (!known)
        argp_error(state, "no role `%s`: seller, buyer, certifier or verifier", e->role);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case KEY_JSON: a->json = true; return 0;
    case KEY_WATCH: argp_error(state, "--watch is written in full"); return 0;
    case KEY_KEY: key_parse(a, text, state); return 0;
    case KEY_WEIGHTS:
        if (a->weights_count == WEIGHTS_MAX) argp_error(state, "too many weights");
        a->weights[a->weights_count++].path = text;
        return 0;
    case KEY_AT:
        if (time_parse(text, strlen(text), &a->at) != 0)
            argp_error(state, "--at is a time as 2027-01-04T14:00:00Z");
        return 0;
    case ARGP_KEY_ARG:
        if (a->report.count == VERIFY_FILES_MAX) argp_error(state, "too many files");
        a->report.files[a->report.count++].path = text;
        return 0;
    case ARGP_KEY_END:
        if (a->report.count == 0) argp_usage(state);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options, .parser = parse, .args_doc = "FILE...",
    .doc = "Checks certificates, receipts, verdicts and proofs offline. Several files must belong "
           "together.\vExit status: 0 all is right, 1 something is not or cannot be judged, 2 a "
           "mistake in how it was called, or a file that cannot be read, 3 what is there is right, "
           "but it is not all of the tasks that a verdict sampled."};

/* ---- notes ---- */

__attribute__((format(printf, 2, 3)))
static void wrong(struct verify_file *f, const char *format, ...)
{
    if (f->reason[0] != 0) return; /* the first thing that is wrong */
    va_list list;
    va_start(list, format);
    (void)vsnprintf(f->reason, sizeof f->reason, format, list);
    va_end(list);
}

/* A key that the caller expects of this role, and which is not this one. */
static void key_check(const struct arguments *a, struct verify_file *f, const char *role,
                      const uint8_t key[NOTE_KEY_SIZE])
{
    bool expected = false, found = false;
    for (uint32_t i = 0; i < a->key_count; i++) {
        if (strcmp(a->keys[i].role, role) != 0) continue;
        expected = true;
        found = found || memcmp(a->keys[i].key, key, NOTE_KEY_SIZE) == 0;
    }
    if (expected && !found) wrong(f, "the %s's key is not the expected one", role);
}

static void certificate_judge(const struct arguments *a, struct verify_file *f)
{
    const struct certificate *c = &f->note.certificate;
    key_check(a, f, "certifier", c->certifier);
    if (c->issued.v > a->at.v) wrong(f, "it is not issued yet at that time");
    if (c->expires.v <= a->at.v) wrong(f, "it has expired");
}

static void note_judge(const struct arguments *a, struct verify_file *f)
{
    const char *text = (const char *)f->bytes;
    struct note_error e = {0};
    int code = 0, signature = 0;
    switch (f->kind) {
    case VERIFY_KIND_certificate:
        code = certificate_parse(&f->note.certificate, text, f->size, &e);
        if (code == 0) signature = certificate_verify(&f->note.certificate, &e);
        break;
    case VERIFY_KIND_receipt:
        code = receipt_parse(&f->note.receipt, text, f->size, &e);
        if (code == 0) signature = receipt_verify(&f->note.receipt, &e);
        break;
    default:
        code = verdict_parse(&f->note.verdict, text, f->size, &e);
        if (code == 0) signature = verdict_verify(&f->note.verdict, &e);
    }
    f->read = code == 0;
    if (code != 0 && e.line != 0) wrong(f, "line %u: %s", e.line, e.text);
    else if (code != 0 || signature != 0) wrong(f, "%s", e.text);
    if (code != 0) return;
    if (f->kind == VERIFY_KIND_certificate) certificate_judge(a, f);
    if (f->kind == VERIFY_KIND_receipt) {
        key_check(a, f, "seller", f->note.receipt.seller);
        key_check(a, f, "buyer", f->note.receipt.buyer);
    }
    if (f->kind == VERIFY_KIND_verdict) key_check(a, f, "verifier", f->note.verdict.verifier);
}

/* ---- proofs ---- */

/* A file of weights whose digest this is: every one that was given is tried. */
static const uint8_t *weights_find(void *context, const struct work_workload *workload,
                                   const struct digest *digest, size_t *size)
{
    (void)workload; /* whose they are is seen when they are opened */
    struct arguments *a = context;
    for (uint32_t i = 0; i < a->weights_count; i++) {
        struct weights *w = &a->weights[i];
        struct digest found = digest_of(w->bytes, w->size);
        if (!digest_equal(&found, digest)) continue;
        *size = w->size;
        return w->bytes;
    }
    return NULL;
}

static void proof_judge(struct arguments *a, struct verify_file *f)
{
    struct proof_error e = {0};
    struct proof_task task;
    uint8_t secret[32];
    if (proof_parse(&f->proof, f->bytes, f->size, &e) != 0) {
        wrong(f, "at byte %llu: it %s", (unsigned long long)e.at, e.text);
        return;
    }
    randombytes_buf(secret, sizeof secret); /* after the file is read: nobody could know it */
    struct verify *v = verify_open(secret, weights_find, a);
    f->tasks = calloc(f->proof.header.opened, sizeof *f->tasks);
    int more = v == NULL || f->tasks == NULL ? -1 : 1;
    if (more < 0) (void)snprintf(e.text, sizeof e.text, "has no room in memory");
    while (more > 0 && (more = proof_task_next(&f->proof, &task, &e)) > 0) {
        struct verify_result *r = &f->tasks[f->task_count++];
        verify_task(v, &f->proof, &task, r);
        f->right += r->outcome == VERIFY_right;
        if (r->outcome != VERIFY_right)
            wrong(f, "task %llu is %s: %s", (unsigned long long)r->index,
                  verify_outcome_text(r->outcome), r->reason);
    }
    f->read = more == 0;
    if (more < 0) {
        f->reason[0] = 0;
        wrong(f, "at byte %llu: it %s", (unsigned long long)e.at, e.text);
    }
    verify_close(v);
}

static void file_judge(struct arguments *a, struct verify_file *f)
{
    enum note_type type = note_type_of((const char *)f->bytes, f->size);
    f->kind = proof_recognised(f->bytes, f->size) ? VERIFY_KIND_proof :
              type == NOTE_certificate ? VERIFY_KIND_certificate :
              type == NOTE_receipt ? VERIFY_KIND_receipt :
              type == NOTE_verdict ? VERIFY_KIND_verdict : VERIFY_KIND_none;
    if (f->kind == VERIFY_KIND_none) wrong(f, "it is neither a note nor a proof");
    else if (f->kind == VERIFY_KIND_proof) proof_judge(a, f);
    else note_judge(a, f);
    f->good = f->reason[0] == 0;
}

/* ---- together ---- */

struct hour {
    uint64_t allocation;
    int64_t hour;
    uint64_t tasks;
    struct digest root;
};

static bool hour_of(const struct verify_file *f, struct hour *h)
{
    const struct receipt *r = &f->note.receipt;
    const struct verdict *v = &f->note.verdict;
    const struct proof_header *p = &f->proof.header;
    if (f->kind == VERIFY_KIND_receipt)
        *h = (struct hour){r->allocation, r->hour, r->tasks, r->root};
    else if (f->kind == VERIFY_KIND_verdict)
        *h = (struct hour){v->allocation, v->hour, v->tasks, v->root};
    else if (f->kind == VERIFY_KIND_proof)
        *h = (struct hour){p->allocation, p->hour, p->tasks, p->root};
    else return false;
    return f->read;
}

static const char *difference(const struct hour *a, const struct hour *b)
{
    if (a->allocation != b->allocation) return "they are of different allocations";
    if (a->hour != b->hour) return "they are of different hours";
    if (!digest_equal(&a->root, &b->root)) return "they have different roots";
    return a->tasks == b->tasks ? NULL : "they have different numbers of tasks";
}

__attribute__((format(printf, 5, 6)))
static void together(struct verify_report *r, const struct verify_file *a,
                     const struct verify_file *b, bool good, const char *format, ...)
{
    if (r->pair_count == VERIFY_TOGETHER_MAX) return;
    struct verify_pair *p = &r->pairs[r->pair_count++];
    *p = (struct verify_pair){.a = a, .b = b, .good = good};
    va_list list;
    va_start(list, format);
    (void)vsnprintf(p->text, sizeof p->text, format, list);
    va_end(list);
}

/* How many tasks the last statement is about, and how many there are. */
static void parts(struct verify_report *r, uint64_t held, uint64_t all)
{
    if (r->pair_count == 0) return;
    r->pairs[r->pair_count - 1].held = held;
    r->pairs[r->pair_count - 1].all = all;
}

/* What became of task `index` in the proofs of this hour; NULL: it is not opened there. */
static const struct verify_result *opened(const struct verify_report *r, uint64_t index)
{
    for (uint32_t i = 0; i < r->count; i++) {
        const struct verify_file *f = &r->files[i];
        for (uint32_t k = 0; f->kind == VERIFY_KIND_proof && f->read && k < f->task_count; k++)
            if (f->tasks[k].index == index) return &f->tasks[k];
    }
    return NULL;
}

/* How many tasks of all proofs are wrong. */
static uint64_t wrong_count(const struct verify_report *r)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        const struct verify_file *f = &r->files[i];
        if (f->kind == VERIFY_KIND_proof && f->read) count += f->task_count - f->right;
    }
    return count;
}

/* Whether an opened task, of any proof, is none of these. */
static bool opens_other(const struct verify_report *r, const uint64_t *chosen, uint32_t count)
{
    for (uint32_t i = 0; i < r->count; i++) {
        const struct verify_file *f = &r->files[i];
        for (uint32_t k = 0; f->kind == VERIFY_KIND_proof && f->read && k < f->task_count; k++) {
            uint32_t at = 0;
            while (at < count && chosen[at] < f->tasks[k].index) at++;
            if (at == count || chosen[at] != f->tasks[k].index) return true;
        }
    }
    return false;
}

/* The proofs, of which there may be some or all, hold tasks that the verdict's seed chooses and no
 * other, and all are right. */
static void sample_judge(struct verify_report *r, const struct verify_file *f)
{
    const struct verdict *v = &f->note.verdict;
    struct digest seed = sample_seed(&v->root, v->seed);
    uint64_t *chosen = calloc((size_t)v->sampled + 1, sizeof *chosen);
    if (chosen == NULL) {
        together(r, f, NULL, false, "there is no memory for the sample");
        return;
    }
    uint32_t n = sample_choose(&seed, v->tasks, (uint32_t)v->sampled, chosen), held = 0;
    bool other = opens_other(r, chosen, n), right = true;
    for (uint32_t i = 0; i < n; i++) {
        const struct verify_result *t = opened(r, chosen[i]);
        held += t != NULL;
        right = right && (t == NULL || t->outcome == VERIFY_right);
    }
    free(chosen);
    if (other) together(r, f, NULL, false, "the proofs open other tasks than its seed chooses");
    else if (!right) together(r, f, NULL, false, "the proofs show a task that is not right");
    else if (held == n)
        together(r, f, NULL, true, "complete: the proofs open the sample that its seed chooses");
    else
        together(r, f, NULL, true,
                 "INCOMPLETE: %u of the %u sampled tasks are held and checked, and right so far",
                 held, n);
    parts(r, held, n);
}

/* Of an hour that is falsified the wrong tasks are enough: who is caught may open no more, and a
 * wrong task is wrong however it was chosen. */
static void falsified_judge(struct verify_report *r, const struct verify_file *f)
{
    uint64_t shown = wrong_count(r), failed = f->note.verdict.failed;
    if (shown > failed)
        together(r, f, NULL, false, "the proofs show another number of wrong tasks");
    else if (shown == failed)
        together(r, f, NULL, true, "the proofs show the wrong tasks that it found");
    else
        together(r, f, NULL, true, "INCOMPLETE: %" PRIu64 " of the %" PRIu64
                 " wrong tasks that it found are in the proofs", shown, failed);
    parts(r, shown, failed);
}

static void verdict_judge(struct verify_report *r, const struct verify_file *f)
{
    const struct verdict *v = &f->note.verdict;
    bool proofs = false;
    for (uint32_t i = 0; i < r->count; i++)
        proofs = proofs || (r->files[i].kind == VERIFY_KIND_proof && r->files[i].read);
    if (!proofs || v->outcome == PROOF_no_answer) return; /* the note alone */
    if (v->failed != 0) falsified_judge(r, f);
    else sample_judge(r, f);
}

/* All that is of an hour must be of the hour of the first; then what is sampled. */
static void together_judge(struct verify_report *r)
{
    const struct verify_file *first = NULL;
    struct hour x, y;
    bool all = true;
    for (uint32_t i = 0; i < r->count; i++) {
        const struct verify_file *f = &r->files[i];
        if (!hour_of(f, &y)) continue;
        if (first == NULL) {
            first = f;
            x = y;
            continue;
        }
        const char *why = difference(&x, &y);
        all = all && why == NULL;
        together(r, first, f, why == NULL, "%s", why == NULL ? "they are of one hour" : why);
    }
    for (uint32_t i = 0; all && i < r->count; i++)
        if (r->files[i].kind == VERIFY_KIND_verdict && r->files[i].read)
            verdict_judge(r, &r->files[i]);
}

bool verify_good(const struct verify_report *r)
{
    bool good = true;
    for (uint32_t i = 0; i < r->count; i++) good = good && r->files[i].good;
    for (uint32_t i = 0; i < r->pair_count; i++) good = good && r->pairs[i].good;
    return good;
}

bool verify_complete(const struct verify_report *r)
{
    for (uint32_t i = 0; i < r->pair_count; i++)
        if (r->pairs[i].held < r->pairs[i].all) return false;
    return true;
}

/* ---- the command ---- */

static int read_all(struct arguments *a)
{
    for (uint32_t i = 0; i < a->weights_count; i++) {
        struct weights *w = &a->weights[i];
        w->bytes = files_read(w->path, FILE_BYTES_MAX, &w->size);
        if (w->bytes == NULL) {
            (void)fprintf(stderr, "dojima: %s: %s\n", w->path, strerror(errno));
            return -1;
        }
    }
    for (uint32_t i = 0; i < a->report.count; i++) {
        struct verify_file *f = &a->report.files[i];
        f->bytes = files_read(f->path, FILE_BYTES_MAX, &f->size);
        if (f->bytes == NULL) {
            (void)fprintf(stderr, "dojima: %s: %s\n", f->path, strerror(errno));
            return -1;
        }
    }
    return 0;
}

static int run(struct arguments *a)
{
    struct verify_report *r = &a->report;
    if (read_all(a) != 0) return 2;
    for (uint32_t i = 0; i < r->count; i++) file_judge(a, &r->files[i]);
    together_judge(r);
    int status = !verify_good(r) ? 1 : verify_complete(r) ? 0 : INCOMPLETE;
    if (!a->json) verify_print(r, stdout);
    else if (verify_print_json(r, stdout) != 0) status = 2;
    return fflush(stdout) == 0 ? status : 2;
}

/* A verifier's agent is another program under the same name. */
static bool watches(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--watch") == 0) return true;
    }
    return false;
}

int cli_verify(int argc, char **argv)
{
    if (watches(argc, argv)) return verify_watch(argc, argv);
    struct arguments *a = calloc(1, sizeof *a);
    struct timespec now;
    if (a == NULL || sodium_init() < 0) return 2;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    a->at = TS(now.tv_sec * NS_PER_SECOND + now.tv_nsec);
    client_parse(&argp, argc, argv, a);
    int status = run(a);
    for (uint32_t i = 0; i < a->report.count; i++) {
        free(a->report.files[i].bytes);
        free(a->report.files[i].tasks);
    }
    for (uint32_t i = 0; i < a->weights_count; i++) free(a->weights[i].bytes);
    free(a);
    return status;
}
