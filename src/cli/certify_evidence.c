/* certify_evidence.c: the raw figures of a certification as JSON; see certify.h, and
 * docs/certification.md for the members.
 *
 * Times are whole nanoseconds since the phase began, work is whole FLOP. The text is ASCII: what
 * the machine says of itself has been made printable (certify_hardware.h), and quotes in it are
 * written as JSON wants them.
 */
#include "cli/certify.h"

#include "msg/compute.h"

#include <inttypes.h>

static void text(FILE *f, const char *name, const char *value)
{
    (void)fprintf(f, "\"%s\":\"", name);
    for (const char *p = value != NULL ? value : ""; *p != 0; p++) {
        if (*p == '"' || *p == '\\') (void)fputc('\\', f);
        (void)fputc(*p, f);
    }
    (void)fputs("\",", f);
}

static void digest(FILE *f, const char *name, const struct digest *d)
{
    char hex[DIGEST_TEXT_SIZE];
    digest_text(hex, d);
    (void)fprintf(f, "\"%s\":\"%s\",", name, hex);
}

static void hardware(FILE *f, const struct certify_result *r)
{
    const struct hardware *h = &r->hardware;
    (void)fputs("\"hardware\":{", f);
    text(f, "processor", h->processor);
    text(f, "features", h->features);
    (void)fprintf(f, "\"threads\":%" PRIu32 ",\"cores\":%" PRIu32 ",\"sockets\":%" PRIu32
                  ",\"memory\":%" PRIu64 ",", h->threads, h->cores, h->sockets, h->memory);
    text(f, "hypervisor", h->hypervisor);
    text(f, "kernel", h->kernel);
    text(f, "driver", h->driver);
    (void)fputs("\"pci\":[", f);
    for (uint32_t i = 0; i < h->device_count; i++)
        (void)fprintf(f, "%s{\"address\":\"%s\",\"vendor\":\"%04" PRIx32 "\",\"device\":\"%04"
                      PRIx32 "\",\"class\":\"%06" PRIx32 "\"}", i > 0 ? "," : "",
                      h->devices[i].address, h->devices[i].vendor, h->devices[i].device,
                      h->devices[i].class);
    (void)fputs("]},", f);
    if (!r->has_gpu) return;
    (void)fputs("\"gpu\":{", f);
    text(f, "vendor", r->gpu.vendor);
    text(f, "name", r->gpu.name);
    text(f, "address", r->gpu.address);
    text(f, "driver", r->gpu.driver);
    text(f, "blas", r->gpu.blas);
    (void)fprintf(f, "\"memory\":%" PRIu64 ",\"processors\":%" PRId32 "},", r->gpu.memory,
                  r->gpu.processors);
}

static void products(FILE *f, const struct certify_result *r)
{
    (void)fputs("\"products\":[", f);
    for (uint32_t i = 0; i < r->product_count; i++) {
        const struct certify_product *p = &r->products[i];
        (void)fputs(i > 0 ? ",{" : "{", f);
        text(f, "library", p->library);
        text(f, "precision", p->precision);
        (void)fprintf(f, "\"rows\":%" PRIu32 ",\"depth\":%" PRIu32 ",\"columns\":%" PRIu32
                      ",\"gflop_per_second\":%.1f,\"exact\":%s,\"used\":%s}", p->rows, p->depth,
                      p->columns, p->flops / 1e9, p->exact ? "true" : "false",
                      p->used ? "true" : "false");
    }
    (void)fputs("],", f);
}

static void quantile(FILE *f, const char *name, const struct quantile *q)
{
    (void)fprintf(f, "\"%s\":{\"ns\":%" PRId64, name, q->value);
    if (q->low != INT64_MIN) (void)fprintf(f, ",\"low\":%" PRId64, q->low);
    if (q->high != INT64_MAX) (void)fprintf(f, ",\"high\":%" PRId64, q->high);
    (void)fputs("},", f);
}

static void latency(FILE *f, const char *name, const struct certify_latency *l)
{
    (void)fprintf(f, "\"%s\":{", name);
    quantile(f, "p50", &l->p50);
    quantile(f, "p90", &l->p90);
    quantile(f, "p99", &l->p99);
    (void)fprintf(f, "\"bound\":%" PRId64 ",\"over\":%" PRIu32 ",\"count\":%" PRIu32
                  ",\"kept\":%s,\"shown\":%s},", l->bound, l->over, l->count,
                  l->kept ? "true" : "false", l->shown ? "true" : "false");
}

static void phase(FILE *f, const struct certify_phase *p)
{
    char hex[DIGEST_TEXT_SIZE];
    (void)fprintf(f, "{\"name\":\"%s\",\"number\":%" PRIu32 ",\"rate\":%.6f,\"seconds\":%.6f,"
                  "\"flop\":%.0f,\"tokens\":%" PRIu64 ",\"passes\":%" PRIu64 ",\"rows\":%" PRIu64
                  ",\"passed\":%s,\"given_up\":%s,", p->name, p->number, p->rate, p->seconds,
                  p->flop, p->tokens, p->passes, p->rows, p->passed ? "true" : "false",
                  p->given_up ? "true" : "false");
    if (p->rate > 0) {
        latency(f, "ttft", &p->ttft);
        latency(f, "tpot", &p->tpot);
    }
    (void)fputs("\"queries\":[", f);
    for (uint32_t i = 0; i < p->count; i++) {
        const struct load_query *q = &p->queries[i];
        digest_text(hex, &q->transcript);
        (void)fprintf(f, "%s\n[%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRIu32 ",\"%s\"]",
                      i > 0 ? "," : "", q->arrived, q->first, q->last, q->tokens, hex);
    }
    (void)fputs("]}", f);
}

static void quality(FILE *f, const struct certify_result *r)
{
    (void)fputs("\"quality\":{", f);
    text(f, "by", r->other);
    (void)fprintf(f, "\"again\":%" PRIu32 ",\"equal\":%" PRIu32 ",\"tasks\":[", r->sampled,
                  r->equal);
    for (uint32_t i = 0; i < r->sampled; i++)
        (void)fprintf(f, "%s[%" PRIu32 ",%" PRIu32 "]", i > 0 ? "," : "",
                      r->phases[r->sample_phase[i]].number, r->sample_query[i]);
    (void)fputs("]},", f);
}

void certify_evidence(FILE *f, const struct certify_heading *h, const struct certify_result *r)
{
    const struct certify_plan *plan = h->plan;
    struct digest vintage = work_vintage_digest(work_vintage_find(plan->vintage));
    (void)fputs("{\"dojima_evidence\":1,\n", f);
    text(f, "started", h->started);
    text(f, "resource", h->resource);
    text(f, "provider", h->provider);
    text(f, "site", h->site);
    text(f, "region", h->region);
    (void)fprintf(f, "\"vintage\":%" PRIu32 ",", plan->vintage);
    digest(f, "vintage_digest", &vintage);
    text(f, "workload", plan->workload->name);
    text(f, "grade", grade_name(plan->grade));
    digest(f, "seed", &plan->seed);
    (void)fprintf(f, "\"quick\":%s,\"seconds\":%" PRIu32 ",\"sequences\":%" PRIu32 ",\"rows\":%"
                  PRIu32 ",\"load_seconds\":%.3f,\n", plan->quick ? "true" : "false",
                  plan->seconds, r->slots, r->rows_max, r->load_seconds);
    hardware(f, r);
    (void)fputs("\n\"backend\":{", f);
    text(f, "name", r->backend.name);
    text(f, "kernel", r->backend.kernel);
    text(f, "precision", r->backend.precision);
    (void)fprintf(f, "\"threads\":%" PRIu32 "},\n", r->backend.threads);
    products(f, r);
    (void)fputs("\n\"phases\":[", f);
    for (uint32_t i = 0; i < r->phase_count; i++) {
        (void)fputs(i > 0 ? ",\n" : "\n", f);
        phase(f, &r->phases[i]);
    }
    (void)fputs("],\n", f);
    quality(f, r);
    text(f, "reason", r->reason);
    (void)fprintf(f, "\n\"chosen\":%" PRIu32 ",\"share_of_peak\":%.4f,\"work_per_hour\":%" PRId64
                  ",\"passed\":%s}\n", r->chosen >= 0 ? r->phases[r->chosen].number : 0, r->share,
                  r->work_per_hour, r->passed ? "true" : "false");
}
