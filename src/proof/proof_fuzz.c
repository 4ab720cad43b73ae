/* proof_fuzz.c: any bytes as a proof file, and a right file in which the input changes bytes, every
 * step read to its last byte; and, from the same bytes, samples and their bounds. */
#include "base/assert.h"
#include "proof/proof.h"
#include "proof/sample.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_proof(const uint8_t *bytes, size_t size)
{
    struct proof p;
    struct proof_task t;
    struct proof_error e = {0};
    struct commit_task commitment;
    uint64_t last = 0;
    int more = -1;
    if (proof_parse(&p, bytes, size, &e) == 0) {
        uint32_t tasks = 0;
        while ((more = proof_task_next(&p, &t, &e)) > 0) {
            ASSERT(tasks++ == 0 || t.index > last);
            last = t.index;
            (void)proof_task_committed(&p, &t, &commitment);
        }
        ASSERT(tasks <= p.header.opened && (more != 0 || tasks == p.header.opened));
    }
    ASSERT(more == 0 || (e.text[0] != 0 && e.at <= size + 8));
}

static void draw_sample(const uint8_t *data, size_t size)
{
    uint64_t tasks, indices[64], n[2];
    struct digest seed = digest_of(data, size);
    if (size < 24) return;
    memcpy(&tasks, data, 8);
    memcpy(n, data + 8, 16);
    tasks = (tasks >> 1) + 1;
    uint32_t count = sample_choose(&seed, tasks, (uint32_t)(n[0] % 65), indices);
    for (uint32_t i = 1; i < count; i++) ASSERT(indices[i - 1] < indices[i]);
    ASSERT(count == 0 || indices[count - 1] < tasks);
    uint64_t failed = count == 0 ? 0 : n[1] % (count + 1);
    uint32_t bound = sample_bound_ppm(tasks, count, failed);
    ASSERT(sample_bound_right(tasks, count, failed, bound));
    ASSERT(bound == 0 || !sample_bound_right(tasks, count, failed, bound - 1));
}

/* Two tasks of two steps each, made from the input; changed as the rest of it says. */
static void change_proof(const uint8_t *data, size_t size)
{
    static const int8_t a[64];
    static const int32_t c[64];
    struct proof_writer w = {0};
    struct proof_header header = {.vintage = 2026, .hour = 500000, .tasks = 1000};
    struct merkle_path path = {.count = 1000, .length = 10};
    if (size < 8) return;
    proof_write_begin(&w, &header);
    for (uint32_t i = 0; i < 2; i++) {
        proof_write_task(&w, data[i] + 300 * i, 1 + data[2], data, data[3] % 8, data, data[4] % 8,
                         &path);
        for (uint32_t k = 0; k < data[5] % 4; k++) {
            struct commit_step s = {.op = k, .m = 1 + data[6] % 8, .k = 1 + data[7] % 8,
                                    .n = 1 + k, .a = a, .c = c};
            proof_write_step(&w, &s);
        }
    }
    ASSERT(proof_write_end(&w) == 0);
    if (size == 8) { /* unchanged: it must be read whole */
        struct proof p;
        struct proof_task t;
        ASSERT(proof_parse(&p, w.bytes, w.size, NULL) == 0);
        for (int i = 0; i < 2; i++) ASSERT(proof_task_next(&p, &t, NULL) == 1);
        ASSERT(proof_task_next(&p, &t, NULL) == 0);
    }
    for (size_t at = 8; at + 3 <= size; at += 3)
        w.bytes[(size_t)(data[at] | data[at + 1] << 8) % w.size] = data[at + 2];
    read_proof(w.bytes, size % 3 == 0 ? w.size - data[0] % w.size : w.size);
    free(w.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(size == 0 ? 1 : size); /* at a multiple of 8, and of its exact size */
    ASSERT(bytes != NULL);
    memcpy(bytes, data, size);
    read_proof(bytes, size);
    change_proof(data, size);
    draw_sample(data, size);
    free(bytes);
    return 0;
}
