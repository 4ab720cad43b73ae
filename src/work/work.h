/* work.h: reference workloads: what a compute token is counted in, how a task is carried out on any
 * machine with the same bits, and how its work is shown (UNIT-01, UNIT-03, UNIT-06, DELIV-03).
 *
 * A *vintage* is a frozen list of workloads. A task is named by a `work_spec`; whoever carries it
 * out gets the same `work_result`, bit for bit: every matrix product is of integers so small that
 * fp32, bf16 with fp32 accumulation and int8 give the exact sum, and everything between the
 * products is fixed-point (fixed.h). docs/workloads.md defines all of it for a second writer.
 *
 * A *step* is one weight matrix of the model over all positions of a task: decoder step
 * 4 * layer + {qkv, out, up, down}, last the head (only the rows whose logits are sampled); a gemm
 * task is one step. A position's row of a product depends on no other row, so neither the size of a
 * batch, nor how a prompt is cut, nor prefill against decode changes a step. What is committed of
 * a step are the digests of its A and of its C (proof/commit.h); an *opening* is every step's A and
 * C, in step order.
 *
 * Invariants:
 * (1) |activation| <= 127, |weight| <= 4, depth <= 33,025: no partial sum reaches 2^24;
 * (2) a workload of a vintage never changes: work_vintage_digest is pinned by a test;
 * (3) FLOP come from the shape alone: never from a clock or a counter.
 *
 * Upstream: proof (digests), quant (freivalds), io, base. Downstream: cli (certify, deliver,
 * verify), bench, the agents.
 */
#ifndef DOJIMA_WORK_WORK_H
#define DOJIMA_WORK_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proof/commit.h"

enum {
    WORK_ACTIVATION_MAX = 127,
    WORK_WEIGHT_MAX = 4,
    WORK_DEPTH_MAX = 33025, /* of one product: 33,025 x 127 x 4 < 2^24 */
    WORK_PROMPT_MAX = 4096,
    WORK_ANSWER_MAX = 1024,
    WORK_ERROR_SIZE = 256,
    WORK_SPEC_SIZE_MAX = 128 + 4 * WORK_PROMPT_MAX,  /* bytes of an encoded spec */
    WORK_ANSWER_SIZE_MAX = 64 + 4 * WORK_ANSWER_MAX, /* and of an answer */
};
#define WORK_STOP_NONE UINT32_MAX

struct work_error {
    char text[WORK_ERROR_SIZE]; /* a sentence; empty: none */
};
/* Sets the sentence unless there is one. Returns -1. */
__attribute__((format(printf, 2, 3))) int work_fail(struct work_error *e, const char *format, ...);

/* ---- the registry (registry.c) ---- */

enum work_kind { WORK_KIND_gemm, WORK_KIND_decoder };

/* Which grades of certificate a workload may stand for (UNIT-03). A bit each. */
enum {
    WORK_GRADE_offline = 1,
    WORK_GRADE_server = 2,
    WORK_GRADE_interactive = 4,
};

/* Shape of a decoder: every size is a multiple of 16. */
struct work_shape {
    uint32_t layers;
    uint32_t width;    /* of the residual stream */
    uint32_t heads;    /* of the queries; width = heads * head_size */
    uint32_t kv_heads; /* of keys and values; divides heads */
    uint32_t head_size;
    uint32_t hidden; /* of the MLP */
    uint32_t vocabulary;
    uint32_t context; /* positions at most */
};

struct work_workload {
    const char *name; /* "llama-2-70b" */
    uint32_t id;      /* within the vintage, from 1 */
    enum work_kind kind;
    uint32_t grades;         /* WORK_GRADE_*; 0: for tests, counts for nothing */
    bool test;               /* small, for tests and demonstrations only */
    uint32_t rows;           /* gemm: c[rows x columns] = a[rows x depth] b[depth x columns] */
    uint32_t depth, columns; /* gemm */
    struct work_shape shape; /* decoder */
    uint32_t prompt_count;   /* decoder: of the task that certifies, and the most a task may ask */
    uint32_t answer_count;
    uint64_t seed; /* of its weights */
};

struct work_vintage {
    uint32_t year;
    const struct work_workload *workloads;
    uint32_t count;
};

/* NULL: no such. */
const struct work_vintage *work_vintage_find(uint32_t year);
const struct work_workload *work_workload_find(uint32_t year, uint32_t id);
const struct work_workload *work_workload_named(uint32_t year, const char *name);
/* The year of the vintage that it is of; 0: of none. */
uint32_t work_workload_vintage(const struct work_workload *w);
/* Of every field of every workload of it. */
struct digest work_vintage_digest(const struct work_vintage *v);

/* Parameters of a decoder (weights of its matrices, the embedding and the norms). */
uint64_t work_parameters(const struct work_shape *shape);

/* FLOP of a task (UNIT-01): 2 for each multiply-add of the products that are needed, and no other.
 * gemm: 2 rows depth columns. Decoder, with P prompt and A answer tokens: each of P + A - 1
 * positions pays 2 x the weights of the layers and 4 width (p + 1) layers for attention over the
 * p + 1 positions it sees; each of A answers pays 2 width vocabulary. (Kaplan et al. 2020, table 1;
 * PaLM, appendix B; Narayanan et al. 2021, appendix; docs/workloads.md.) Below 2^63. */
uint64_t work_flop(const struct work_workload *w, uint32_t prompt_count, uint32_t answer_count);

/* ---- a task and its result (task.c) ---- */

/* What is asked. */
struct work_spec {
    uint32_t vintage;
    uint32_t workload;
    struct digest weights;  /* of the buyer's weights; zeros: from the workload's seed */
    struct digest nonce;    /* of allocation, hour, index: no answer serves twice */
    uint32_t prompt_count;  /* decoder; gemm 0 */
    uint32_t answer_count;  /* decoder: tokens to sample at most; gemm 0 */
    uint32_t temperature;   /* 65536 = 1; 0: the likeliest token */
    uint32_t top_k;         /* sample among the k likeliest; 0: among all */
    uint32_t stop;          /* a token that ends the answer, or WORK_STOP_NONE */
    const uint32_t *prompt; /* prompt_count tokens; NULL: made from the nonce */
};

/* What is answered. A gemm task's answer has no tokens: it is the digest of C. */
struct work_answer {
    uint32_t count;
    uint32_t tokens[WORK_ANSWER_MAX];
    struct digest product;
};

/* What a task's leaf in the hour's tree is made of. */
struct work_result {
    struct work_answer answer;
    struct commit_task commit; /* all but its index: spec, answer, transcript, flop of the answer as
                                  it is (it may have stopped early) */
};

/* -1 and the reason when the spec names no workload, or asks what that does not give. */
int work_spec_check(const struct work_spec *s, struct work_error *error);
/* The spec that certifies a workload, of `nonce`. */
void work_spec_default(const struct work_workload *w, const struct digest *nonce,
                       struct work_spec *s);
/* Canonical bytes; the digest is SHA-256 over them. Returns the bytes written. */
size_t work_spec_encode(const struct work_spec *s, uint8_t bytes[WORK_SPEC_SIZE_MAX]);
/* `prompt` (WORK_PROMPT_MAX) takes the tokens. -1 and the reason; checks the spec as well. */
int work_spec_decode(const uint8_t *bytes, size_t size, struct work_spec *s, uint32_t *prompt,
                     struct work_error *error);
struct digest work_spec_digest(const struct work_spec *s);
/* The answer's canonical bytes, and back. */
size_t work_answer_encode(const struct work_answer *a, uint8_t bytes[WORK_ANSWER_SIZE_MAX]);
int work_answer_decode(const uint8_t *bytes, size_t size, struct work_answer *a,
                       struct work_error *error);
struct digest work_answer_digest(const struct work_answer *a);
/* The prompt's tokens, as they are or made from the nonce. */
void work_prompt(const struct work_spec *s, const struct work_shape *shape, uint32_t *tokens);

/* ---- weights (weights.c) ---- */

enum work_matrix {
    WORK_MATRIX_qkv,  /* columns: heads x head_size of q, then of k, then of v */
    WORK_MATRIX_out,
    WORK_MATRIX_up,   /* columns: hidden of the gate, then hidden of the up projection */
    WORK_MATRIX_down,
    WORK_MATRIX_head, /* "layer" 0 */
    WORK_MATRIX_gemm, /* "layer" 0 */
};

struct work_weights; /* of one model: from the seed, or the buyer's */

int work_weights_seeded(const struct work_workload *w, struct work_weights **weights,
                        struct work_error *error);
/* The buyer's: the bytes of a weights file (docs/workloads.md), which must outlive the handle. */
int work_weights_bytes(const struct work_workload *w, const uint8_t *bytes, size_t size,
                       struct work_weights **weights, struct work_error *error);
/* Bytes of such a file: its shape gives them. 0: the workload takes no weights. */
uint64_t work_weights_size(const struct work_workload *w);
void work_weights_close(struct work_weights *weights);
/* Zeros when made from the seed. */
struct digest work_weights_digest(const struct work_weights *weights);

/* A matrix's sizes and how its product becomes the next numbers. */
struct work_matrix_info {
    uint32_t depth, columns;
    uint32_t shift;        /* 16..48 */
    const uint16_t *scale; /* of each column, 1..32767; NULL: every one is scale_all */
    uint16_t scale_all;
    uint64_t key;          /* seeded: of fixed_weight_block */
    const int8_t *rows;    /* the buyer's: columns x depth; NULL when seeded */
};
struct work_matrix_info work_matrix_info(const struct work_weights *weights, uint32_t layer,
                                         enum work_matrix matrix);
/* Weights of columns [first, first + count): out[i * depth + k] is the weight of input k in column
 * first + i. A column's weights lie together, as in PyTorch's [out, in]. */
void work_matrix_fill(const struct work_weights *weights, uint32_t layer, enum work_matrix matrix,
                      uint32_t first, uint32_t count, int8_t *out);
/* The token's row of the embedding: width values, in the unit of the residual stream. */
void work_embedding(const struct work_weights *weights, uint32_t token, int32_t *row);
/* Gains of a norm: 2 * layer + {0: before attention, 1: before the MLP}; last, before the head.
 * NULL: every one is FIXED_GAIN_ONE. */
const int32_t *work_gain(const struct work_weights *weights, uint32_t norm);

/* ---- backends ---- */

enum work_precision {
    WORK_PRECISION_auto,
    WORK_PRECISION_fp32,
    WORK_PRECISION_bf16,
    WORK_PRECISION_int8,
};

struct backend_options {
    enum work_precision precision;
    uint32_t threads; /* 0: as many as there are processors */
    struct pool *pool; /* threads to share; NULL: the backend makes its own */
};

struct backend_description {
    char name[32];      /* "OpenBLAS 0.3.21" */
    char kernel[64];    /* its kernels, or the device: "SkylakeX", "NVIDIA H100 80GB HBM3" */
    char precision[16]; /* "fp32", "bf16", "int8" */
    uint32_t threads;
    uint64_t memory; /* bytes of the device, 0: the machine's */
};

/* One weight matrix in the backend's own form. */
struct backend_matrix;
/* A decoder in the backend's own memory. */
struct backend_decoder;

/* A row of a forward pass: one position of one sequence. Rows of one slot come in the order of
 * their positions, without a gap since that slot's last forward pass; position 0 begins it anew. */
struct work_row {
    uint32_t slot;
    uint32_t position;
    uint32_t token;
    bool logits; /* wanted of this row */
};

/* A forward pass of rows. What is NULL is not wanted. steps = 4 * layers + 1. */
struct work_forward {
    const struct work_row *rows;
    uint32_t count;
    int32_t *logits;       /* for each row with logits, in order: vocabulary values */
    uint64_t *fingerprints; /* [steps][count][2]: of the row of A, and of C (fingerprint.h); of the
                               head only at rows with logits */
    /* Takes each step's A and C as they are made: step->m = count (the head: only those with
     * logits). Other than 0 ends the pass with -1. */
    int (*sink)(void *context, uint32_t index, const struct commit_step *step);
    void *context;
};

struct backend {
    const char *name; /* "openblas" */
    int (*open)(const struct backend_options *options, void **state, struct work_error *error);
    void (*close)(void *state);
    void (*describe)(const void *state, struct backend_description *d);
    /* c[rows x columns] = a[rows x depth] b, exactly; row-major, host memory. */
    int (*matrix_open)(void *state, const struct work_weights *weights, uint32_t layer,
                       enum work_matrix matrix, struct backend_matrix **m,
                       struct work_error *error);
    int (*product)(struct backend_matrix *m, const int8_t *a, uint32_t rows, int32_t *c,
                   struct work_error *error);
    void (*matrix_close)(struct backend_matrix *m);
    /* The library's own call of the same shape, with all its threads, on operands that are in its
     * form already: in nanoseconds, into c as the library leaves it. -1: there is none. May be
     * NULL. */
    int64_t (*bare)(struct backend_matrix *m, const int8_t *a, uint32_t rows, int32_t *c);
    /* The whole decoder in the backend's memory; NULL: engine.c does it over `product`. */
    int (*decoder_open)(void *state, const struct work_weights *weights,
                        const struct work_workload *w, uint32_t slots, uint32_t rows_max,
                        struct backend_decoder **decoder, struct work_error *error);
    int (*decoder_forward)(struct backend_decoder *decoder, const struct work_forward *f,
                           struct work_error *error);
    void (*decoder_close)(struct backend_decoder *decoder);
};

extern const struct backend backend_onednn;   /* int8 */
extern const struct backend backend_openblas; /* fp32 */
extern const struct backend backend_plain;    /* int8, without a library */

/* The one of this name; NULL: the best for processors that is here. -1 and why there is none. */
int backend_find(const char *name, const struct backend **backend, struct work_error *error);

/* ---- the engine: a model on a backend (engine.c) ---- */

struct work_engine;

struct work_engine_options {
    const struct backend *backend; /* NULL: the best CPU backend */
    struct backend_options backend_options;
    uint32_t slots;    /* sequences at once; 0: 1 */
    uint32_t rows_max; /* of one forward pass; 0: the workload's longest task */
    uint32_t rows_batch; /* of a pass of work_batch_run; 0: rows_max, which an opening may need */
};

/* Sequences at once and rows of a pass with which a grade (enum grade) is measured: and with which
 * it has to be delivered, for with fewer a machine does not do what it was certified for. */
struct work_engine_size {
    uint32_t slots, rows_max;
};
struct work_engine_size work_engine_size(const struct backend *backend, uint32_t grade);

/* `weights` outlives the engine. Making a large model's weights takes seconds. */
int work_engine_open(const struct work_workload *w, const struct work_weights *weights,
                     const struct work_engine_options *options, struct work_engine **engine,
                     struct work_error *error);
void work_engine_close(struct work_engine *engine);
const struct work_workload *work_engine_workload(const struct work_engine *engine);
void work_engine_describe(const struct work_engine *engine, struct backend_description *d);
uint32_t work_engine_slots(const struct work_engine *engine);
/* For who schedules rows of many sequences on his own (latency grades). */
int work_engine_forward(struct work_engine *engine, const struct work_forward *f,
                        struct work_error *error);

/* ---- carrying tasks out (run.c) ---- */

/* Runs one task. -1: the machine failed (never: a wrong answer). */
int work_task_run(struct work_engine *engine, const struct work_spec *spec,
                  struct work_result *result, struct work_error *error);
/* Runs `count` tasks, as many at once as the engine has slots, and a free slot takes the next;
 * what comes of a task is the same with any others. `done` (may be NULL) after each, in any order;
 * it returns false to stop early (then 1 is returned). */
int work_batch_run(struct work_engine *engine, const struct work_spec *specs, uint32_t count,
                   struct work_result *results, bool (*done)(void *context, uint32_t index),
                   void *context, struct work_error *error);

/* Tasks of a decoder that come one after the other: a slot that falls free takes the next one while
 * the others go on. While a stream is open nothing else uses its engine. A tag is the caller's. */
struct work_stream;
int work_stream_open(struct work_engine *engine, struct work_stream **stream,
                     struct work_error *error);
void work_stream_close(struct work_stream *s); /* what is under way is lost */
uint32_t work_stream_active(const struct work_stream *s); /* tasks in it */
bool work_stream_room(const struct work_stream *s);
/* There is room. -1: the spec is none of this engine's. */
int work_stream_add(struct work_stream *s, const struct work_spec *spec, uint64_t tag,
                    struct work_error *error);
int work_stream_pass(struct work_stream *s, struct work_error *error); /* -1: the machine failed */
/* A task that is done, which leaves; what it gave stands until the next pass. NULL: none is. */
const struct work_result *work_stream_take(struct work_stream *s, uint64_t *tag);
void work_stream_cancel(struct work_stream *s, uint64_t tag);

/* One task on its way, for who schedules on his own: rows to compute, what came of them. */
struct work_task; /* run.c */
int work_task_open(const struct work_workload *w, const struct work_spec *spec, uint32_t slot,
                   struct work_task **task, struct work_error *error);
/* Writes the next rows (the prompt's, at most `room`; then one) and returns how many; 0: done. */
uint32_t work_task_rows(struct work_task *task, struct work_row *rows, uint32_t room);
/* Takes what a forward pass gave for the rows just written: they began at row `first` of it and
 * their logits, if any, are `logits`. Returns true when a token was sampled. */
bool work_task_take(struct work_task *task, const struct work_forward *f, uint32_t first,
                    const int32_t *logits);
uint32_t work_task_sampled(const struct work_task *task); /* tokens so far */
void work_task_finish(struct work_task *task, struct work_result *result); /* after the last */
void work_task_close(struct work_task *task);

/* ---- openings and their check (run.c, check.c) ---- */

/* Does the task again and gives every step, in order, as proof_write_step takes it (a
 * deterministic task needs no transcript kept). The answer is the one that was given. -1 when that
 * is not the task's answer, or `step` returned other than 0. */
int work_open(struct work_engine *engine, const struct work_spec *spec,
              const struct work_answer *answer,
              int (*step)(void *context, uint32_t index, const struct commit_step *step),
              void *context, struct work_error *error);
/* Bytes of all A and C of an opening. */
uint64_t work_opening_size(const struct work_workload *w, uint32_t prompt_count,
                           uint32_t answer_count);

enum work_fault {
    WORK_FAULT_none,
    WORK_FAULT_spec,       /* the spec cannot be: unknown, out of bounds */
    WORK_FAULT_answer,     /* tokens out of the vocabulary, too many, cut short */
    WORK_FAULT_flop,       /* more claimed than the shape gives */
    WORK_FAULT_opening,    /* a step missing, too many, of another shape or of impossible values */
    WORK_FAULT_input,      /* A is not the function of what comes before it */
    WORK_FAULT_product,    /* C is not A B */
    WORK_FAULT_sample,     /* the answer does not follow from the logits */
    WORK_FAULT_transcript, /* the committed root is of something else */
};

/* Checks tasks of one model with random vectors of its own, made from `secret`: which the seller
 * must not know (fresh entropy). No BLAS. */
struct work_checker;
int work_checker_open(const struct work_workload *w, const struct work_weights *weights,
                      const uint8_t secret[32], struct work_checker **checker,
                      struct work_error *error);
void work_checker_close(struct work_checker *checker);
/* `next` gives the steps of the opening in order (as proof_step_next does); false: no more.
 * `claimed` is what was committed: its answer, flop and digests (that the leaf stands under the
 * hour's root is the caller's check). Returns the first fault found, with a sentence, or
 * WORK_FAULT_none; -1 only for want of memory. */
int work_check(struct work_checker *checker, const struct work_spec *spec,
               const struct work_result *claimed,
               bool (*next)(void *context, struct commit_step *step), void *context,
               struct work_error *error);

#endif
