/* certify_hardware.h: what a certificate says of the machine, in the words of its operating system.
 *
 * Read from /proc and /sys. It identifies what was measured; what is certified is the work done,
 * never what hardware says about itself (UNIT-01). All text is made printable ASCII, since a signed
 * note takes nothing else.
 *
 * Upstream: io. Downstream: certify.c, cli/certify.
 */
#ifndef DOJIMA_WORK_CERTIFY_HARDWARE_H
#define DOJIMA_WORK_CERTIFY_HARDWARE_H

#include "work/gpu.h"

enum { HARDWARE_DEVICES_MAX = 32, HARDWARE_WORD_SIZE = 96, HARDWARE_LINE_SIZE = 96 };

struct hardware_device { /* on the PCI bus: display controllers and processing accelerators */
    char address[24];
    uint32_t vendor, device, class; /* 16, 16 and 24 bits */
};

struct hardware {
    char processor[HARDWARE_WORD_SIZE]; /* model name */
    char features[HARDWARE_WORD_SIZE];  /* those that matter to products: avx2 fma avx512f ... */
    uint32_t threads, cores, sockets;   /* as the kernel counts them; 0: not said */
    uint64_t memory;                    /* bytes */
    char hypervisor[8];                 /* "yes", "no" */
    char kernel[HARDWARE_WORD_SIZE];    /* its release */
    char driver[HARDWARE_WORD_SIZE];    /* the kernel's GPU driver; empty: none */
    struct hardware_device devices[HARDWARE_DEVICES_MAX];
    uint32_t device_count;
};

/* `root`: in front of /proc and /sys ("": this machine's own). What cannot be read stays empty. */
void hardware_read(struct hardware *h, const char *root);

/* One line for the certificate: the GPU, when there is one, and the processor. */
void hardware_line(char *text, size_t size, const struct hardware *h, const struct gpu_facts *gpu);

#endif
