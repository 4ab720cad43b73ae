/* tls.c: see tls.h. Memory BIOs on both sides, so that the loop owns all I/O. */
#include "gate/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

struct tls_context { SSL_CTX *ctx; };
struct tls {
    SSL *ssl;
    BIO *in;
    BIO *out;
};

/* The first protocol of the client's list that we speak: http/1.1 only. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                           const unsigned char *in, unsigned in_size, void *context)
{
    static const unsigned char ours[] = "\x08http/1.1";
    (void)ssl;
    (void)context;
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, out_size, ours, sizeof ours - 1, in, in_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static struct tls_context *context_failed(struct tls_context *c, const char *what,
                                          const char *path, char *error, size_t error_size)
{
    char text[160] = "";
    unsigned long code = ERR_get_error();
    if (code != 0) ERR_error_string_n(code, text, sizeof text);
    snprintf(error, error_size, "%s %s: %s", what, path, text);
    ERR_clear_error();
    tls_context_close(c);
    return NULL;
}

struct tls_context *tls_context_open(const char *cert, const char *key, char *error,
                                     size_t error_size)
{
    struct tls_context *c = calloc(1, sizeof *c);
    if (c == NULL) return NULL;
    c->ctx = SSL_CTX_new(TLS_server_method());
    if (c->ctx == NULL) return context_failed(c, "TLS", "", error, error_size);
    SSL_CTX_set_min_proto_version(c->ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(c->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(c->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(c->ctx, choose_protocol, NULL);
    if (SSL_CTX_use_certificate_chain_file(c->ctx, cert) != 1)
        return context_failed(c, "cannot read the certificate", cert, error, error_size);
    if (SSL_CTX_use_PrivateKey_file(c->ctx, key, SSL_FILETYPE_PEM) != 1)
        return context_failed(c, "cannot read the key", key, error, error_size);
    if (SSL_CTX_check_private_key(c->ctx) != 1)
        return context_failed(c, "the key does not belong to the certificate", cert, error,
                              error_size);
    return c;
}

void tls_context_close(struct tls_context *c)
{
    if (c == NULL) return;
    SSL_CTX_free(c->ctx);
    free(c);
}

struct tls *tls_open(struct tls_context *c)
{
    struct tls *t = calloc(1, sizeof *t);
    if (t == NULL) return NULL;
    t->ssl = SSL_new(c->ctx);
    t->in = BIO_new(BIO_s_mem());
    t->out = BIO_new(BIO_s_mem());
    if (t->ssl == NULL || t->in == NULL || t->out == NULL) {
        BIO_free(t->in);
        BIO_free(t->out);
        SSL_free(t->ssl);
        free(t);
        return NULL;
    }
    SSL_set_bio(t->ssl, t->in, t->out); /* the BIOs are the SSL's from here */
    SSL_set_accept_state(t->ssl);
    return t;
}

void tls_close(struct tls *t)
{
    if (t == NULL) return;
    SSL_free(t->ssl);
    free(t);
}

bool tls_feed(struct tls *t, const char *bytes, size_t size)
{
    return BIO_write(t->in, bytes, (int)size) == (int)size;
}

int tls_read(struct tls *t, char *out, size_t size)
{
    ERR_clear_error();
    int n = SSL_read(t->ssl, out, (int)size);
    if (n > 0) return n;
    int why = SSL_get_error(t->ssl, n);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

int tls_write(struct tls *t, const char *bytes, size_t size)
{
    ERR_clear_error();
    int n = SSL_write(t->ssl, bytes, (int)size);
    if (n > 0) return n;
    int why = SSL_get_error(t->ssl, n);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

size_t tls_drain(struct tls *t, char *out, size_t size)
{
    int n = BIO_read(t->out, out, (int)size);
    return n > 0 ? (size_t)n : 0;
}

size_t tls_pending(struct tls *t)
{
    return BIO_ctrl_pending(t->out);
}

void tls_goodbye(struct tls *t)
{
    ERR_clear_error();
    if (SSL_is_init_finished(t->ssl)) SSL_shutdown(t->ssl);
}

bool tls_is_ready(struct tls *t)
{
    return SSL_is_init_finished(t->ssl) != 0;
}
