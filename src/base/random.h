/* random.h: a seeded generator (splitmix64; Steele, Lea, Flood, OOPSLA 2014). Not for secrets. */
#ifndef DOJIMA_BASE_RANDOM_H
#define DOJIMA_BASE_RANDOM_H

#include <stdint.h>

struct random { uint64_t state; };

static inline uint64_t random_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline uint64_t random_next(struct random *r)
{
    r->state += UINT64_C(0x9e3779b97f4a7c15);
    return random_mix(r->state);
}

/* Uniform in [0, bound), bound > 0; by multiplication, bias below 2^-32 for bound < 2^32. */
static inline uint64_t random_below(struct random *r, uint64_t bound)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)(((wide)random_next(r) * bound) >> 64);
}

#endif
