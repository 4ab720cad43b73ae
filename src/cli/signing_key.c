/* signing_key.c: see signing_key.h. */
#include "cli/signing_key.h"

#include "proof/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEED_TEXT = 2 * NOTE_SEED_SIZE };

static int key_make(const char *path, char *error, size_t size)
{
    uint8_t seed[NOTE_SEED_SIZE];
    char text[SEED_TEXT + 2];
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 && errno == EEXIST) return 0;
    randombytes_buf(seed, sizeof seed);
    hex_write(text, seed, sizeof seed);
    text[SEED_TEXT] = '\n';
    bool written = file >= 0 && write(file, text, SEED_TEXT + 1) == SEED_TEXT + 1 &&
                   fsync(file) == 0;
    if (!written) (void)snprintf(error, size, "%s cannot be made: %s", path, strerror(errno));
    if (file >= 0) (void)close(file);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(text, sizeof text);
    return written ? 0 : -1;
}

int signing_key_read(const char *path, bool make, struct signing_key *key, char *error, size_t size)
{
    char text[SEED_TEXT + 2] = "";
    uint8_t seed[NOTE_SEED_SIZE];
    struct stat status;
    if (sodium_init() < 0) return -1;
    if (make && key_make(path, error, size) != 0) return -1;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) != 0) {
        (void)snprintf(error, size, "%s cannot be read: %s", path, strerror(errno));
        if (file >= 0) (void)close(file);
        return -1;
    }
    ssize_t n = read(file, text, sizeof text - 1);
    (void)close(file);
    bool good = false;
    if ((status.st_mode & 077) != 0)
        (void)snprintf(error, size, "%s may be read by others: chmod 600", path);
    else if (n < SEED_TEXT || !hex_read(seed, sizeof seed, text, SEED_TEXT))
        (void)snprintf(error, size, "%s is no key: 64 hexadecimal digits are wanted", path);
    else good = true;
    if (good) note_keys(seed, key->key, key->secret);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(text, sizeof text);
    return good ? 0 : -1;
}

void signing_key_text(const struct signing_key *key, char text[SIGNING_KEY_TEXT_SIZE])
{
    hex_write(text, key->key, NOTE_KEY_SIZE);
    text[SIGNING_KEY_TEXT_SIZE - 1] = 0;
}
