/* certificate.c: see certificate.h (CERT-01). */
#include "proof/certificate.h"

#include "proof/digest.h"

_Static_assert((int)DIGEST_BYTES == DIGEST_SIZE && (int)NOTE_KEY_SIZE == PUBLIC_KEY_SIZE,
               "what a note says is what a command keeps of it");

static const char *const answers[] = {"no", "yes", NULL};

#define FIELD(name, of) {.key = #name, .kind = NOTE_KIND_##of, \
                         .offset = offsetof(struct certificate, name), \
                         .size = sizeof((struct certificate *)0)->name}
#define WORDS(name, list) {.key = #name, .kind = NOTE_KIND_word, .words = list, \
                           .offset = offsetof(struct certificate, name)}

static const struct note_field fields[] = {
    FIELD(resource, name), FIELD(provider, name), FIELD(site, text), FIELD(region, name),
    FIELD(hardware, text), FIELD(vintage, u32), WORDS(grade, grade_words), FIELD(work, u64),
    {.key = "duration", .kind = NOTE_KIND_u32, .offset = offsetof(struct certificate, duration_s)},
    FIELD(evidence, hex), WORDS(quick, answers), FIELD(issued, second),
    FIELD(expires, second), FIELD(certifier, hex),
};

static const char *wrong(const void *object)
{
    const struct certificate *c = object;
    if (c->work == 0) return "work is nothing";
    if (c->duration_s == 0) return "it was measured in no time";
    if (c->expires.v <= c->issued.v) return "expires before it is issued";
    return NULL;
}

static const struct note_form form = {
    .type = NOTE_certificate,
    .fields = fields,
    .field_count = sizeof fields / sizeof fields[0],
    .roles = {{"certifier", offsetof(struct certificate, certifier),
               offsetof(struct certificate, signature)}},
    .role_count = 1,
    .signed_by_offset = offsetof(struct certificate, signed_by),
    .struct_size = sizeof(struct certificate),
    .wrong = wrong,
};

size_t certificate_encode(const struct certificate *c, char text[NOTE_SIZE_MAX])
{
    return note_encode(&form, c, text);
}

int certificate_parse(struct certificate *c, const char *text, size_t length,
                      struct note_error *error)
{
    return note_parse(&form, c, text, length, error);
}

int certificate_check(const struct certificate *c, struct note_error *error)
{
    return note_check(&form, c, error);
}

bool certificate_sign(struct certificate *c, const uint8_t secret[NOTE_SECRET_SIZE])
{
    return note_sign(&form, c, CERTIFICATE_ROLE_certifier, secret);
}

int certificate_verify(const struct certificate *c, struct note_error *error)
{
    return note_verify(&form, c, CERTIFICATE_SIGNED, error);
}
