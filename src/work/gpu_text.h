/* gpu_text.h: the texts that a GPU's compiler is given (tools/embed makes them).
 *
 * Upstream: the files of those names. Downstream: gpu.c.
 */
#ifndef DOJIMA_WORK_GPU_TEXT_H
#define DOJIMA_WORK_GPU_TEXT_H

extern const char gpu_text_kernels[]; /* gpu_kernels.h */
extern const char gpu_text_fixed[];   /* fixed.h */
extern const char gpu_text_fingerprint[]; /* fingerprint.h */
extern const char gpu_text_stdint[];  /* gpu_stdint.h: stands in for the system's stdint.h */

#endif
