/* receipt.c: see receipt.h (DELIV-02). */
#include "proof/receipt.h"

#include <string.h>

#define FIELD(name, of) {.key = #name, .kind = NOTE_KIND_##of, \
                         .offset = offsetof(struct receipt, name), \
                         .size = sizeof((struct receipt *)0)->name}

static const struct note_field fields[] = {
    FIELD(allocation, u64), FIELD(instrument, name), FIELD(hour, hour), FIELD(tasks, u64),
    FIELD(flop, u128), FIELD(root, hex), FIELD(seller, hex), FIELD(buyer, hex),
};

static const char *wrong(const void *object)
{
    const struct receipt *r = object;
    if (r->tasks == 0) return "there are no tasks: nothing was delivered, and no receipt is due";
    if (r->flop == 0) return "the tasks are no work";
    if (memcmp(r->seller, r->buyer, NOTE_KEY_SIZE) == 0) return "seller and buyer have one key";
    return NULL;
}

static const struct note_form form = {
    .type = NOTE_receipt,
    .fields = fields,
    .field_count = sizeof fields / sizeof fields[0],
    .roles = {{"seller", offsetof(struct receipt, seller),
               offsetof(struct receipt, seller_signature)},
              {"buyer", offsetof(struct receipt, buyer),
               offsetof(struct receipt, buyer_signature)}},
    .role_count = 2,
    .signed_by_offset = offsetof(struct receipt, signed_by),
    .struct_size = sizeof(struct receipt),
    .wrong = wrong,
};

size_t receipt_encode(const struct receipt *r, char text[NOTE_SIZE_MAX])
{
    return note_encode(&form, r, text);
}

int receipt_parse(struct receipt *r, const char *text, size_t length, struct note_error *error)
{
    return note_parse(&form, r, text, length, error);
}

int receipt_check(const struct receipt *r, struct note_error *error)
{
    return note_check(&form, r, error);
}

bool receipt_sign(struct receipt *r, uint32_t role, const uint8_t secret[NOTE_SECRET_SIZE])
{
    return note_sign(&form, r, role, secret);
}

int receipt_verify(const struct receipt *r, struct note_error *error)
{
    return note_verify(&form, r, RECEIPT_SIGNED_both, error);
}

int receipt_verify_seller(const struct receipt *r, struct note_error *error)
{
    return note_verify(&form, r, RECEIPT_SIGNED_seller, error);
}
