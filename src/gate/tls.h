/* tls.h: OpenSSL between a connection's bytes and the plain text, without sockets. */
#ifndef DOJIMA_GATE_TLS_H
#define DOJIMA_GATE_TLS_H

#include <stdbool.h>
#include <stddef.h>

struct tls_context;
struct tls;

/* Certificate chain and key from PEM files; TLS 1.2 and later, ALPN http/1.1. NULL and a line. */
struct tls_context *tls_context_open(const char *cert, const char *key, char *error,
                                     size_t error_size);
void tls_context_close(struct tls_context *c);

struct tls *tls_open(struct tls_context *c); /* NULL: out of memory */
void tls_close(struct tls *t);

/* Takes bytes from the peer; false on failure. */
bool tls_feed(struct tls *t, const char *bytes, size_t size);
/* Plain text: bytes read, 0 when more must come, -1 on failure or the peer's end. Also carries the
 * handshake on. */
int tls_read(struct tls *t, char *out, size_t size);
/* Encrypts up to size bytes: how many were taken; -1 on failure. */
int tls_write(struct tls *t, const char *bytes, size_t size);
/* Bytes to be sent to the peer: how many were put in out. */
size_t tls_drain(struct tls *t, char *out, size_t size);
size_t tls_pending(struct tls *t); /* bytes that tls_drain would give */
void tls_goodbye(struct tls *t);   /* queues close_notify */
bool tls_is_ready(struct tls *t);  /* the handshake is done */

#endif
