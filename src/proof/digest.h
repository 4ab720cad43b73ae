/* digest.h: SHA-256 (FIPS 180-4), by OpenSSL, which uses the processor's instructions for it.
 *
 * Upstream: base. Downstream: merkle, commit, sample, proof; work, cli.
 */
#ifndef DOJIMA_PROOF_DIGEST_H
#define DOJIMA_PROOF_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_BYTES = 32, DIGEST_TEXT_SIZE = 2 * DIGEST_BYTES + 1 };

struct digest { uint8_t v[DIGEST_BYTES]; };

/* Of one piece. */
struct digest digest_of(const void *data, size_t size);

/* Of several, one behind the other. */
struct digest_piece {
    const void *data;
    size_t size;
};
struct digest digest_of_pieces(const struct digest_piece *pieces, size_t count);

/* Of a stream of any length. digest_end closes it; digest_begin may follow. */
struct digest_stream { void *context; };
void digest_begin(struct digest_stream *s); /* s->context NULL at first: it is taken */
void digest_add(struct digest_stream *s, const void *data, size_t size);
struct digest digest_end(struct digest_stream *s);
void digest_free(struct digest_stream *s);

bool digest_equal(const struct digest *a, const struct digest *b);

/* Lower-case hexadecimal and a zero byte. */
void digest_text(char text[DIGEST_TEXT_SIZE], const struct digest *d);

/* `size` bytes from 2 x size lower-case hexadecimal digits, and back (without a zero byte). */
bool hex_read(uint8_t *bytes, size_t size, const char *text, size_t length);
void hex_write(char *text, const uint8_t *bytes, size_t size);

#endif
