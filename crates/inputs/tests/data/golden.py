"""Writes distributions.json: values of distributions at standard normal numbers.

Run with mpmath 1.4 (50 digits): python golden.py > distributions.json
Every quantile is the root of the distribution function, which mpmath computes from its own incomplete
gamma and beta functions; nothing is taken from this project.
"""

import json

import mpmath as mp

mp.mp.dps = 50
M = mp.mpf
US = [-30, -12, -8, -5, -3, -1.5, -0.5, -0.01, 0, 0.01, 0.3, 1, 2.5, 4, 8, 12, 30]


def lower(u):
    """Phi(u)."""
    return mp.erfc(-M(u) / mp.sqrt(2)) / 2


def root_ln(ln_f, guess, lo=None):
    """The root of a monotone function of log x by bisection and secant steps."""
    y = M(guess)
    step = M(1)
    f0 = ln_f(y)
    while True:
        z = y - step if f0 > 0 else y + step
        f1 = ln_f(z)
        if (f1 > 0) != (f0 > 0):
            break
        y, f0 = z, f1
        step *= 2
    a, b = (y, z) if y < z else (z, y)
    return mp.findroot(ln_f, (a, b), solver="anderson", tol=1e-60, maxsteps=200, verify=False)


def gamma_quantile(k, u):
    if u <= 0:
        p = mp.log(lower(u))
        f = lambda y: mp.log(mp.gammainc(k, 0, mp.exp(y), regularized=True)) - p
    else:
        q = mp.log(lower(-u))
        f = lambda y: q - mp.log(mp.gammainc(k, mp.exp(y), mp.inf, regularized=True))
    return mp.exp(root_ln(f, mp.log(M(k))))


def beta_lower(a, b, ln_p):
    """x by its logit, from the lower side."""
    def f(y):
        x = 1 / (1 + mp.exp(-y))
        if y < 0:
            return mp.log(mp.betainc(a, b, 0, x, regularized=True)) - ln_p
        rest = 1 / (1 + mp.exp(y))
        return mp.log1p(-mp.betainc(b, a, 0, rest, regularized=True)) - ln_p
    y = root_ln(f, 0)
    return 1 / (1 + mp.exp(-y))


def beta_quantile(a, b, lo, hi, u):
    if u <= 0:
        return lo + (hi - lo) * beta_lower(a, b, mp.log(lower(u)))
    return hi - (hi - lo) * beta_lower(b, a, mp.log(lower(-u)))


def t_quantile(nu, u):
    if u == 0:
        return M(0)
    q = mp.log(lower(-abs(u)))

    def f(y):
        x2 = mp.exp(2 * y)
        if x2 > nu:
            sf = mp.betainc(nu / 2, M(1) / 2, 0, nu / (nu + x2), regularized=True) / 2
        else:
            sf = (1 - mp.betainc(M(1) / 2, nu / 2, 0, x2 / (nu + x2), regularized=True)) / 2
        return q - mp.log(sf)

    x = mp.exp(root_ln(f, mp.log(abs(M(u)))))
    return x if u > 0 else -x


def truncated_quantile(m, s, lo, hi, u):
    a, b = (lo - m) / s, (hi - m) / s
    mp.mp.dps = 400
    try:
        mass = lower(b) - lower(a)
        target = lower(a) + mass * lower(u)
        f = lambda z: lower(z) - target
        left, right = max(a, M(-60)), min(b, M(60))
        for _ in range(900):
            mid = (left + right) / 2
            if f(mid) > 0:
                right = mid
            else:
                left = mid
        return m + s * (left + right) / 2
    finally:
        mp.mp.dps = 50


def moments(quantile):
    """Mean and standard deviation by quadrature over u."""
    mp.mp.dps = 20
    try:
        grid = mp.linspace(-9, 9, 13)
        phi = lambda u: mp.npdf(u)
        mean = mp.quad(lambda u: quantile(u) * phi(u), grid, maxdegree=4)
        var = mp.quad(lambda u: (quantile(u) - mean) ** 2 * phi(u), grid, maxdegree=4)
        return mean, mp.sqrt(var)
    finally:
        mp.mp.dps = 50


def tri(a, c, b, u):
    p, q = lower(u), lower(-M(u))
    if p <= (c - a) / (b - a):
        return a + mp.sqrt(p * (b - a) * (c - a))
    return b - mp.sqrt(q * (b - a) * (b - c))


def tri_pdf(a, c, b, w):
    return 2 * (w - a) / ((b - a) * (c - a)) if w < c else 2 * (b - w) / ((b - a) * (b - c))


def f(x):
    return M(x)  # the double itself: the same number that Rust reads


def case(text, quantile, ln_pdf, mean, sd, us=US):
    ws = [quantile(M(u)) for u in us]
    rows = [
        [float(u), mp.nstr(w, 20), mp.nstr(ln_pdf(w), 20)]
        for u, w in zip(us, ws)
        if abs(w) == 0 or mp.mpf("1e-300") < abs(w) < mp.mpf("1e300")
    ]
    return {"distribution": text, "rows": rows, "mean": mp.nstr(mean, 20), "sd": mp.nstr(sd, 20)}


cases = []
m, s = f(3.0), f(0.7)
cases.append(case({"normal": {"mean": 3.0, "sd": 0.7}}, lambda u: m + s * u,
                  lambda w: mp.log(mp.npdf(w, m, s)), m, s))
for l, z in [(0.4, 0.3), (-2.0, 1.5)]:
    L, Z = f(l), f(z)
    cases.append(case({"log_normal": {"ln_mean": l, "ln_sd": z}}, lambda u: mp.exp(L + Z * u),
                      lambda w: mp.log(mp.npdf(mp.log(w), L, Z) / w),
                      mp.exp(L + Z * Z / 2), mp.exp(L + Z * Z / 2) * mp.sqrt(mp.expm1(Z * Z))))
mm, ss = f(5.0), f(2.0)
zz = mp.log1p((ss / mm) ** 2)
LL = mp.log(mm) - zz / 2
cases.append(case({"log_normal": {"mean": 5.0, "sd": 2.0}}, lambda u: mp.exp(LL + mp.sqrt(zz) * u),
                  lambda w: mp.log(mp.npdf(mp.log(w), LL, mp.sqrt(zz)) / w), mm, ss))
for a, b in [(0.0, 3.0), (-2.0, 5.0)]:
    A, B = f(a), f(b)
    cases.append(case({"uniform": {"from": a, "to": b}},
                      lambda u: A + (B - A) * lower(u) if u < 0 else B - (B - A) * lower(-u),
                      lambda w: -mp.log(B - A), (A + B) / 2, (B - A) / mp.sqrt(12)))
for a, c, b in [(0.0, 1.0, 4.0), (-3.0, -0.5, 0.0), (0.0, 0.0, 2.0), (-1.0, 3.0, 3.0)]:
    A, C, B = f(a), f(c), f(b)
    cases.append(case({"triangular": {"from": a, "mode": c, "to": b}}, lambda u: tri(A, C, B, u),
                      lambda w: mp.log(tri_pdf(A, C, B, w)), (A + B + C) / 3,
                      mp.sqrt((A * A + B * B + C * C - A * B - A * C - B * C) / 18),
                      [u for u in US if abs(u) < 6]))
S = f(2.5)
cases.append(case({"exponential": {"mean": 2.5}},
                  lambda u: -S * mp.log1p(-lower(u)) if u < 0 else -S * mp.log(lower(-u)),
                  lambda w: -w / S - mp.log(S), S, S))
for k, s_ in [(0.6, 2.0), (1.0, 1.0), (3.5, 0.8), (20.0, 100.0)]:
    K, C = f(k), f(s_)
    g1, g2 = mp.gamma(1 + 1 / K), mp.gamma(1 + 2 / K)
    cases.append(case({"weibull": {"shape": k, "scale": s_}},
                      lambda u: C * (-mp.log1p(-lower(u)) if u < 0 else -mp.log(lower(-u))) ** (1 / K),
                      lambda w: mp.log(K / C) + (K - 1) * mp.log(w / C) - (w / C) ** K,
                      C * g1, C * mp.sqrt(g2 - g1 * g1)))
for l, s_ in [(0.0, 1.0), (10.0, 2.5)]:
    L, C = f(l), f(s_)
    cases.append(case({"gumbel": {"location": l, "scale": s_}},
                      lambda u: L - C * mp.log(-mp.log(lower(u)) if u < 0 else -mp.log1p(-lower(-u))),
                      lambda w: -mp.log(C) - (w - L) / C - mp.exp(-(w - L) / C),
                      L + mp.euler * C, C * mp.pi / mp.sqrt(6)))
for k, s_ in [(0.3, 2.0), (1.0, 1.0), (2.5, 0.4), (9.9, 1.0), (10.1, 3.0), (400.0, 1.0)]:
    K, C = f(k), f(s_)
    cases.append(case({"gamma": {"shape": k, "scale": s_}}, lambda u: C * gamma_quantile(K, u),
                      lambda w: (K - 1) * mp.log(w) - w / C - mp.loggamma(K) - K * mp.log(C),
                      K * C, mp.sqrt(K) * C))
for a, b, lo, hi in [(0.5, 0.5, 0.0, 1.0), (2.0, 5.0, 0.0, 1.0), (3.0, 1.5, 0.0, 4.0), (30.0, 70.0, 0.0, 1.0)]:
    A, B, L, H = f(a), f(b), f(lo), f(hi)
    cases.append(case({"beta": {"alpha": a, "beta": b, "from": lo, "to": hi}},
                      lambda u: beta_quantile(A, B, L, H, u),
                      lambda w: (A - 1) * mp.log((w - L) / (H - L)) + (B - 1) * mp.log((H - w) / (H - L))
                      - mp.log(mp.beta(A, B)) - mp.log(H - L),
                      L + (H - L) * A / (A + B), (H - L) * mp.sqrt(A * B / (A + B + 1)) / (A + B),
                      [u for u in US if -20 < u < 6]))
for l, s_, nu in [(0.0, 1.0, 1.0), (2.0, 0.5, 3.0), (0.0, 1.0, 7.5), (-1.0, 2.0, 200.0)]:
    L, C, N = f(l), f(s_), f(nu)
    sd = C * mp.sqrt(N / (N - 2)) if nu > 2 else mp.nan
    cases.append(case({"student_t": {"location": l, "scale": s_, "dof": nu}},
                      lambda u: L + C * t_quantile(N, u),
                      lambda w: mp.loggamma((N + 1) / 2) - mp.loggamma(N / 2) - mp.log(mp.pi * N) / 2
                      - mp.log(C) - (N + 1) / 2 * mp.log1p(((w - L) / C) ** 2 / N),
                      L if nu > 1 else mp.nan, sd))
INF = mp.inf
for m_, s_, lo, hi in [(0.0, 1.0, -1.0, 2.0), (1.0, 0.5, 0.0, None), (0.0, 1.0, 6.0, None), (0.0, 1.0, None, -4.0),
                       (0.0, 2.0, 0.0, 0.01), (3.0, 1.0, 0.0, 1.0)]:
    Mn, Sd = f(m_), f(s_)
    Lo = f(lo) if lo is not None else -INF
    Hi = f(hi) if hi is not None else INF
    q = lambda u: truncated_quantile(Mn, Sd, Lo, Hi, u)
    ln_z = mp.log(mp.quad(lambda z: mp.npdf(z), mp.linspace(max((Lo - Mn) / Sd, M(-45)), min((Hi - Mn) / Sd, M(45)), 60)))
    lo_, hi_ = max(Lo, Mn - 45 * Sd), min(Hi, Mn + 45 * Sd)
    dens = lambda w: mp.exp(mp.log(mp.npdf(w, Mn, Sd)) - ln_z)
    grid = mp.linspace(lo_, hi_, 60)
    mean = mp.quad(lambda w: w * dens(w), grid)
    var = mp.quad(lambda w: (w - mean) ** 2 * dens(w), grid)
    text = {"mean": m_, "sd": s_}
    if lo is not None:
        text["from"] = lo
    if hi is not None:
        text["to"] = hi
    cases.append(case({"truncated_normal": text}, q, lambda w: mp.log(mp.npdf(w, Mn, Sd)) - ln_z, mean, mp.sqrt(var),
                      [u for u in US if abs(u) < 13]))

print(json.dumps(cases, indent=0))
