/* verdict.c: see verdict.h (DELIV-03, DELIV-04). */
#include "proof/verdict.h"

#include "proof/sample.h"

static const char *const answers[] = {"no", "yes", NULL};

#define FIELD(name, of) {.key = #name, .kind = NOTE_KIND_##of, \
                         .offset = offsetof(struct verdict, name), \
                         .size = sizeof((struct verdict *)0)->name}
#define WORDS(name, list) {.key = #name, .kind = NOTE_KIND_word, .words = list, \
                           .offset = offsetof(struct verdict, name)}

static const struct note_field fields[] = {
    FIELD(allocation, u64), FIELD(hour, hour), FIELD(root, hex), WORDS(kind, proof_kind_words),
    FIELD(seed, hex), FIELD(tasks, u64), FIELD(sampled, u64), FIELD(failed, u64),
    {.key = "bound-ppm", .kind = NOTE_KIND_u32, .offset = offsetof(struct verdict, bound_ppm)},
    FIELD(flop, u128), WORDS(attested, answers), WORDS(outcome, proof_outcome_words),
    FIELD(verifier, hex),
};

static const char *wrong(const void *object)
{
    const struct verdict *v = object;
    if (v->sampled > SAMPLE_MAX) return "more tasks are sampled than a verifier may";
    if (v->sampled > v->tasks) return "more tasks are sampled than there are";
    if (v->failed > v->sampled) return "more tasks failed than were sampled";
    if ((v->failed != 0) != (v->outcome == PROOF_falsified))
        return "the outcome is falsified exactly where a sampled task failed";
    if (v->outcome > PROOF_short && v->flop != 0)
        return "work is verified in an hour that is falsified or unanswered";
    if (v->outcome == PROOF_ok && (v->sampled == 0 || v->flop == 0))
        return "the outcome is ok, but nothing was looked at or verified";
    if (v->outcome == PROOF_no_answer
            ? v->bound_ppm != SAMPLE_PPM
            : !sample_bound_right(v->tasks, v->sampled, v->failed, v->bound_ppm))
        return "bound-ppm is not that of tasks, sampled and failed";
    return NULL;
}

void verdict_set_bound(struct verdict *v)
{
    v->bound_ppm = v->outcome == PROOF_no_answer
                       ? SAMPLE_PPM : sample_bound_ppm(v->tasks, v->sampled, v->failed);
}

static const struct note_form form = {
    .type = NOTE_verdict,
    .fields = fields,
    .field_count = sizeof fields / sizeof fields[0],
    .roles = {{"verifier", offsetof(struct verdict, verifier),
               offsetof(struct verdict, signature)}},
    .role_count = 1,
    .signed_by_offset = offsetof(struct verdict, signed_by),
    .struct_size = sizeof(struct verdict),
    .wrong = wrong,
};

size_t verdict_encode(const struct verdict *v, char text[NOTE_SIZE_MAX])
{
    return note_encode(&form, v, text);
}

int verdict_parse(struct verdict *v, const char *text, size_t length, struct note_error *error)
{
    return note_parse(&form, v, text, length, error);
}

int verdict_check(const struct verdict *v, struct note_error *error)
{
    return note_check(&form, v, error);
}

bool verdict_sign(struct verdict *v, const uint8_t secret[NOTE_SECRET_SIZE])
{
    return note_sign(&form, v, VERDICT_ROLE_verifier, secret);
}

int verdict_verify(const struct verdict *v, struct note_error *error)
{
    return note_verify(&form, v, VERDICT_SIGNED, error);
}
