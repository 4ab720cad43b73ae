/* files.h: whole files, and the directories that they go into.
 *
 * Upstream: a disk. Downstream: every subcommand that keeps or reads something of its own.
 */
#ifndef DOJIMA_CLI_FILES_H
#define DOJIMA_CLI_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Its owner's alone; one that is there stays as it is. Whether it can be used, its use shows. */
void files_directory_make(const char *path);

/* The whole of it, to be freed; NULL, and errno, when it cannot be read or is longer. */
uint8_t *files_read(const char *path, size_t most, size_t *size);

/* Whole or not at all: under another name first. */
bool files_write(const char *path, const void *bytes, size_t size);

int64_t files_size(const char *path); /* bytes; -1: there is none */
bool files_sync(FILE *f); /* what was written is on the disk */

/* It is in use: files_sweep counts from now. */
void files_touch(const char *path);
/* Removes the directory's plain files that nobody wrote or touched for so many seconds. */
void files_sweep(const char *directory, int64_t seconds);

#endif
