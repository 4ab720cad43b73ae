/* intake_tasks.c: which task an hour's index is, and what becomes of the answers.
 *
 * Without prompts every task is the one that the workload is certified with, under a nonce of its
 * own. With prompts the buyer's are taken one after the other over all hours, each asked once; when
 * they are used up they begin anew, sampled instead of taken greedily, so that no task is another's
 * twin. Hours take them in chunks: those of a chunk that an hour did not come to are passed over.
 *
 * A prompts file has a line a prompt: token numbers with spaces between. '#' begins a comment.
 */
#include "cli/agent_weights.h"
#include "cli/files.h"
#include "cli/intake.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 8 * WORK_PROMPT_MAX, TEMPERATURE_ONE = 65536,
       CHUNK = 16 };
#define PROMPTS_MAX UINT64_C(10000000)
#define TOKENS_MAX UINT64_C(1000000000)

/* ---- files ---- */

static bool line_take(struct prompts *p, char *line, uint64_t *capacity)
{
    uint64_t at = p->begin[p->count], first = at;
    line[strcspn(line, "#")] = 0;
    char *text = line, *end = NULL;
    for (;;) {
        unsigned long token = strtoul(text, &end, 10);
        if (end == text) break;
        if (token > UINT32_MAX || at - first == WORK_PROMPT_MAX || at == TOKENS_MAX) return false;
        if (at == *capacity) {
            uint64_t more = *capacity == 0 ? 4096 : *capacity * 2;
            uint32_t *tokens = realloc(p->tokens, more * sizeof *tokens);
            if (tokens == NULL) return false;
            p->tokens = tokens;
            *capacity = more;
        }
        p->tokens[at++] = (uint32_t)token;
        text = end;
    }
    if (text[strspn(text, " \t\r\n")] != 0) return false;
    if (at == first) return true;
    uint64_t *begin = realloc(p->begin, (p->count + 2) * sizeof *begin);
    if (begin == NULL || p->count == PROMPTS_MAX) return false;
    p->begin = begin;
    p->begin[++p->count] = at;
    return true;
}

/* The last prompt as it would be asked for: nobody is to hear of it only in the hour. */
static bool prompt_check(const struct intake *n, struct work_error *why)
{
    static const struct digest nonce;
    const struct prompts *p = &n->prompts;
    const struct work_workload *w = intake_workload(n, n->vintage);
    struct work_spec spec;
    if (w == NULL || w->kind != WORK_KIND_decoder) return true;
    work_spec_default(w, &nonce, &spec);
    spec.prompt = p->tokens + p->begin[p->count - 1];
    spec.prompt_count = (uint32_t)(p->begin[p->count] - p->begin[p->count - 1]);
    if (n->answer_tokens != 0) spec.answer_count = n->answer_tokens;
    if (spec.prompt_count > w->prompt_count)
        (void)work_fail(why, "it has %u tokens; %s takes %u at most", spec.prompt_count, w->name,
                        w->prompt_count);
    return why->text[0] == 0 && work_spec_check(&spec, why) == 0;
}

/* A whole line; false: there is none, or (*whole is false then) it is too long. */
static bool line_read(FILE *f, char *line, bool *whole)
{
    if (fgets(line, LINE_MAX_BYTES, f) == NULL) return false;
    *whole = strchr(line, '\n') != NULL || feof(f) != 0;
    return *whole;
}

static bool prompts_read(struct intake *n, char *error, size_t size)
{
    struct prompts *p = &n->prompts;
    uint64_t capacity = 0, number = 0;
    FILE *f = fopen(n->prompts_path, "r");
    char *line = malloc(LINE_MAX_BYTES);
    p->begin = calloc(1, sizeof *p->begin);
    bool good = f != NULL && line != NULL && p->begin != NULL, whole = true;
    if (!good) (void)snprintf(error, size, "%.150s cannot be read", n->prompts_path);
    while (good && line_read(f, line, &whole)) {
        struct work_error why = {0};
        uint64_t before = p->count;
        number += 1;
        good = line_take(p, line, &capacity);
        if (!good) (void)work_fail(&why, "at most %d token numbers", WORK_PROMPT_MAX);
        else if (p->count > before) good = prompt_check(n, &why);
        if (!good) (void)snprintf(error, size, "%.100s, line %llu: %.120s", n->prompts_path,
                                  (unsigned long long)number, why.text);
    }
    if (good && (!whole || p->count == 0)) {
        good = false;
        (void)snprintf(error, size, whole ? "%.150s holds no prompt" : "%.150s: a line is too long",
                       n->prompts_path);
    }
    if (f != NULL) (void)fclose(f);
    free(line);
    return good;
}

static bool weights_read(struct intake *n, char *error, size_t size)
{
    struct work_weights *weights = NULL;
    struct work_error why = {0};
    const struct work_workload *w = intake_workload(n, n->vintage);
    if (w == NULL) {
        (void)snprintf(error, size, "--weights needs --workload: which model they are of");
        return false;
    }
    n->weights = agent_weights_read(n->weights_path, w, &n->weights_size, &why);
    if (n->weights == NULL) {
        (void)snprintf(error, size, "%s", why.text);
        return false;
    }
    if (work_weights_bytes(w, n->weights, n->weights_size, &weights, &why) != 0) {
        (void)snprintf(error, size, "%.150s: %.100s", n->weights_path, why.text);
        return false;
    }
    n->weights_digest = work_weights_digest(weights);
    work_weights_close(weights);
    return true;
}

bool intake_load(struct intake *n, char *error, size_t size)
{
    if (n->prompts_path != NULL && !prompts_read(n, error, size)) return false;
    return n->weights_path == NULL || weights_read(n, error, size);
}

/* ---- tasks ---- */

/* The workload asked for; else the vintage's first that may stand for something, a decoder where
 * there are prompts. */
const struct work_workload *intake_workload(const struct intake *n, uint32_t vintage)
{
    if (n->workload != NULL)
        return work_workload_named(vintage, n->workload);
    const struct work_vintage *v = work_vintage_find(vintage);
    for (uint32_t i = 0; v != NULL && i < v->count; i++) {
        const struct work_workload *w = &v->workloads[i];
        bool decoder = w->kind == WORK_KIND_decoder;
        if ((w->grades & WORK_GRADE_offline) != 0 && !w->test &&
            decoder == (n->prompts.count > 0)) return w;
    }
    return NULL;
}

/* Prompts are given out in chunks, so that hours side by side do not share any: the number, over
 * all hours, of the first prompt of a chunk of this hour's. */
static bool chunk_base(struct intake *n, const struct agent_hour *at, uint64_t chunk,
                       uint64_t *base)
{
    static const struct agent_hour all = {0, 0};
    char name[40], text[32], next[32] = "0";
    (void)snprintf(name, sizeof name, "prompts-%llu", (unsigned long long)chunk);
    if (agent_store_note_get(n->agent.store, at, name, text, sizeof text) > 0) {
        *base = strtoull(text, NULL, 10);
        return true;
    }
    bool kept = true;
    agent_store_begin(n->agent.store); /* another hour takes none in between */
    if (agent_store_note_get(n->agent.store, at, name, text, sizeof text) == 0) {
        (void)agent_store_note_get(n->agent.store, &all, "next-prompt", next, sizeof next);
        (void)snprintf(text, sizeof text, "%s", next);
        (void)snprintf(next, sizeof next, "%llu", strtoull(text, NULL, 10) + CHUNK);
        kept = agent_store_note_set(n->agent.store, &all, "next-prompt", next) &&
               agent_store_note_put(n->agent.store, at, name, text) == AGENT_STORE_new;
    }
    *base = strtoull(text, NULL, 10);
    return agent_store_commit(n->agent.store) && kept;
}

static bool prompt_put(struct intake *n, const struct work_workload *w,
                       const struct agent_hour *at, uint64_t index, struct work_spec *spec,
                       uint32_t prompt[WORK_PROMPT_MAX])
{
    uint64_t base;
    if (!chunk_base(n, at, index / CHUNK, &base)) return false;
    uint64_t number = base + index % CHUNK, which = number % n->prompts.count;
    uint64_t from = n->prompts.begin[which], count = n->prompts.begin[which + 1] - from;
    if (count > w->prompt_count) count = w->prompt_count; /* of a vintage that was not checked */
    for (uint64_t i = 0; i < count; i++) prompt[i] = n->prompts.tokens[from + i];
    spec->prompt_count = (uint32_t)count;
    spec->prompt = prompt;
    spec->temperature = number < n->prompts.count ? 0 : TEMPERATURE_ONE;
    return true;
}

bool intake_spec(struct intake *n, uint32_t vintage, const struct agent_hour *at, uint64_t index,
                 struct work_spec *spec, uint32_t prompt[WORK_PROMPT_MAX])
{
    struct work_error error = {0};
    const struct work_workload *w = intake_workload(n, vintage);
    struct digest nonce = commit_nonce(at->allocation, at->hour, index);
    if (w == NULL) return false;
    work_spec_default(w, &nonce, spec);
    spec->weights = n->weights_digest;
    if (n->prompts.count > 0 && w->kind == WORK_KIND_decoder &&
        !prompt_put(n, w, at, index, spec, prompt))
        return false;
    if (n->answer_tokens != 0 && w->kind == WORK_KIND_decoder)
        spec->answer_count = n->answer_tokens;
    if (work_spec_check(spec, &error) == 0) return true;
    agent_say(&n->agent, "task %llu cannot be asked for: %s", (unsigned long long)index,
              error.text);
    return false;
}

/* ---- what becomes of the answers ---- */

static void answer_line(FILE *f, const struct agent_task *t)
{
    struct work_answer *a = malloc(sizeof *a);
    struct work_error error = {0};
    char hex[DIGEST_TEXT_SIZE];
    if (a != NULL && work_answer_decode(t->answer, t->answer_size, a, &error) == 0) {
        digest_text(hex, &a->product);
        if (a->count == 0) (void)fprintf(f, "%s", hex);
        for (uint32_t i = 0; i < a->count; i++)
            (void)fprintf(f, "%s%u", i == 0 ? "" : " ", a->tokens[i]);
    }
    (void)fputc('\n', f);
    free(a);
}

bool intake_answers_write(struct intake *n, const struct agent_hour *at, uint64_t tasks)
{
    char path[4400], made[4500];
    (void)snprintf(path, sizeof path, "%s/answers", n->agent.data);
    files_directory_make(path);
    (void)snprintf(path, sizeof path, "%s/answers/%llu-%lld.txt", n->agent.data,
                   (unsigned long long)at->allocation, (long long)at->hour);
    (void)snprintf(made, sizeof made, "%s.part", path);
    FILE *f = fopen(made, "w");
    bool good = f != NULL;
    for (uint64_t i = 0; i < tasks && good; i++) {
        struct agent_task t;
        uint8_t *bytes;
        good = agent_store_task_get(n->agent.store, at, i, &t, &bytes);
        if (good) answer_line(f, &t);
        free(bytes);
    }
    if (f != NULL && fclose(f) != 0) good = false;
    return good && rename(made, path) == 0;
}
