/* note_fuzz.c: any bytes as each of the notes, and a right note in which the input changes bytes;
 * what is accepted writes the same bytes again, and what is refused says why. */
#include "base/assert.h"
#include "proof/note_random_test.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const char *text, size_t size, const char *again, size_t length)
{
    ASSERT(length == size && memcmp(text, again, size) == 0);
}

static void refused(int code, const struct note_error *e)
{
    ASSERT(code < 0 && e->code == code && e->text[0] != 0);
    ASSERT(memchr(e->text, 0, sizeof e->text) != NULL);
}

static void read_note(const uint8_t *data, size_t size)
{
    char *text = malloc(size == 0 ? 1 : size); /* of its exact size: a read behind it is seen */
    char again[NOTE_SIZE_MAX];
    struct note_error e = {0};
    struct certificate c;
    struct receipt r;
    struct verdict v;
    ASSERT(text != NULL);
    memcpy(text, data, size);
    enum note_type type = note_type_of(text, size);
    int code = certificate_parse(&c, text, size, &e);
    if (code == 0) {
        ASSERT(type == NOTE_certificate);
        same(text, size, again, certificate_encode(&c, again));
        (void)certificate_verify(&c, &e);
    } else {
        refused(code, &e);
    }
    code = receipt_parse(&r, text, size, &e);
    if (code == 0) {
        ASSERT(type == NOTE_receipt);
        same(text, size, again, receipt_encode(&r, again));
        (void)receipt_verify(&r, &e);
    } else {
        refused(code, &e);
    }
    code = verdict_parse(&v, text, size, &e);
    if (code == 0) {
        ASSERT(type == NOTE_verdict);
        same(text, size, again, verdict_encode(&v, again));
        (void)verdict_verify(&v, &e);
    } else {
        refused(code, &e);
    }
    free(text);
}

/* A random note of the first 9 bytes, then changed: place (2 bytes), byte; place, byte; ... */
static void change_note(const uint8_t *data, size_t size)
{
    char text[NOTE_SIZE_MAX];
    struct random random;
    struct certificate c;
    struct receipt r;
    struct verdict v;
    size_t length;
    if (size < 9) return;
    memcpy(&random.state, data, sizeof random.state);
    if (data[8] % 3 == 0) {
        certificate_random(&c, &random);
        length = certificate_encode(&c, text);
    } else if (data[8] % 3 == 1) {
        receipt_random(&r, &random);
        length = receipt_encode(&r, text);
    } else {
        verdict_random(&v, &random);
        length = verdict_encode(&v, text);
    }
    for (size_t at = 9; at + 3 <= size; at += 3)
        text[(size_t)(data[at] | data[at + 1] << 8) % length] = (char)data[at + 2];
    if (size % 3 == 1) length -= data[size - 1] % length;
    read_note((const uint8_t *)text, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_note(data, size);
    change_note(data, size);
    return 0;
}
