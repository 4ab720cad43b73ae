/* weights_file_test.h: files of weights as a buyer would send them, for tests: part by part, or a
 * seeded model's. */
#ifndef DOJIMA_WORK_WEIGHTS_FILE_TEST_H
#define DOJIMA_WORK_WEIGHTS_FILE_TEST_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "work/fixed.h"
#include "work/internal.h"

struct weights_file {
    uint8_t *bytes;
    size_t size, capacity;
};

/* Zeros for the next part; they stay where they are until the part after it. */
static inline void *weights_file_part(struct weights_file *f, size_t size)
{
    size_t padded = (size + 7) & ~(size_t)7;
    if (f->size + padded > f->capacity) {
        f->capacity = 2 * (f->size + padded);
        f->bytes = realloc(f->bytes, f->capacity);
        if (f->bytes == NULL) abort();
    }
    uint8_t *at = f->bytes + f->size;
    memset(at, 0, padded);
    f->size += padded;
    return at;
}

/* free(file.bytes). The embedding's scale of a seeded model is 2048. */
static inline struct weights_file weights_file_write(const struct work_workload *w,
                                                     const struct work_weights *weights)
{
    struct weights_file f = {0};
    const struct work_shape *h = &w->shape;
    const uint32_t words[12] = {1, h->layers, h->width, h->heads, h->kv_heads, h->head_size,
                                h->hidden, h->vocabulary, h->context, 2048,
                                work_attention_scale(weights), 0};
    uint8_t *head = weights_file_part(&f, 56);
    memcpy(head, "dojweigh", 8);
    memcpy(head + 8, words, sizeof words);
    size_t frequencies = 8 * (size_t)(h->head_size / 2);
    memcpy(weights_file_part(&f, frequencies), work_frequencies(weights), frequencies);
    size_t gains = (2 * (size_t)h->layers + 1) * h->width;
    int32_t *gain = weights_file_part(&f, 4 * gains);
    for (size_t i = 0; i < gains; i++) gain[i] = FIXED_GAIN_ONE;
    uint32_t steps = work_steps(w);
    uint32_t *shift = weights_file_part(&f, 4 * steps);
    for (uint32_t i = 0; i < steps; i++)
        shift[i] = work_matrix_info(weights, work_step_layer(w, i), work_step_matrix(w, i)).shift;
    for (uint32_t i = 0; i < steps; i++) {
        struct work_matrix_info m =
            work_matrix_info(weights, work_step_layer(w, i), work_step_matrix(w, i));
        uint16_t *scale = weights_file_part(&f, 2 * (size_t)m.columns);
        for (uint32_t n = 0; n < m.columns; n++) scale[n] = m.scale_all;
    }
    int8_t *embedding = weights_file_part(&f, (size_t)h->vocabulary * h->width);
    int32_t *row = calloc(h->width, sizeof *row);
    for (uint32_t t = 0; row != NULL && t < h->vocabulary; t++) {
        work_embedding(weights, t, row);
        for (uint32_t i = 0; i < h->width; i++)
            embedding[(size_t)t * h->width + i] = (int8_t)(row[i] / 2048);
    }
    free(row);
    for (uint32_t i = 0; i < steps; i++) {
        enum work_matrix matrix = work_step_matrix(w, i);
        uint32_t layer = work_step_layer(w, i);
        struct work_matrix_info m = work_matrix_info(weights, layer, matrix);
        int8_t *out = weights_file_part(&f, (size_t)m.columns * m.depth);
        work_matrix_fill(weights, layer, matrix, 0, m.columns, out);
    }
    return f;
}

#endif
