/* proof.c: see proof.h, which has the format. */
#include "proof/proof.h"

#include "base/assert.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are read as they lie");

static const char MAGIC[] = "dojproof";
enum { MAGIC_SIZE = 8, VERSION = 1, HEADER_SIZE = 80, TASK_SIZE = 40, STEP_SIZE = 16,
       OPENED_AT = 40 };
static const size_t LIMIT = (size_t)1 << 40;

__attribute__((format(printf, 3, 4)))
static int fail(struct proof_error *e, uint64_t at, const char *format, ...)
{
    if (e == NULL) return -1;
    e->at = at;
    va_list list;
    va_start(list, format);
    (void)vsnprintf(e->text, sizeof e->text, format, list);
    va_end(list);
    return -1;
}

static size_t padded(size_t size) { return (size + 7) & ~(size_t)7; }

/* ---- reading ---- */

/* `size` bytes and what pads them, which must be zero; NULL: they are not there, or it is not. */
static const uint8_t *take(const uint8_t *bytes, size_t size, size_t *at, size_t wanted)
{
    if (wanted > size - *at || padded(wanted) > size - *at) return NULL;
    const uint8_t *found = bytes + *at;
    for (size_t i = wanted; i < padded(wanted); i++)
        if (found[i] != 0) return NULL;
    *at += padded(wanted);
    return found;
}

static uint32_t get32(const uint8_t *from)
{
    uint32_t v;
    memcpy(&v, from, sizeof v);
    return v;
}

static uint64_t get64(const uint8_t *from)
{
    uint64_t v;
    memcpy(&v, from, sizeof v);
    return v;
}

bool proof_recognised(const void *bytes, size_t size)
{
    return size >= MAGIC_SIZE && memcmp(bytes, MAGIC, MAGIC_SIZE) == 0;
}

int proof_parse(struct proof *p, const void *bytes, size_t size, struct proof_error *error)
{
    ASSERT(((uintptr_t)bytes & 7) == 0);
    *p = (struct proof){.bytes = bytes, .size = size};
    struct proof_header *h = &p->header;
    if (!proof_recognised(bytes, size < MAGIC_SIZE ? 0 : size))
        return fail(error, 0, "does not begin with `dojproof`");
    const uint8_t *b = take(p->bytes, size, &p->at, HEADER_SIZE);
    if (b == NULL) return fail(error, size, "ends within its header");
    if (get32(b + 8) != VERSION) return fail(error, 8, "is of version %u, not 1", get32(b + 8));
    h->vintage = get32(b + 12);
    h->allocation = get64(b + 16);
    h->hour = (int64_t)get64(b + 24);
    h->tasks = get64(b + 32);
    h->opened = get32(b + OPENED_AT);
    memcpy(h->root.v, b + 48, DIGEST_BYTES);
    if (h->hour < 0 || h->hour > INT64_MAX / NS_PER_HOUR - 1)
        return fail(error, 24, "names an hour that no clock shows");
    if (h->allocation > INT64_MAX || h->tasks == 0 || h->tasks > INT64_MAX)
        return fail(error, 32, "has no tasks, or a number that is beyond 2^63");
    if (h->opened == 0 || h->opened > PROOF_OPENED_MAX || h->opened > h->tasks)
        return fail(error, OPENED_AT, "opens %u of %llu tasks, at most %d", h->opened,
                    (unsigned long long)h->tasks, PROOF_OPENED_MAX);
    if (get32(b + OPENED_AT + 4) != 0) return fail(error, OPENED_AT + 4, "uses what is reserved");
    return 0;
}

/* The next step's numbers and matrices; false with a reason. */
static bool step_read(const uint8_t *bytes, size_t size, size_t *at, struct commit_step *s,
                      const char **why)
{
    const uint8_t *b = take(bytes, size, at, STEP_SIZE);
    *why = "ends within a step";
    if (b == NULL) return false;
    *s = (struct commit_step){.op = get32(b), .m = get32(b + 4), .k = get32(b + 8),
                              .n = get32(b + 12)};
    *why = "has a matrix without rows or columns, or larger than may be";
    if (s->m == 0 || s->k == 0 || s->n == 0 || s->m > PROOF_DIMENSION_MAX ||
        s->k > PROOF_DIMENSION_MAX || s->n > PROOF_DIMENSION_MAX)
        return false;
    uint64_t a = (uint64_t)s->m * s->k, c = (uint64_t)s->m * s->n * 4;
    if (a > PROOF_MATRIX_MAX || c > PROOF_MATRIX_MAX) return false;
    *why = "ends within a matrix, or has something else than zeros behind one";
    const void *left = take(bytes, size, at, (size_t)a);
    const void *right = left == NULL ? NULL : take(bytes, size, at, (size_t)c);
    s->a = left;
    s->c = right;
    return right != NULL;
}

static int steps_read(struct proof *p, struct proof_task *t, struct proof_error *error)
{
    size_t start = p->at;
    for (uint32_t i = 0; i < t->steps; i++) {
        struct commit_step s;
        const char *why;
        size_t at = p->at;
        if (!step_read(p->bytes, p->size, &p->at, &s, &why))
            return fail(error, at, "task %llu, step %u: %s", (unsigned long long)t->index, i, why);
    }
    t->step_bytes = p->bytes + start;
    t->step_size = p->at - start;
    return 1;
}

int proof_task_next(struct proof *p, struct proof_task *t, struct proof_error *error)
{
    const struct proof_header *h = &p->header;
    if (p->read == h->opened)
        return p->at == p->size ? 0 : fail(error, p->at, "has bytes behind its last task");
    size_t at = p->at;
    const uint8_t *b = take(p->bytes, p->size, &p->at, TASK_SIZE);
    if (b == NULL) return fail(error, at, "ends before task %u of %u", p->read + 1, h->opened);
    *t = (struct proof_task){.index = get64(b), .spec_size = get32(b + 24),
                             .answer_size = get32(b + 28), .steps = get32(b + 32),
                             .path = {.index = get64(b), .count = h->tasks,
                                      .length = get32(b + 36)}};
    t->flop = (uint128_t)get64(b + 16) << 64 | get64(b + 8);
    if (t->index >= h->tasks) return fail(error, at, "opens a task that the hour does not have");
    if (p->read != 0 && t->index <= p->previous)
        return fail(error, at, "has its tasks out of order, or one twice");
    if (t->spec_size > PROOF_SPEC_MAX || t->answer_size > PROOF_ANSWER_MAX ||
        t->steps > PROOF_STEPS_MAX || t->path.length > MERKLE_PATH_MAX ||
        t->flop > ~(uint128_t)0 >> 1)
        return fail(error, at, "task %llu: a size beyond its bound", (unsigned long long)t->index);
    t->spec = take(p->bytes, p->size, &p->at, t->spec_size);
    t->answer = t->spec == NULL ? NULL : take(p->bytes, p->size, &p->at, t->answer_size);
    const uint8_t *path = t->answer == NULL
                              ? NULL : take(p->bytes, p->size, &p->at,
                                            (size_t)t->path.length * DIGEST_BYTES);
    if (path == NULL)
        return fail(error, p->at, "task %llu: ends within it, or has something else than zeros "
                    "between its parts", (unsigned long long)t->index);
    memcpy(t->path.path, path, (size_t)t->path.length * DIGEST_BYTES);
    p->read += 1;
    p->previous = t->index;
    return steps_read(p, t, error);
}

void proof_steps_begin(struct proof_steps *s, const struct proof_task *task)
{
    *s = (struct proof_steps){.bytes = task->step_bytes, .size = task->step_size,
                              .left = task->steps};
}

bool proof_step_next(struct proof_steps *s, struct commit_step *step)
{
    const char *why;
    if (s->left == 0) return false;
    s->left -= 1;
    ASSERT(step_read(s->bytes, s->size, &s->at, step, &why)); /* it was read before */
    return true;
}

bool proof_task_committed(const struct proof *p, const struct proof_task *task,
                          struct commit_task *commitment)
{
    struct merkle transcript = {0};
    struct proof_steps steps;
    struct commit_step step;
    proof_steps_begin(&steps, task);
    for (uint32_t i = 0; proof_step_next(&steps, &step); i++) {
        struct digest leaf = commit_step_leaf(i, &step);
        merkle_append(&transcript, &leaf);
    }
    *commitment = (struct commit_task){.index = task->index,
                                       .spec = digest_of(task->spec, task->spec_size),
                                       .answer = digest_of(task->answer, task->answer_size),
                                       .transcript = merkle_root(&transcript),
                                       .flop = task->flop};
    struct digest leaf = commit_task_leaf(commitment);
    return merkle_verify(&p->header.root, &leaf, &task->path);
}

/* ---- writing ---- */

/* Room for so many bytes more, zeroed; NULL: no. */
static uint8_t *grow(struct proof_writer *w, size_t size)
{
    size_t limit = w->limit == 0 ? LIMIT : w->limit;
    if (w->failed || size > limit || w->size > limit - size) {
        w->failed = true;
        return NULL;
    }
    if (w->size + size > w->capacity) {
        size_t capacity = w->capacity < 4096 ? 4096 : w->capacity;
        while (capacity < w->size + size) capacity *= 2;
        uint8_t *bytes = realloc(w->bytes, capacity);
        if (bytes == NULL) {
            w->failed = true;
            return NULL;
        }
        w->bytes = bytes;
        w->capacity = capacity;
    }
    uint8_t *at = w->bytes + w->size;
    memset(at, 0, size);
    w->size += size;
    return at;
}

static void write_bytes(struct proof_writer *w, const void *bytes, size_t size)
{
    uint8_t *at = grow(w, padded(size));
    if (at != NULL && size != 0) memcpy(at, bytes, size);
}

static void put32(uint8_t *to, uint32_t v) { memcpy(to, &v, sizeof v); }
static void put64(uint8_t *to, uint64_t v) { memcpy(to, &v, sizeof v); }

void proof_write_begin(struct proof_writer *w, const struct proof_header *header)
{
    *w = (struct proof_writer){.limit = w->limit};
    uint8_t *b = grow(w, HEADER_SIZE);
    if (b == NULL) return;
    memcpy(b, MAGIC, MAGIC_SIZE);
    put32(b + 8, VERSION);
    put32(b + 12, header->vintage);
    put64(b + 16, header->allocation);
    put64(b + 24, (uint64_t)header->hour);
    put64(b + 32, header->tasks);
    memcpy(b + 48, header->root.v, DIGEST_BYTES);
}

/* How many steps the last task had. */
static void close_task(struct proof_writer *w)
{
    if (w->opened != 0 && !w->failed) put32(w->bytes + w->task_at + 32, w->steps);
}

void proof_write_task(struct proof_writer *w, uint64_t index, uint128_t flop, const void *spec,
                      uint32_t spec_size, const void *answer, uint32_t answer_size,
                      const struct merkle_path *path)
{
    close_task(w);
    w->task_at = w->size;
    w->opened += 1;
    w->steps = 0;
    if (spec_size > PROOF_SPEC_MAX || answer_size > PROOF_ANSWER_MAX ||
        path->length > MERKLE_PATH_MAX)
        w->failed = true;
    uint8_t *b = grow(w, TASK_SIZE);
    if (b == NULL) return;
    put64(b, index);
    put64(b + 8, (uint64_t)flop);
    put64(b + 16, (uint64_t)(flop >> 64));
    put32(b + 24, spec_size);
    put32(b + 28, answer_size);
    put32(b + 36, path->length);
    write_bytes(w, spec, spec_size);
    write_bytes(w, answer, answer_size);
    write_bytes(w, path->path, (size_t)path->length * DIGEST_BYTES);
}

void proof_write_step(struct proof_writer *w, const struct commit_step *step)
{
    w->steps += 1;
    uint8_t *b = grow(w, STEP_SIZE);
    if (b == NULL) return;
    put32(b, step->op);
    put32(b + 4, step->m);
    put32(b + 8, step->k);
    put32(b + 12, step->n);
    write_bytes(w, step->a, (size_t)step->m * step->k);
    write_bytes(w, step->c, (size_t)step->m * step->n * sizeof *step->c);
}

int proof_write_end(struct proof_writer *w)
{
    close_task(w);
    if (w->failed) return -1;
    put32(w->bytes + OPENED_AT, w->opened);
    return 0;
}
