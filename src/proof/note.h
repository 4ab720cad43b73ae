/* note.h: signed papers as text: strict, bounded, one form for one content.
 *
 *     dojima receipt 1
 *     allocation 17
 *     hour 2027-01-04T14:00:00Z
 *     ...
 *     --
 *     seller-signature <128 hexadecimal digits>
 *
 * A first line with type and version, lines `key value` in the type's own order, a line `--`, then
 * signature lines in the order of the type's roles. A signature is Ed25519 (RFC 8032) over every
 * byte before the line `--`; those bytes begin with the type, so no signature under one type can be
 * shown under another.
 *
 * Invariants: (1) ASCII, lines end in \n, at most NOTE_SIZE_MAX bytes; (2) what is accepted is
 * exactly what encoding its content gives: no second spelling of a number, a time or a key; (3) no
 * floating point; (4) reading says nothing about signatures: note_verify does.
 *
 * Upstream: base. Downstream: certificate, receipt, verdict; gate and cli through those.
 */
#ifndef DOJIMA_PROOF_NOTE_H
#define DOJIMA_PROOF_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NOTE_SIZE_MAX = 4096,
    NOTE_KEY_SIZE = 32,       /* an Ed25519 public key */
    NOTE_SECRET_SIZE = 64,    /* libsodium's: seed and public key */
    NOTE_SEED_SIZE = 32,
    NOTE_SIGNATURE_SIZE = 64,
    NOTE_ROLES_MAX = 2,
    NOTE_ERROR_SIZE = 160,
};

enum note_type { NOTE_none = 0, NOTE_certificate, NOTE_receipt, NOTE_verdict };

/* What is wrong with a note; negative, as returned by every function here. */
enum note_result {
    NOTE_ok = 0,
    NOTE_oversized = -1,     /* more than NOTE_SIZE_MAX bytes */
    NOTE_truncated = -2,     /* ends within a line, or before all lines that it needs */
    NOTE_not_a_note = -3,    /* does not begin with `dojima ` */
    NOTE_unknown_type = -4,  /* no such type, or not the one asked for */
    NOTE_unknown_version = -5,
    NOTE_wrong_key = -6,     /* another key than the one that stands here in this type */
    NOTE_bad_text = -7,      /* empty, too long, or with a character that may not be there */
    NOTE_bad_number = -8,    /* not a decimal integer without sign or leading zeros, or too large */
    NOTE_bad_time = -9,      /* not a whole second (hour) of UTC as 2027-01-04T14:00:00Z */
    NOTE_bad_word = -10,     /* none of the words that may stand here */
    NOTE_bad_hex = -11,      /* not lower-case hexadecimal digits of the right number */
    NOTE_trailing = -12,     /* bytes behind the last line */
    NOTE_inconsistent = -13, /* each line is right by itself, together they cannot be */
    NOTE_unsigned = -14,     /* a signature that is needed is not there */
    NOTE_bad_signature = -15,
};

struct note_error {
    int code;      /* enum note_result */
    uint32_t line; /* from 1; 0: the note as a whole */
    char text[NOTE_ERROR_SIZE]; /* one sentence for whoever sent it */
};

/* Which type a text claims to be, from its first line alone; NOTE_none: no note. */
enum note_type note_type_of(const char *text, size_t length);

/* ---- for the types ---- */

enum note_kind {
    NOTE_KIND_name,   /* letters, digits, . _ - : char[size], zero-terminated */
    NOTE_KIND_text,   /* printable ASCII, no space at either end: char[size] */
    NOTE_KIND_u32,    /* uint32_t */
    NOTE_KIND_u64,    /* uint64_t, at most INT64_MAX */
    NOTE_KIND_u128,   /* uint128_t, at most INT128_MAX */
    NOTE_KIND_word,   /* uint32_t, an index into `words` */
    NOTE_KIND_hour,   /* int64_t, hours since 1970-01-01T00Z */
    NOTE_KIND_second, /* ts_t, whole seconds */
    NOTE_KIND_hex,    /* uint8_t[size] */
};

struct note_field {
    const char *key;
    enum note_kind kind;
    uint16_t offset;          /* in the type's struct */
    uint16_t size;            /* of char[] and uint8_t[] */
    const char *const *words; /* NULL-terminated */
};

struct note_role {
    const char *name;          /* the line is NAME-signature */
    uint16_t key_offset;       /* of its public key in the struct, itself a field */
    uint16_t signature_offset; /* of uint8_t[NOTE_SIGNATURE_SIZE] */
};

/* The struct's `uint32_t signed_by`, a bit a role, says which signature lines there are. */
struct note_form {
    enum note_type type;
    const struct note_field *fields;
    uint32_t field_count;
    struct note_role roles[NOTE_ROLES_MAX];
    uint32_t role_count;
    uint16_t signed_by_offset;
    uint16_t struct_size;
    const char *(*wrong)(const void *object); /* NULL: fits together; else what does not */
};

/* Writes the note with the signatures that it has. Returns its length; the object must be valid:
 * what cannot be written is an assertion. */
size_t note_encode(const struct note_form *form, const void *object, char text[NOTE_SIZE_MAX]);

/* Reads a whole text. 0, or the reason (also in *error, which may be NULL); the object is then
 * unspecified. */
int note_parse(const struct note_form *form, void *object, const char *text, size_t length,
               struct note_error *error);

/* Whether the struct holds what a note of this form may say: all that is sent is checked so. */
int note_check(const struct note_form *form, const void *object, struct note_error *error);

/* Signs for a role. false: the secret is not that of the role's public key; nothing is done. */
bool note_sign(const struct note_form *form, void *object, uint32_t role,
               const uint8_t secret[NOTE_SECRET_SIZE]);

/* Whether each of these roles (bits) has signed, by the keys in the note itself. */
int note_verify(const struct note_form *form, const void *object, uint32_t roles,
                struct note_error *error);

/* A pair of keys from a seed of 32 bytes. */
void note_keys(const uint8_t seed[NOTE_SEED_SIZE], uint8_t key[NOTE_KEY_SIZE],
               uint8_t secret[NOTE_SECRET_SIZE]);

#endif
