"""notes.py: signed notes (src/proof/note.h) for scenarios, written and signed here, with nothing of
the program's: a second opinion on its reading and on its signatures.

Ed25519 as RFC 8032, section 5.1, gives it, in plain integers; slow and not for secrets. Keys are
made from names: the same name is the same key in every scenario.
"""
import hashlib
import math

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def _x_of(y, sign):
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return P - x if x & 1 != sign else x


_GY = 4 * pow(5, P - 2, P) % P
_GX = _x_of(_GY, 0)
_G = (_GX, _GY, 1, _GX * _GY % P)


def _add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _times(n, p):
    q = (0, 1, 1, 0)
    while n:
        if n & 1:
            q = _add(q, p)
        p = _add(p, p)
        n >>= 1
    return q


def _bytes(p):
    inverse = pow(p[2], P - 2, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, 'little')


def _secret(name):
    h = hashlib.sha512(hashlib.sha256(name.encode()).digest()).digest()
    return int.from_bytes(h[:32], 'little') & (1 << 254) - 8 | 1 << 254, h[32:]


def public_key(name):
    return _bytes(_times(_secret(name)[0], _G)).hex()


def sign(name, message):
    a, prefix = _secret(name)
    key = _bytes(_times(a, _G))
    r = int.from_bytes(hashlib.sha512(prefix + message).digest(), 'little') % L
    point = _bytes(_times(r, _G))
    k = int.from_bytes(hashlib.sha512(point + key + message).digest(), 'little') % L
    return (point + ((r + k * a) % L).to_bytes(32, 'little')).hex()


def note(kind, fields, signers):
    """A note of a type: fields in their order, signers as (role, name)."""
    body = 'dojima %s 1\n%s' % (kind, ''.join('%s %s\n' % f for f in fields))
    lines = ''.join('%s-signature %s\n' % (role, sign(name, body.encode()))
                    for role, name in signers)
    return body + '--\n' + lines


def forged(text, role):
    """The note with a stranger's signature in the place of this role's."""
    body, signatures = text.split('--\n')
    lines = ['%s-signature %s' % (role, sign('a stranger', body.encode()))
             if line.startswith(role + '-') else line for line in signatures.splitlines()]
    return body + '--\n' + '\n'.join(lines) + '\n'


def certificate(certifier, **given):
    """A certificate signed by this certifier; what is not given is as a good one has it."""
    evidence = '%s %s' % (certifier, sorted(given.items()))
    fields = dict(resource='rack', provider='alice', site='Mito', region='eu',
                  hardware='8 x H100 SXM', vintage='2026', grade='server', work='10000000000',
                  duration='600', evidence=hashlib.sha256(evidence.encode()).hexdigest(),
                  quick='no', issued='2027-01-04T00:00:00Z', expires='2027-02-03T00:00:00Z',
                  certifier=public_key(certifier))
    fields.update({k: str(v) for k, v in given.items()})
    return note('certificate', list(fields.items()), [('certifier', certifier)])


def root_of(allocation, hour):
    return hashlib.sha256(('root %s %s' % (allocation, hour)).encode()).hexdigest()


def receipt(allocation, instrument, hour, flop, seller, buyer, tasks=100, signed='both', **given):
    """An hour's work, signed by both sides, or by the seller alone; keys of their names."""
    fields = dict(allocation=allocation, instrument=instrument, hour=hour, tasks=tasks, flop=flop,
                  root=root_of(allocation, hour), seller=public_key(seller),
                  buyer=public_key(buyer))
    fields.update({k: str(v) for k, v in given.items()})
    signers = [('seller', seller), ('buyer', buyer)]
    return note('receipt', list(fields.items()), signers if signed == 'both' else signers[:1])


def bound_ppm(tasks, sampled, failed):
    """The most wrong tasks that leave more than 5% for so few failures, by their exact chances."""
    if sampled == 0:
        return 1000000

    def likely(wrong):
        ways = sum(math.comb(wrong, i) * math.comb(tasks - wrong, sampled - i)
                   for i in range(failed + 1))
        return 20 * ways > math.comb(tasks, sampled)

    wrong = max(f for f in range(failed, tasks + 1) if f == failed or likely(f))
    return -(-wrong * 1000000 // tasks)


def verdict(verifier, allocation, hour, outcome, flop, kind='hour', tasks=100, sampled=90,
            failed=None, **given):
    failed = (1 if outcome == 'falsified' else 0) if failed is None else failed
    bound = 1000000 if outcome == 'no_answer' else bound_ppm(tasks, sampled, failed)
    seed = hashlib.sha256(('nonce %s %s %s' % (allocation, hour, kind)).encode()).hexdigest()
    fields = {'allocation': allocation, 'hour': hour, 'root': root_of(allocation, hour),
              'kind': kind, 'seed': seed, 'tasks': tasks, 'sampled': sampled, 'failed': failed,
              'bound-ppm': bound, 'flop': flop, 'attested': 'no', 'outcome': outcome,
              'verifier': public_key(verifier)}
    fields.update({k: str(v) for k, v in given.items()})
    return note('verdict', list(fields.items()), [('verifier', verifier)])
