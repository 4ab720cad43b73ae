/* weights_make.c: a buyer's weights for whole-process tests, and what a model of them answers when
 * it is run here, one task after the other, with nothing of the agents.
 *
 * Usage: weights_make make WORKLOAD FILE        the seeded model with a head of its own
 *        weights_make run WORKLOAD FILE ANSWER_TOKENS < PROMPTS     a line of tokens for each line
 *
 * Upstream: work. Downstream: test/node.
 */
#include "work/weights_file_test.h"

#include <stdio.h>

#include "base/random.h"

enum { LINE_SIZE = 65536 };

static int fail(const char *what)
{
    (void)fprintf(stderr, "weights_make: %s\n", what);
    return 1;
}

/* The last matrix of the file: the seeded one would give what the seeded model gives. */
static void head_change(const struct work_workload *w, struct weights_file *f)
{
    struct random r = {.state = 20261123};
    size_t size = (size_t)w->shape.vocabulary * w->shape.width;
    for (size_t i = 0; i < size; i++)
        f->bytes[f->size - size + i] = (uint8_t)((int)random_below(&r, 9) - WORK_WEIGHT_MAX);
}

static int make(const struct work_workload *w, const char *path)
{
    struct work_weights *seeded;
    struct work_error error = {0};
    if (work_weights_seeded(w, &seeded, &error) != 0) return fail(error.text);
    struct weights_file f = weights_file_write(w, seeded);
    work_weights_close(seeded);
    head_change(w, &f);
    FILE *to = fopen(path, "wb");
    bool good = to != NULL && fwrite(f.bytes, 1, f.size, to) == f.size;
    if (to != NULL && fclose(to) != 0) good = false;
    free(f.bytes);
    return good ? 0 : fail("the file cannot be written");
}

static int answer(struct work_engine *e, char *line, uint32_t tokens)
{
    static struct work_result result;
    struct work_error error = {0};
    const struct work_workload *w = work_engine_workload(e);
    uint32_t prompt[WORK_PROMPT_MAX];
    struct digest nonce = {0};
    struct work_spec spec;
    char *end = line;
    work_spec_default(w, &nonce, &spec);
    spec.prompt = prompt;
    spec.answer_count = tokens;
    spec.prompt_count = 0;
    for (char *at = line;; at = end) {
        unsigned long token = strtoul(at, &end, 10);
        if (end == at || spec.prompt_count == WORK_PROMPT_MAX) break;
        prompt[spec.prompt_count++] = (uint32_t)token;
    }
    if (work_task_run(e, &spec, &result, &error) != 0) return fail(error.text);
    for (uint32_t i = 0; i < result.answer.count; i++)
        (void)printf("%s%u", i == 0 ? "" : " ", result.answer.tokens[i]);
    (void)printf("\n");
    return 0;
}

static int run(const struct work_workload *w, const char *path, uint32_t tokens)
{
    static char line[LINE_SIZE];
    struct weights_file f = {.capacity = (size_t)1 << 32};
    struct work_weights *weights;
    struct work_engine *engine;
    struct work_error error = {0};
    FILE *from = fopen(path, "rb");
    f.bytes = from == NULL ? NULL : malloc(f.capacity);
    if (f.bytes == NULL) return fail("the file cannot be read");
    f.size = fread(f.bytes, 1, f.capacity, from);
    (void)fclose(from);
    const struct work_engine_options o = {.slots = 1};
    if (work_weights_bytes(w, f.bytes, f.size, &weights, &error) != 0 ||
        work_engine_open(w, weights, &o, &engine, &error) != 0)
        return fail(error.text);
    int status = 0;
    while (status == 0 && fgets(line, sizeof line, stdin) != NULL)
        status = answer(engine, line, tokens);
    work_engine_close(engine);
    work_weights_close(weights);
    free(f.bytes);
    return status;
}

int main(int argc, char **argv)
{
    const struct work_workload *w = argc < 4 ? NULL : work_workload_named(2026, argv[2]);
    if (w == NULL) return fail("make WORKLOAD FILE, or run WORKLOAD FILE ANSWER_TOKENS");
    if (argc == 4 && strcmp(argv[1], "make") == 0) return make(w, argv[3]);
    if (argc == 5 && strcmp(argv[1], "run") == 0)
        return run(w, argv[3], (uint32_t)strtoul(argv[4], NULL, 10));
    return fail("make or run");
}
