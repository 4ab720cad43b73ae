#!/usr/bin/env python3
"""workload_test: the reference workloads, written a second time from docs/workloads.md alone.

Usage: workload_test.py

Nothing of the program is used: if this agrees with the digests that src/work/work_test.c pins, the
page says enough for a third party to write it again. All of it is Python's own integers.
"""
import hashlib
import sys
from math import isqrt

M64 = (1 << 64) - 1
W = [-4, -3, -2, -2, -1, -1, -1, 0, 0, 1, 1, 1, 2, 2, 3, 4]
QKV, OUT, UP, DOWN, HEAD, GEMM, EMBEDDING = range(7)
PLACES = {QKV: (16, 11), OUT: (15, 12), UP: (16, 12), DOWN: (12, 12), HEAD: (16, 16)}


def mix(z):
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & M64
    z = (z ^ z >> 27) * 0x94d049bb133111eb & M64
    return z ^ z >> 31


def random(key, i):
    return mix(key + (i + 1) * 0x9e3779b97f4a7c15 & M64)


def rounded(v, s):
    return (v + (1 << s - 1)) >> s


def clamp(v, m):
    return max(-m, min(m, v))


def sha(data):
    return hashlib.sha256(data).digest()


def words(*values):
    return b''.join(v.to_bytes(4, 'big') for v in values)


def key_of(digest):
    return int.from_bytes(digest[:8], 'little')


# ---- from a seed ----

def weights_of(seed, layer, matrix, count):
    key = random(random(seed, layer), matrix)
    out = []
    for block in range(count // 16):
        r = random(key, block)
        out += [W[r >> 4 * n & 15] for n in range(16)]
    return out


class Matrix:
    def __init__(self, seed, layer, matrix, depth, columns):
        self.matrix, self.depth, self.columns = matrix, depth, columns
        flat = weights_of(seed, layer, matrix, depth * columns)
        self.by_column = [flat[c * depth:(c + 1) * depth] for c in range(columns)]
        self.rows_a, self.rows_c = [], []  # of every position: what is committed to
        if matrix in PLACES:
            before, after = PLACES[matrix]
            d, e = 127 * isqrt((9 * depth // 2) << 16), 0
            while (1 << e) // d < 16384:
                e += 1
            self.scale, self.shift = (1 << e) // d, e - 8 + before - after

    def multiply(self, a):
        c = [sum(map(int.__mul__, a, column)) for column in self.by_column]
        self.rows_a.append(bytes(x & 255 for x in a))
        self.rows_c.append(b''.join((x & 0xffffffff).to_bytes(4, 'little') for x in c))
        return c

    def product(self, v):
        top = max(1, max(abs(x) for x in v))
        inverse = (127 << 40) // top
        c = self.multiply([rounded(x * inverse, 40) for x in v])
        return [rounded(x * top * self.scale, self.shift) for x in c]


# ---- the functions between ----

def norm(x):
    inverse = (1 << 40) // isqrt(sum(v * v for v in x) // len(x) + 1)
    return [clamp(rounded(rounded(v * inverse, 24) * 4096, 12), (1 << 24) - 1) for v in x]


def sine(turn):
    quarter, t = turn >> 30, turn & (1 << 30) - 1
    if quarter & 1:
        t = (1 << 30) - t
    u, y = t * t >> 30, 172272
    for c in (5026995, 85569306, 693598668, 1686629713):
        y = c - (y * u >> 30)
    y = min(16384, rounded(t * y >> 30, 16))
    return -y if quarter & 2 else y


def power(f):
    x, y = f << 14, 165394
    for c in (1431680, 10327387, 59597083, 257941248, 744261118, 1073741824):
        y = c - (y * x >> 30)
    return max(32768, rounded(y, 14))


def swiglu(g, u):
    g, u = clamp(g, (1 << 19) - 1), clamp(u, (1 << 21) - 1)
    z = abs(g) * 94548 >> 12
    e = power(z & 65535) >> 1 + min(30, z >> 16)
    part = (e << 15 if g < 0 else 1 << 30) // (32768 + e)
    return clamp(rounded(rounded(g * part, 15) * u, 12), (1 << 24) - 1)


def mean(total, counts):
    size = ((abs(total) << 10) + counts // 2) // counts
    return -size if total < 0 else size


class Decoder:
    def __init__(self, seed, layers, width, heads, kv_heads, size, hidden, vocabulary):
        self.layers, self.width, self.heads, self.kv_heads = layers, width, heads, kv_heads
        self.size, self.vocabulary = size, vocabulary
        self.steps = []
        for layer in range(layers):
            self.steps += [Matrix(seed, layer, QKV, width, (heads + 2 * kv_heads) * size),
                           Matrix(seed, layer, OUT, width, width),
                           Matrix(seed, layer, UP, width, 2 * hidden),
                           Matrix(seed, layer, DOWN, hidden, width)]
        self.steps.append(Matrix(seed, 0, HEAD, width, vocabulary))
        self.embedding = weights_of(seed, 0, EMBEDDING, vocabulary * width)
        ratio = {16: 5833372668713515884, 64: 13833106561912589466}[size]
        self.frequencies = [2935890503282001226]
        while len(self.frequencies) < size // 2:
            self.frequencies.append(self.frequencies[-1] * ratio >> 64)
        self.scale = isqrt(6051102 ** 2 // size)
        self.keys = [[] for _ in range(layers)]
        self.values = [[] for _ in range(layers)]

    def rotate(self, y, position):
        half, out = self.size // 2, [0] * self.size
        for i in range(half):
            turn = (self.frequencies[i] * position & M64) >> 32
            s, c = sine(turn), sine(turn + (1 << 30) & 0xffffffff)
            out[i] = clamp(rounded(y[i] * c - y[i + half] * s, 20), 127)
            out[i + half] = clamp(rounded(y[i + half] * c + y[i] * s, 20), 127)
        return out

    def attention(self, layer, y, position):
        size, kv = self.size, self.kv_heads
        y = [clamp(v, 127 << 6) for v in y]
        parts = [y[i * size:(i + 1) * size] for i in range(self.heads + 2 * kv)]
        q = [self.rotate(p, position) for p in parts[:self.heads]]
        self.keys[layer].append(
            [self.rotate(p, position) for p in parts[self.heads:self.heads + kv]])
        self.values[layer].append(
            [[clamp(rounded(v, 6), 127) for v in p] for p in parts[self.heads + kv:]])
        row = []
        for h in range(self.heads):
            g = h // (self.heads // kv)
            scores = [sum(map(int.__mul__, q[h], k[g])) for k in self.keys[layer]]
            counts = []
            for s in scores:
                z = (max(scores) - s) * self.scale >> 16
                n = z >> 16
                counts.append(0 if n >= 8 else
                              (127 * power(z & 65535) + (1 << 15 + n)) >> 16 + n)
            total = sum(counts)
            row += [mean(sum(c * v[g][d] for c, v in zip(counts, self.values[layer])), total)
                    for d in range(size)]
        return row

    def position(self, token, position, sampled):
        x = [2048 * v for v in self.embedding[token * self.width:(token + 1) * self.width]]
        for layer in range(self.layers):
            qkv, out, up, down = self.steps[4 * layer:4 * layer + 4]
            y = out.product(self.attention(layer, qkv.product(norm(x)), position))
            x = [clamp(a + b, (1 << 24) - 1) for a, b in zip(x, y)]
            y = up.product(norm(x))
            half = len(y) // 2
            y = down.product([swiglu(g, u) for g, u in zip(y[:half], y[half:])])
            x = [clamp(a + b, (1 << 24) - 1) for a, b in zip(x, y)]
        if sampled:
            return [clamp(v, 1 << 30) for v in self.steps[-1].product(norm(x))]


def sample(logits, temperature, top_k, key, i):
    order = sorted(range(len(logits)), key=lambda t: (-logits[t], t))
    if temperature == 0:
        return order[0]
    sharpness, weights = (94548 << 16) // temperature, {}
    for t in order[:top_k or None]:
        z = (logits[order[0]] - logits[t]) * sharpness >> 16
        weights[t] = 0 if z >= 40 << 16 else power(z & 65535) << 24 >> (z >> 16)
    at, total = random(key, i) * sum(weights.values()) >> 64, 0
    for t in sorted(weights):
        total += weights[t]
        if total > at:
            return t


# ---- what is committed to ----

def matrix_digest(rows):
    out = b''
    for row in rows:
        row += b'\0' * (-len(row) % 8)
        total = 0
        for i in range(len(row) // 8):
            pair = int.from_bytes(row[8 * i:8 * i + 8], 'little')
            total += mix(pair + (i + 1) * 0x9e3779b97f4a7c15 & M64)
        out += (total & M64).to_bytes(8, 'little')
    return sha(out)


def root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while 2 * half < len(leaves):
        half *= 2
    return sha(b'\1' + root(leaves[:half]) + root(leaves[half:]))


def transcript(steps):
    return root([sha(b'\0' + words(i, s.matrix, len(s.rows_a), s.depth, s.columns) +
                     matrix_digest(s.rows_a) + matrix_digest(s.rows_c))
                 for i, s in enumerate(steps)])


def answer_digest(tokens, product=bytes(32)):
    return sha(words(1, len(tokens)) + product + words(*tokens))


def run_decoder(workload, shape, nonce, prompt_count, answer_count, temperature=0, top_k=0):
    decoder = Decoder(202600 + workload, *shape)
    spec = words(1, 2026, workload, prompt_count, answer_count, temperature, top_k, 0xffffffff, 0)
    key = key_of(sha(spec + bytes(32) + nonce))
    vocabulary, tokens, answer = shape[-1], [], []
    for i in range(prompt_count):
        tokens.append((random(key_of(nonce), i) >> 32) * vocabulary >> 32)
    for p in range(prompt_count + answer_count - 1):
        logits = decoder.position(tokens[p], p, p >= prompt_count - 1)
        if logits is not None:
            answer.append(sample(logits, temperature, top_k, key, len(answer)))
            tokens.append(answer[-1])
    return answer_digest(answer), transcript(decoder.steps), answer


def run_gemm(workload, rows, depth, columns, nonce):
    b = Matrix(202600 + workload, 0, GEMM, depth, columns)
    for i in range(rows):
        a = []
        for group in range(i * depth // 8, (i + 1) * depth // 8):
            r = random(key_of(nonce), group)
            a += [((r >> 8 * n & 255) * 255 >> 8) - 127 for n in range(8)]
        b.multiply(a)
    return answer_digest([], matrix_digest(b.rows_c)), transcript([b]), []


def main():
    nonce = sha((2026).to_bytes(8, 'little'))
    test = (2, 64, 4, 2, 16, 192, 256)
    results = {
        'test': run_decoder(5, test, nonce, 16, 8),
        'test, sampled': run_decoder(5, test, nonce, 16, 8, 65536, 40),
        'gemm-test': run_gemm(6, 32, 64, 48, nonce),
    }
    pinned = {
        'test': ('2b38456c9a95e21a7e566630e97103468921909d897a52e62319eebd7dd949f9',
                 '22aed7616f022a9bb97ef8adafb5a424d24f57bcc64f745f7c8aaaabe3318531'),
        'test, sampled': ('93bb24ddeab4faf7928ffecd92e5e9a5b3dd055fbe66ff8fefdf90943ac2fffc',
                          '2c74c1e3db6a836877d367d957fc5945ad871a4ca4f7f7b4d4faa7285eafba9b'),
        'gemm-test': ('bccbb8156bb52539ddcc65ca2e9f00a3b546838adc65a6ba4d00977183b10fd7',
                      '96c6cd84b4eaf629acba401632b429b4b7a187be6be50c147de26709b2609329'),
    }
    wrong = 0
    for name, (answer, transcript_root, tokens) in results.items():
        same = (answer.hex(), transcript_root.hex()) == pinned[name]
        wrong += not same
        print('%-14s answer %s transcript %s %s %s' % (name, answer.hex(), transcript_root.hex(),
                                                      'ok' if same else 'ANOTHER', tokens))
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
