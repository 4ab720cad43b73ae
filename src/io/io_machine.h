/* io_machine.h: what the operating system says of the machine, as files of text and lists of names
 * (/proc, /sys). Read-only; nothing of it is believed further than it is quoted.
 *
 * Upstream: nothing. Downstream: work (hardware of a certificate).
 */
#ifndef DOJIMA_IO_IO_MACHINE_H
#define DOJIMA_IO_IO_MACHINE_H

#include "io/io.h"

/* The names in a directory, without those that begin with a dot and those too long for a struct
 * io_name, in byte order: how many there are (of which names_max are given), or an error. */
int64_t io_machine_list(const char *path, struct io_name *names, size_t names_max);

/* A file's first bytes as text, zero-terminated, at most size - 1: how many, or an error. */
int64_t io_machine_text(const char *path, char *text, size_t size);

#endif
