/* certify.c: `dojima certify`: measures what this machine does of a reference workload, and signs
 * it (CERT-01).
 *
 * With a certifier's key, a provider, a resource, a site and a region it writes three files: the
 * certificate (a signed note), the evidence (every figure, as JSON, by its SHA-256 in the
 * certificate) and the page (SVG). The certificate comes last, in one piece: what was interrupted,
 * failed or did not pass leaves none.
 *
 * Upstream: work (certify), proof (certificate). Downstream: files, which the provider submits.
 */
#include "cli/certify.h"
#include "cli/cli.h"

#include "base/decimal.h"
#include "base/time_text.h"
#include "cli/client.h"
#include "cli/files.h"
#include "cli/options.h"
#include "cli/signing_key.h"
#include "proof/certificate.h"
#include "work/backend_gpu.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

enum {
    KEY_GRADE = 900, KEY_SECONDS, KEY_QUICK, KEY_DEVICE, KEY_BACKEND, KEY_THREADS, KEY_SEQUENCES,
    KEY_ROWS, KEY_RATE, KEY_SAMPLES, KEY_SEED, KEY_KEY, KEY_MAKE_KEY, KEY_RESOURCE, KEY_PROVIDER,
    KEY_SITE, KEY_REGION, KEY_DAYS, KEY_OUT, KEY_VINTAGE, KEY_WORKLOAD, KEY_JSON,
    QUICK_SECONDS = 60, SAMPLES = 4, DAYS = 30, VINTAGE = 2026, PATH_SIZE = 1024,
};

struct arguments {
    const char *workload, *device, *backend, *key, *out, *resource, *provider, *site, *region;
    const char *seed;
    int64_t seconds, threads, sequences, rows, samples, days, vintage;
    int64_t rate_e6;
    uint32_t grade;
    bool quick, make_key, json;
    struct signing_key signing;
    struct certify_plan plan;
    struct certify_heading heading;
    ts_t began;
    char shown[16]; /* phase of the progress bar */
    int64_t shown_at;
};

static volatile sig_atomic_t stopped;
static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static const struct argp_option options[] = {
    {"workload", KEY_WORKLOAD, "NAME", 0,
     "What is run [llama-2-70b on a GPU, tinyllama-1.1b on processors]", 1},
    {"grade", KEY_GRADE, "GRADE", 0, "offline, server or interactive [offline]", 1},
    {"seconds", KEY_SECONDS, "N", 0, "How long is measured, 600 at least [600]", 1},
    {"quick", KEY_QUICK, NULL, 0, "A try [60 s]; marked so, and few venues accept it", 1},
    {"vintage", KEY_VINTAGE, "YEAR", 0, "The vintage of the workload [2026]", 1},
    {"device", KEY_DEVICE, "WHICH", 0, "cpu or gpu [the GPU, where there is one]", 2},
    {"backend", KEY_BACKEND, "NAME", 0, "onednn, openblas or plain [the first that is here]", 2},
    {"threads", KEY_THREADS, "N", 0, "Of the processors [all]", 2},
    {"sequences", KEY_SEQUENCES, "N", 0,
     "At once [512 on a GPU, 256 if interactive; 16 on processors]", 2},
    {"rows", KEY_ROWS, "N", 0, "Of one pass, at most [1024, 768 or 256 by grade; 512]", 2},
    {"rate", KEY_RATE, "R", 0, "Queries a second, instead of a search for the highest", 2},
    {"samples", KEY_SAMPLES, "N", 0, "Tasks that are done again by another path [4]", 2},
    {"seed", KEY_SEED, "HEX", 0, "64 digits: arrivals and prompts [drawn]", 2},
    {"key", KEY_KEY, "FILE", 0, "The certifier's key: with it a certificate is signed", 3},
    {"make-key", KEY_MAKE_KEY, NULL, 0, "Make that file when it is not there", 3},
    {"resource", KEY_RESOURCE, "NAME", 0, "What is certified", 3},
    {"provider", KEY_PROVIDER, "ACCOUNT", 0, "The account that may sell it", 3},
    {"site", KEY_SITE, "TEXT", 0, "Where it stands", 3},
    {"region", KEY_REGION, "NAME", 0, "In which region that is", 3},
    {"days", KEY_DAYS, "N", 0, "How long the certificate is valid [30]", 3},
    {"out", KEY_OUT, "FILE", 0, "The certificate; beside it FILE.evidence.json, FILE.svg", 3},
    {"json", KEY_JSON, NULL, 0, "The evidence on standard output instead of the page", 4},
    {0}};

static error_t parse_text(int key, char *text, struct arguments *a)
{
    switch (key) {
    case KEY_WORKLOAD: a->workload = text; return 0;
    case KEY_DEVICE: a->device = text; return 0;
    case KEY_BACKEND: a->backend = text; return 0;
    case KEY_SEED: a->seed = text; return 0;
    case KEY_KEY: a->key = text; return 0;
    case KEY_MAKE_KEY: a->make_key = true; return 0;
    case KEY_RESOURCE: a->resource = text; return 0;
    case KEY_PROVIDER: a->provider = text; return 0;
    case KEY_SITE: a->site = text; return 0;
    case KEY_REGION: a->region = text; return 0;
    case KEY_OUT: a->out = text; return 0;
    case KEY_QUICK: a->quick = true; return 0;
    case KEY_JSON: a->json = true; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case KEY_GRADE: a->grade = option_grade(state, text); return 0;
    case KEY_SECONDS: a->seconds = option_whole(state, "seconds", text, 1, 86400); return 0;
    case KEY_VINTAGE: a->vintage = option_whole(state, "vintage", text, 1, 9999); return 0;
    case KEY_THREADS: a->threads = option_whole(state, "threads", text, 1, 256); return 0;
    case KEY_SEQUENCES:
        a->sequences = option_whole(state, "sequences", text, 1, 4096);
        return 0;
    case KEY_ROWS: a->rows = option_whole(state, "rows", text, 16, 65536); return 0;
    case KEY_SAMPLES:
        a->samples = option_whole(state, "samples", text, 1, CERTIFY_SAMPLES_MAX);
        return 0;
    case KEY_DAYS: a->days = option_whole(state, "days", text, 1, 366); return 0;
    case KEY_RATE:
        if (decimal_parse(text, strlen(text), 6, &a->rate_e6) != DECIMAL_exact || a->rate_e6 < 1 ||
            a->rate_e6 > INT64_C(100000000000))
            argp_error(state, "--rate is a number above 0, at most 100000");
        return 0;
    case ARGP_KEY_ARG: argp_usage(state); return 0;
    default: return parse_text(key, text, a);
    }
}

static const struct argp argp = {
    .options = options, .parser = parse,
    .doc = "Measure what this machine does of a reference workload, and certify it.\vWithout --key "
           "nothing is signed: the page alone is shown. Interrupted (Ctrl-C), no certificate is "
           "left. docs/certification.md says how it is measured."};

static int said(const char *text)
{
    (void)fprintf(stderr, "dojima certify: %s\n", text);
    return 1;
}

/* ---- progress ---- */

static bool terminal(void) { return uv_guess_handle(fileno(stderr)) == UV_TTY; }

/* A bar on a terminal; a line for each phase elsewhere. */
static void progress(void *context, const struct certify_progress *p)
{
    enum { BAR = 30 };
    struct arguments *a = context;
    char flops[CERTIFY_NUMBER_SIZE], rate[CERTIFY_NUMBER_SIZE] = "", bar[BAR + 1];
    if (!terminal()) {
        if (strcmp(a->shown, p->phase) == 0) return;
        (void)fprintf(stderr, "%s\n", p->phase);
        (void)snprintf(a->shown, sizeof a->shown, "%s", p->phase);
        return;
    }
    for (int i = 0; i < BAR; i++) bar[i] = i < (int)(p->share * BAR) ? '#' : '.';
    bar[BAR] = 0;
    if (p->rate > 0) (void)snprintf(rate, sizeof rate, " at %.4g/s", p->rate);
    (void)fprintf(stderr, "\r\033[K%-8s [%s] %3.0f%%%s", p->phase, bar, 100 * p->share, rate);
    if (p->arrived > 0)
        (void)fprintf(stderr, "  %" PRIu32 "/%" PRIu32 " tasks, %" PRIu32 " over, %s", p->done,
                      p->arrived, p->over, certify_rate(flops, p->flops));
    (void)fflush(stderr);
}

/* ---- files ---- */

static int file_put(const char *path, const char *bytes, size_t size)
{
    if (files_write(path, bytes, size)) return 0;
    (void)fprintf(stderr, "dojima certify: %s cannot be written\n", path);
    return 1;
}

typedef void writer(FILE *to, const struct certify_heading *h, const struct certify_result *r);

static int written(writer *write, const struct certify_heading *h, const struct certify_result *r,
                   const char *path, struct digest *digest)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&bytes, &size);
    if (f == NULL) return said("no memory");
    write(f, h, r);
    int status = fclose(f) == 0 ? 0 : said("no memory");
    if (status == 0 && digest != NULL) *digest = digest_of(bytes, size);
    if (status == 0 && path != NULL) status = file_put(path, bytes, size);
    free(bytes);
    return status;
}

static void certificate_fill(struct certificate *c, const struct arguments *a,
                             const struct certify_result *r, const struct digest *evidence)
{
    int64_t now = (int64_t)time(NULL) * NS_PER_SECOND, valid = a->days * NS_PER_DAY;
    *c = (struct certificate){
        .vintage = a->plan.vintage, .grade = a->grade, .work = (uint64_t)r->work_per_hour,
        .duration_s = (uint32_t)r->phases[r->chosen].seconds, .quick = a->plan.quick,
        .issued = TS(now), .expires = TS(now + valid)};
    if (c->duration_s < 1) c->duration_s = 1;
    (void)snprintf(c->resource, sizeof c->resource, "%s", a->resource);
    (void)snprintf(c->provider, sizeof c->provider, "%s", a->provider);
    (void)snprintf(c->site, sizeof c->site, "%s", a->site);
    (void)snprintf(c->region, sizeof c->region, "%s", a->region);
    (void)snprintf(c->hardware, sizeof c->hardware, "%s", a->heading.hardware);
    memcpy(c->evidence, evidence->v, sizeof c->evidence);
    memcpy(c->certifier, a->signing.key, sizeof c->certifier);
}

static int certificate_write(const struct arguments *a, const struct certify_result *r,
                             const struct digest *evidence)
{
    struct certificate c;
    struct note_error error;
    char text[NOTE_SIZE_MAX];
    certificate_fill(&c, a, r, evidence);
    if (certificate_check(&c, &error) != 0) return said(error.text);
    if (!certificate_sign(&c, a->signing.secret)) return said("the key does not sign");
    return file_put(a->out, text, certificate_encode(&c, text));
}

/* Evidence and page in any case; the certificate when it passed and nobody has interrupted. */
static int papers_write(struct arguments *a, const struct certify_result *r)
{
    char path[PATH_SIZE];
    struct digest evidence;
    (void)snprintf(path, sizeof path, "%s.evidence.json", a->out);
    if (written(certify_evidence, &a->heading, r, path, &evidence) != 0) return 1;
    digest_text(a->heading.evidence, &evidence);
    (void)snprintf(path, sizeof path, "%s.svg", a->out);
    if (written(certify_svg, &a->heading, r, path, NULL) != 0) return 1;
    if (!r->passed || a->key == NULL) return 0;
    if (stopped != 0) return said("stopped: no certificate");
    if (certificate_write(a, r, &evidence) != 0) return 1;
    if (!a->json) (void)printf("  %-11s %s, evidence %s\n", "signed", a->out, a->heading.evidence);
    return 0;
}

/* ---- the plan ---- */

static int backend_choose(struct arguments *a)
{
    struct work_error error = {0};
    bool asked = a->device != NULL && strcmp(a->device, "gpu") == 0;
    if (a->device != NULL && !asked && strcmp(a->device, "cpu") != 0)
        return said("--device is cpu or gpu");
    if (a->backend == NULL && (asked || a->device == NULL)) {
        if (backend_find("gpu", &a->plan.backend, &error) == 0) return 0;
        if (asked) return said(error.text);
        (void)fprintf(stderr, "dojima certify: %s; on the processors, then\n", error.text);
    }
    error = (struct work_error){0};
    if (backend_find(a->backend, &a->plan.backend, &error) != 0) return said(error.text);
    return 0;
}

static int workload_choose(struct arguments *a)
{
    static const uint32_t bits[] = {WORK_GRADE_offline, WORK_GRADE_server, WORK_GRADE_interactive};
    struct certify_plan *p = &a->plan;
    const char *name = a->workload;
    if (name == NULL) name = p->backend == &backend_gpu ? "llama-2-70b" : "tinyllama-1.1b";
    if (work_vintage_find((uint32_t)a->vintage) == NULL) return said("there is no such vintage");
    p->vintage = (uint32_t)a->vintage;
    p->workload = work_workload_named(p->vintage, name);
    if (p->workload == NULL) return said("there is no such workload in this vintage");
    if (p->workload->test && !a->quick)
        return said("a workload for tests is run with --quick only: it certifies nothing");
    if (!p->workload->test && (p->workload->grades & bits[a->grade]) == 0)
        return said("this grade is not certified with this workload");
    if (p->workload->kind == WORK_KIND_gemm && a->grade != GRADE_offline)
        return said("products have no latency grade");
    return 0;
}

static int seed_choose(struct arguments *a)
{
    if (a->seed == NULL) randombytes_buf(a->plan.seed.v, DIGEST_BYTES);
    else if (!hex_read(a->plan.seed.v, DIGEST_BYTES, a->seed, strlen(a->seed)))
        return said("--seed is 64 hexadecimal digits");
    return 0;
}

/* What a certificate must name is looked at before ten minutes are spent. */
static int certificate_possible(struct arguments *a)
{
    char error[256] = "";
    struct note_error wrong;
    struct certificate c;
    struct digest none = {{0}};
    if (a->key == NULL) return 0;
    if (a->out == NULL || a->resource == NULL || a->provider == NULL || a->site == NULL ||
        a->region == NULL)
        return said("a certificate wants --resource, --provider, --site, --region and --out");
    if (strlen(a->out) > PATH_SIZE - 32) return said("--out is too long");
    if (strlen(a->resource) >= sizeof c.resource || strlen(a->provider) >= sizeof c.provider ||
        strlen(a->site) >= sizeof c.site || strlen(a->region) >= sizeof c.region)
        return said("--resource, --provider, --site or --region is too long");
    if (signing_key_read(a->key, a->make_key, &a->signing, error, sizeof error) != 0)
        return said(error);
    struct certify_result like = {.chosen = 0, .work_per_hour = 1};
    (void)snprintf(a->heading.hardware, sizeof a->heading.hardware, "x");
    certificate_fill(&c, a, &like, &none);
    return certificate_check(&c, &wrong) == 0 ? 0 : said(wrong.text);
}

static int plan_make(struct arguments *a)
{
    struct certify_plan *p = &a->plan;
    if (sodium_init() < 0) return said("no entropy");
    if (a->seconds == 0) a->seconds = a->quick ? QUICK_SECONDS : CERTIFY_SECONDS;
    if (a->seconds < CERTIFY_SECONDS && !a->quick)
        return said("less than 600 s is a try: it needs --quick (CERT-01)");
    p->grade = a->grade;
    p->seconds = (uint32_t)a->seconds;
    p->quick = a->quick;
    p->rate = (double)a->rate_e6 / 1e6;
    p->samples = (uint32_t)a->samples;
    p->slots = (uint32_t)a->sequences;
    p->rows_max = (uint32_t)a->rows;
    p->backend_options = (struct backend_options){.threads = (uint32_t)a->threads};
    p->progress = progress;
    p->context = a;
    p->stop = &stopped;
    if (seed_choose(a) != 0 || certificate_possible(a) != 0 || backend_choose(a) != 0) return 1;
    return workload_choose(a);
}

static void heading_make(struct arguments *a, const struct certify_result *r)
{
    struct certify_heading *h = &a->heading;
    h->plan = &a->plan;
    h->resource = a->resource;
    h->provider = a->provider;
    h->site = a->site;
    h->region = a->region;
    (void)time_format(h->started, a->began);
    hardware_line(h->hardware, sizeof h->hardware, &r->hardware, r->has_gpu ? &r->gpu : NULL);
}

static int measured(struct arguments *a, struct certify_result *r)
{
    struct work_error error = {0};
    int status = certify_measure(&a->plan, r, &error);
    if (terminal()) (void)fputs("\r\033[K", stderr);
    if (status < 0) return said(error.text);
    if (status > 0 || stopped != 0) return said("stopped: no certificate");
    heading_make(a, r);
    if (a->json) certify_evidence(stdout, &a->heading, r);
    else certify_page(stdout, &a->heading, r);
    if (a->out != NULL && papers_write(a, r) != 0) return 1;
    if (!r->passed) return 1;
    if (a->key == NULL && !a->json) (void)printf("  %-11s no: there is no --key\n", "signed");
    return 0;
}

int cli_certify(int argc, char **argv)
{
    struct arguments a = {.samples = SAMPLES, .days = DAYS, .vintage = VINTAGE,
                          .began = TS((int64_t)time(NULL) * NS_PER_SECOND)};
    client_parse(&argp, argc, argv, &a);
    if (plan_make(&a) != 0) return 1;
    struct certify_result *r = calloc(1, sizeof *r);
    if (r == NULL) return said("no memory");
    (void)signal(SIGINT, on_signal);
    (void)signal(SIGTERM, on_signal);
    int status = measured(&a, r);
    certify_free(r);
    free(r);
    sodium_memzero(&a.signing, sizeof a.signing);
    return status;
}
