/* index_aws.c: AWS's spot price history, as `aws ec2 describe-spot-price-history` prints it
 * (INDEX-04): {"SpotPriceHistory": [{AvailabilityZone, InstanceType, ProductDescription, SpotPrice,
 * Timestamp}, ...], "NextToken": ...}, one page, an array of pages, or a page a line.
 *
 * A price holds from its time on; AWS gives them newest first. Times must go one way through the
 * whole file, and an instance type of a zone has one price at a time. Prices are strings there:
 * what is no finite decimal above 0 refuses the file with the entry's number.
 *
 * Upstream: bytes of files. Downstream: index_series.c.
 */
#include "cli/index_series.h"

#include "base/time_text.h"

#include <stdlib.h>
#include <string.h>

/* GPUs by instance type, from AWS's own tables of accelerated instances. */
static const struct {
    const char *type, *gpu;
    double gpus;
} known[] = {
    {"p2.xlarge", "K80", 1},      {"p2.8xlarge", "K80", 8},    {"p2.16xlarge", "K80", 16},
    {"p3.2xlarge", "V100", 1},    {"p3.8xlarge", "V100", 4},   {"p3.16xlarge", "V100", 8},
    {"p3dn.24xlarge", "V100", 8}, {"p4d.24xlarge", "A100", 8}, {"p4de.24xlarge", "A100", 8},
    {"p5.48xlarge", "H100", 8},   {"p5e.48xlarge", "H200", 8}, {"p5en.48xlarge", "H200", 8},
    {"g4dn.xlarge", "T4", 1},     {"g4dn.2xlarge", "T4", 1},   {"g4dn.12xlarge", "T4", 4},
    {"g5.xlarge", "A10G", 1},     {"g5.2xlarge", "A10G", 1},   {"g5.12xlarge", "A10G", 4},
    {"g5.48xlarge", "A10G", 8},   {"g6.xlarge", "L4", 1},      {"g6.12xlarge", "L4", 4},
    {"g6e.xlarge", "L40S", 1},    {"g6e.12xlarge", "L40S", 4}, {"g6e.48xlarge", "L40S", 8},
};

struct entry {
    int64_t ms;
    double price; /* of one GPU */
    uint32_t number;
    uint32_t reserved;
    char zone[32], type[32], product[31];
};

struct pages {
    const struct index_series_options *o;
    const char *file;
    struct quant_error *error;
    struct json json;
    struct entry *entries;
    uint32_t count, capacity, seen;
    bool more; /* the last page has a NextToken */
};

static int bad(struct pages *p, const char *sentence)
{
    return quant_fail(p->error, p->file, 0, "entry %u: %s", p->seen, sentence);
}

/* How many GPUs the type has; 0: not known, or another GPU than asked for. */
static double gpus_of(const struct pages *p, const char *type)
{
    for (uint32_t i = 0; i < p->o->type_count; i++) {
        if (strcmp(p->o->types[i].name, type) == 0) return p->o->types[i].gpus;
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].type, type) != 0) continue;
        bool wanted = p->o->panel.gpu == NULL || strcmp(p->o->panel.gpu, known[i].gpu) == 0;
        return wanted ? known[i].gpus : 0;
    }
    return 0;
}

static bool field(const struct pages *p, uint32_t object, const char *name, char *text, size_t size)
{
    uint32_t token = json_member(&p->json, object, name);
    if (token == 0 || p->json.tokens[token].kind != JSON_string) return false;
    return json_text(&p->json, token, text, size) > 0;
}

static int entry_read(struct pages *p, uint32_t object)
{
    char price[CSV_NUMBER_SIZE], time[40];
    struct entry e = {.number = ++p->seen};
    ts_t ts;
    double value;
    if (p->json.tokens[object].kind != JSON_object ||
        !field(p, object, "AvailabilityZone", e.zone, sizeof e.zone) ||
        !field(p, object, "InstanceType", e.type, sizeof e.type) ||
        !field(p, object, "ProductDescription", e.product, sizeof e.product) ||
        !field(p, object, "SpotPrice", price, sizeof price) ||
        !field(p, object, "Timestamp", time, sizeof time))
        return bad(p, "a field is missing, or no string, or too long");
    double gpus = gpus_of(p, e.type);
    if (gpus <= 0) return 0; /* of no GPU that is asked for */
    if (!quant_number(price, strlen(price), &value) || value <= 0)
        return bad(p, "SpotPrice is no finite decimal above 0");
    if (time_parse(time, strlen(time), &ts) != 0 || ts.v < 0)
        return bad(p, "Timestamp is no time");
    e.ms = ts.v / 1000000;
    e.price = value / gpus;
    if (p->count == PANEL_QUOTES_MAX) return bad(p, "too many entries");
    if (p->count == p->capacity) {
        uint32_t capacity = p->capacity == 0 ? 256 : p->capacity * 2;
        struct entry *moved = realloc(p->entries, capacity * sizeof *moved);
        if (moved == NULL) return bad(p, "no memory");
        p->entries = moved;
        p->capacity = capacity;
    }
    p->entries[p->count++] = e;
    return 0;
}

static int page_read(struct pages *p, uint32_t page)
{
    const struct json_token *tokens = p->json.tokens;
    uint32_t list = tokens[page].kind == JSON_object
                        ? json_member(&p->json, page, "SpotPriceHistory") : 0;
    if (list == 0 || tokens[list].kind != JSON_array)
        return quant_fail(p->error, p->file, 0, "a page has no array SpotPriceHistory");
    for (uint32_t i = list + 1; i < tokens[list].next; i = tokens[i].next) {
        if (entry_read(p, i) != 0) return -1;
    }
    uint32_t next = json_member(&p->json, page, "NextToken");
    p->more = next != 0 && tokens[next].kind == JSON_string && tokens[next].length > 0;
    return 0;
}

static int value_read(struct pages *p)
{
    const struct json_token *tokens = p->json.tokens;
    if (tokens[0].kind != JSON_array) return page_read(p, 0);
    for (uint32_t i = 1; i < tokens[0].next; i = tokens[i].next) {
        if (page_read(p, i) != 0) return -1;
    }
    return 0;
}

static int lines_read(struct pages *p, const char *text, size_t length)
{
    const char *end = text + length;
    for (const char *at = text, *next; at < end; at = next) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline == NULL ? end : newline;
        next = newline == NULL ? end : newline + 1;
        while (at < stop && (*at == ' ' || *at == '\r' || *at == '\t')) at++;
        if (at == stop) continue;
        int status = json_parse(&p->json, at, (size_t)(stop - at));
        if (status != 0)
            return quant_fail(p->error, p->file, 0, "no JSON: %s", json_error_text(status));
        if (value_read(p) != 0) return -1;
    }
    return 0;
}

/* ---- to a panel ---- */

/* 1: they rise; -1: they fall; 0: neither. */
static int direction_of(const struct pages *p)
{
    bool rise = true, fall = true;
    for (uint32_t i = 1; i < p->count; i++) {
        rise = rise && p->entries[i].ms >= p->entries[i - 1].ms;
        fall = fall && p->entries[i].ms <= p->entries[i - 1].ms;
    }
    return rise ? 1 : fall ? -1 : 0;
}

/* A zone's region is its name without the letter: us-east-1a. */
static void region_of(const char *zone, char region[32])
{
    size_t length = strlen(zone);
    memcpy(region, zone, length + 1);
    if (length > 1 && region[length - 1] >= 'a' && region[length - 1] <= 'z')
        region[length - 1] = 0;
}

static int panel_fill(struct pages *p, struct panel *panel)
{
    int direction = direction_of(p);
    if (direction == 0 && !panel->lenient)
        return quant_fail(p->error, p->file, 0, "the entries are not in order of their times");
    for (uint32_t i = 0; i < p->count; i++) {
        const struct entry *e = &p->entries[direction < 0 ? p->count - 1 - i : i];
        char name[PANEL_NAME_SIZE], region[32];
        (void)snprintf(name, sizeof name, "%.31s/%.31s/%.30s", e->zone, e->type, e->product);
        region_of(e->zone, region);
        if (panel_add(panel, p->file, e->number, e->ms, region, name, e->price, p->error) != 0)
            return -1;
    }
    if (panel->quote_count > 0) return 0;
    return quant_fail(p->error, p->file, 0, "no price is left of what was asked for");
}

int index_aws_read(struct panel *panel, const struct index_series_options *o, const char *file,
                   const char *text, size_t length, bool *more, struct quant_error *error)
{
    struct pages p = {.o = o, .file = file, .error = error};
    uint32_t capacity = (uint32_t)(length / 2 + 16);
    if (length == 0 || length > INDEX_FILE_MAX)
        return quant_fail(error, file, 0, "the file is empty, or larger than 64 MB");
    p.json.tokens = malloc(capacity * sizeof *p.json.tokens);
    p.json.capacity = capacity;
    if (p.json.tokens == NULL || panel_open(panel, true, true, o->panel.lenient) != 0) {
        free(p.json.tokens);
        return quant_fail(error, file, 0, "no memory");
    }
    bool one = json_parse(&p.json, text, length) == 0;
    int status = one ? value_read(&p) : lines_read(&p, text, length);
    if (status == 0) status = panel_fill(&p, panel);
    *more = p.more;
    free(p.json.tokens);
    free(p.entries);
    if (status != 0) panel_close(panel);
    return status;
}
