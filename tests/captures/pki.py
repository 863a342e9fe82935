"""Test keys and certificates, written with a small DER builder so that any
combination of algorithm, date, version and extension can be made.

Signatures come from the openssl command line. Nothing here is a secret.
"""
import base64
import datetime as dt
import os
import subprocess

from lib import PKI, ENV, HOST, W

NOW = dt.datetime.now(dt.timezone.utc).replace(microsecond=0, hour=0, minute=0, second=0)


def run(cmd, data=None):
    p = subprocess.run(cmd, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV)
    if p.returncode:
        raise RuntimeError(f"{cmd}: {p.stderr.decode()}")
    return p.stdout


def tlv(t, *parts):
    b = b"".join(parts)
    n = len(b)
    if n < 128:
        return bytes([t, n]) + b
    ln = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([t, 0x80 | len(ln)]) + ln + b


def seq(*p): return tlv(0x30, *p)


def oid(s):
    a = [int(x) for x in s.split(".")]
    out = [a[0] * 40 + a[1]]
    for v in a[2:]:
        c = [v & 127]
        v >>= 7
        while v:
            c.insert(0, v & 127 | 128)
            v >>= 7
        out += c
    return tlv(6, bytes(out))


def integer(v): return tlv(2, v.to_bytes(v.bit_length() // 8 + 1, "big"))


def time_(t):
    if t.year < 2050:
        return tlv(0x17, t.strftime("%y%m%d%H%M%SZ").encode())
    return tlv(0x18, t.strftime("%Y%m%d%H%M%SZ").encode())


def name(cn, o=None):
    r = b""
    if o:
        r += tlv(0x31, seq(oid("2.5.4.10"), tlv(0x0C, o.encode())))
    return seq(r + tlv(0x31, seq(oid("2.5.4.3"), tlv(0x0C, cn.encode()))))


NULL = b"\x05\x00"
SIG = {  # name: (algorithm identifier, digest for the signing key)
    "md2": (seq(oid("1.2.840.113549.1.1.2"), NULL), "md5"),  # digest is MD5's, only the label says MD2
    "md5": (seq(oid("1.2.840.113549.1.1.4"), NULL), "md5"),
    "sha1": (seq(oid("1.2.840.113549.1.1.5"), NULL), "sha1"),
    "sha256": (seq(oid("1.2.840.113549.1.1.11"), NULL), "sha256"),
    "sha384": (seq(oid("1.2.840.113549.1.1.12"), NULL), "sha384"),
    "ecdsa-sha1": (seq(oid("1.2.840.10045.4.1")), "sha1"),
    "ecdsa-sha256": (seq(oid("1.2.840.10045.4.3.2")), "sha256"),
    "ecdsa-sha384": (seq(oid("1.2.840.10045.4.3.3")), "sha384"),
    "dsa-sha1": (seq(oid("1.2.840.10040.4.3")), "sha1"),
    "dsa-sha256": (seq(oid("2.16.840.1.101.3.4.3.2")), "sha256"),
    "ed25519": (seq(oid("1.3.101.112")), None),
    "pss-sha256": (seq(oid("1.2.840.113549.1.1.10"), seq(
        tlv(0xA0, seq(oid("2.16.840.1.101.3.4.2.1"), NULL)),
        tlv(0xA1, seq(oid("1.2.840.113549.1.1.8"), seq(oid("2.16.840.1.101.3.4.2.1"), NULL))),
        tlv(0xA2, integer(32)))), "pss"),
}
EKU = {"server": "1.3.6.1.5.5.7.3.1", "client": "1.3.6.1.5.5.7.3.2", "email": "1.3.6.1.5.5.7.3.4",
       "code": "1.3.6.1.5.5.7.3.3"}
KU = {"digitalSignature": 0, "nonRepudiation": 1, "keyEncipherment": 2, "dataEncipherment": 3, "keyAgreement": 4,
      "keyCertSign": 5, "cRLSign": 6}


def bits(names):
    v = 0
    for n in names:
        v |= 0x80 >> KU[n]
    unused = (v & -v).bit_length() - 1
    return tlv(3, bytes([unused, v]))


def ext(o, body, critical=False):
    return seq(oid(o), b"\x01\x01\xff" if critical else b"", tlv(4, body))


def key(n, *genpkey):
    p = f"{PKI}/{n}.key"
    if not os.path.exists(p):
        run(["openssl", "genpkey", "-quiet", "-out", p] + list(genpkey) if "-quiet" in genpkey else
            ["openssl", "genpkey", "-out", p] + list(genpkey))
    return p


def rsa(n, b, e=65537):
    return key(n, "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{b}", "-pkeyopt", f"rsa_keygen_pubexp:{e}")


def ec(n, curve):
    return key(n, "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-pkeyopt", "ec_param_enc:named_curve")


def spki(keyfile):
    return run(["openssl", "pkey", "-in", keyfile, "-pubout", "-outform", "DER"])


def sign(keyfile, digest, data):
    if digest is None:
        t = f"{PKI}/tbs.tmp"
        open(t, "wb").write(data)
        return run(["openssl", "pkeyutl", "-sign", "-rawin", "-in", t, "-inkey", keyfile])
    if digest == "pss":
        return run(["openssl", "dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32",
                    "-sign", keyfile], data)
    return run(["openssl", "dgst", f"-{digest}", "-sign", keyfile], data)


serial = [0x1000]


def cert(out, cn, keyfile, issuer, issuer_key, sig="sha256", start=-30, days=365, san=(HOST,), ca=False,
         ku=("digitalSignature", "keyEncipherment"), eku=("server",), v1=False, staple=False, ocsp=False, o=None, sn=None,
         start_date=None, end_date=None):
    serial[0] += 1
    alg, dig = SIG[sig]
    nb = start_date or NOW + dt.timedelta(days=start)
    na = end_date or nb + dt.timedelta(days=days)
    x = b""
    if ca:
        x += ext("2.5.29.19", seq(b"\x01\x01\xff"), True)
        x += ext("2.5.29.15", bits(("keyCertSign", "cRLSign")), True)
    else:
        x += ext("2.5.29.19", seq(), True)
        if ku:
            x += ext("2.5.29.15", bits(ku), True)
        if eku:
            x += ext("2.5.29.37", seq(*[oid(EKU[e]) for e in eku]))
        if san:
            x += ext("2.5.29.17", seq(*[tlv(0x82, s.encode()) for s in san]))
        if staple:
            x += ext("1.3.6.1.5.5.7.1.24", seq(integer(5)))
        if ocsp:
            x += ext("1.3.6.1.5.5.7.1.1", seq(seq(oid("1.3.6.1.5.5.7.48.1"), tlv(0x86, b"http://ocsp.example.org/"))))
    tbs = seq(b"" if v1 else tlv(0xA0, integer(2)), integer(sn or serial[0]), alg, issuer, seq(time_(nb), time_(na)),
              name(cn, o), spki(keyfile), b"" if v1 else tlv(0xA3, seq(x)))
    der = seq(tbs, alg, tlv(3, b"\x00", sign(issuer_key, dig, tbs)))
    b64 = base64.b64encode(der).decode()
    pem = "-----BEGIN CERTIFICATE-----\n" + "\n".join(b64[i:i + 64] for i in range(0, len(b64), 64)) + "\n-----END CERTIFICATE-----\n"
    open(f"{PKI}/{out}.pem", "w").write(pem)
    return pem


def link(n, keyname):
    d = f"{PKI}/{n}.key"
    if not os.path.exists(d):
        os.symlink(keyname + ".key", d)


def make():
    os.makedirs(PKI, exist_ok=True)
    if not os.path.exists(f"{W}/openssl.cnf"):
        open(f"{W}/openssl.cnf", "w").close()
    if os.path.exists(f"{PKI}/.done"):
        return
    root_k, int_k = rsa("root", 2048), rsa("int", 2048)
    ecroot_k, r1024, r512 = ec("ecroot", "P-256"), rsa("rsa1024", 1024), rsa("rsa512", 512)
    rsa("rsa2048", 2048), rsa("rsa4096", 4096), rsa("rsa2048e3", 2048, 3), rsa("rsa768", 768)
    ec("p256", "P-256"), ec("p384", "P-384"), ec("p192", "prime192v1"), ec("p521", "P-521")
    ec("k256", "secp256k1")
    key("ed25519", "-algorithm", "ED25519")
    dsap = f"{PKI}/dsa.param"
    if not os.path.exists(dsap):
        run(["openssl", "genpkey", "-genparam", "-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:1024",
             "-pkeyopt", "dsa_paramgen_q_bits:160", "-out", dsap])
    key("dsa1024", "-paramfile", dsap)
    key("rsapss", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048")
    root, inter, ecroot = name("Handprint Test Root"), name("Handprint Test Intermediate"), name("Handprint Test EC Root")
    k = lambda n: f"{PKI}/{n}.key"
    rootpem = cert("root", "Handprint Test Root", root_k, root, root_k, ca=True, days=3650)
    intpem = cert("int", "Handprint Test Intermediate", int_k, root, root_k, ca=True, days=1825)
    ecpem = cert("ecroot", "Handprint Test EC Root", ecroot_k, ecroot, ecroot_k, "ecdsa-sha256", ca=True, days=3650)
    open(f"{PKI}/roots.pem", "w").write(rootpem + ecpem)

    def leaf(n, keyname, sig="sha256", chain=intpem, cn=HOST, **kw):
        link("leaf-" + n, keyname)
        p = cert("leaf-" + n, cn, k(keyname), kw.pop("issuer", inter), kw.pop("ikey", int_k), sig, **kw)
        open(f"{PKI}/leaf-{n}.chain", "w").write(chain or p)
        open(f"{PKI}/leaf-{n}.full", "w").write(p + chain)
        return p

    ds = ("digitalSignature",)
    leaf("rsa2048", "rsa2048", ocsp=True)
    leaf("rsa4096", "rsa4096")
    leaf("rsa1024", "rsa1024")
    leaf("rsa768", "rsa768")
    leaf("rsa512", "rsa512")
    leaf("rsa-e3", "rsa2048e3")
    leaf("md5", "rsa2048", "md5")
    leaf("md2", "rsa2048", "md2")
    leaf("sha1", "rsa2048", "sha1")
    leaf("pss-signed", "rsa2048", "pss-sha256")
    leaf("p256", "p256", "ecdsa-sha256", chain=ecpem, issuer=ecroot, ikey=ecroot_k, ku=ds)
    leaf("p256-sha1", "p256", "ecdsa-sha1", chain=ecpem, issuer=ecroot, ikey=ecroot_k, ku=ds)
    leaf("p256-ka", "p256", "ecdsa-sha256", chain=ecpem, issuer=ecroot, ikey=ecroot_k, ku=("digitalSignature", "keyAgreement"))
    leaf("p256-by-rsa", "p256", ku=("digitalSignature", "keyAgreement"))
    leaf("p384", "p384", "ecdsa-sha256", chain=ecpem, issuer=ecroot, ikey=ecroot_k, ku=ds)
    leaf("p521", "p521", "ecdsa-sha256", chain=ecpem, issuer=ecroot, ikey=ecroot_k, ku=ds)
    leaf("p192", "p192", "ecdsa-sha256", chain=ecpem, issuer=ecroot, ikey=ecroot_k, ku=ds)
    leaf("k256", "k256", "ecdsa-sha256", chain=ecpem, issuer=ecroot, ikey=ecroot_k, ku=ds)
    leaf("ed25519", "ed25519", ku=ds)
    leaf("dsa1024", "dsa1024", ku=ds)
    leaf("rsapss", "rsapss", ku=ds)
    leaf("expired", "rsa2048", start=-400, days=365)
    leaf("not-yet", "rsa2048", start=365, days=365)
    leaf("wrong-name", "rsa2048", cn="mail.example.net", san=("mail.example.net",))
    leaf("wildcard", "rsa2048", cn="*.example.org", san=("*.example.org", "example.org"))
    leaf("no-san", "rsa2048", san=())
    leaf("v1", "rsa2048", v1=True)
    leaf("long-validity", "rsa2048", days=3650, start=-30)
    leaf("eku-client-only", "rsa2048", eku=("client", "email"))
    leaf("ku-no-encipherment", "rsa2048", ku=ds)
    leaf("must-staple", "rsa2048", staple=True)
    leaf("many-names", "rsa2048", san=tuple(f"host{i}.example.org" for i in range(40)) + (HOST,))
    leaf("validity-2050", "rsa2048", end_date=dt.datetime(2061, 1, 1, tzinfo=dt.timezone.utc))
    # chain shapes
    good = leaf("incomplete", "rsa2048", chain="")
    leaf("misordered", "rsa2048", chain=rootpem + intpem)
    leaf("with-root", "rsa2048", chain=intpem + rootpem)
    # leaf first, then the same leaf and the intermediate again
    p = leaf("duplicate", "rsa2048", chain="")
    open(f"{PKI}/leaf-duplicate.chain", "w").write(p + intpem)
    open(f"{PKI}/leaf-duplicate.full", "w").write(p + p + intpem)
    # an intermediate with a weak signature below a good leaf
    weakint = cert("int-md5", "Handprint Test Intermediate", int_k, root, root_k, "md5", ca=True, days=1825)
    leaf("weak-intermediate", "rsa2048", chain=weakint)
    expint = cert("int-expired", "Handprint Test Intermediate", int_k, root, root_k, ca=True, start=-800, days=700)
    leaf("expired-intermediate", "rsa2048", chain=expint)
    # CA certificate used as the server's own
    link("leaf-ca-as-leaf", "int")
    open(f"{PKI}/leaf-ca-as-leaf.pem", "w").write(intpem)
    open(f"{PKI}/leaf-ca-as-leaf.chain", "w").write(rootpem)
    open(f"{PKI}/leaf-ca-as-leaf.full", "w").write(intpem + rootpem)
    # self-signed
    for n, kn, extra in (("self-signed", "rsa2048", {}), ("self-signed-1024", "rsa1024", {"sig": "sha1", "days": 7300})):
        link("leaf-" + n, kn)
        s = cert("leaf-" + n, HOST, k(kn), name(HOST), k(kn), **extra)
        for suffix in ("chain", "full"):
            open(f"{PKI}/leaf-{n}.{suffix}", "w").write(s)
    # client certificates
    for n, kn, sig, kw in (("client", "p256", "sha256", {}), ("client-weak", "rsa1024", "sha1", {}),
                           ("client-expired", "rsa2048", "sha256", dict(start=-400, days=365))):
        link(n, kn)
        c = cert(n, "alice", k(kn), inter, int_k, sig, san=("alice.example.org",), eku=("client",), ku=ds, o="Example Org", **kw)
        open(f"{PKI}/{n}.full", "w").write(c + intpem)
        open(f"{PKI}/{n}.chain", "w").write(intpem)
    # DH parameters
    for b in (512, 768, 1024):
        if not os.path.exists(f"{PKI}/dh{b}.pem"):
            run(["openssl", "dhparam", "-out", f"{PKI}/dh{b}.pem", str(b)])
    if not os.path.exists(f"{PKI}/dh2048.pem"):
        run(["openssl", "genpkey", "-genparam", "-algorithm", "DHX", "-pkeyopt", "dh_rfc5114:3", "-out", f"{PKI}/dhx.pem"])
        run(["openssl", "dhparam", "-dsaparam", "-out", f"{PKI}/dh2048.pem", "2048"])
    # an OCSP answer for leaf-rsa2048
    sn = run(["openssl", "x509", "-in", f"{PKI}/leaf-rsa2048.pem", "-noout", "-serial"]).decode().strip().split("=")[1]
    open(f"{PKI}/ocsp.idx", "w").write(f"V\t{(NOW + dt.timedelta(days=335)).strftime('%y%m%d%H%M%SZ')}\t\t{sn}\tunknown\t/CN={HOST}\n")
    run(["openssl", "ocsp", "-issuer", f"{PKI}/int.pem", "-cert", f"{PKI}/leaf-rsa2048.pem", "-reqout", f"{PKI}/ocsp.req", "-no_nonce"])
    run(["openssl", "ocsp", "-index", f"{PKI}/ocsp.idx", "-CA", f"{PKI}/int.pem", "-rsigner", f"{PKI}/int.pem", "-rkey", k("int"),
         "-reqin", f"{PKI}/ocsp.req", "-respout", f"{PKI}/ocsp.der", "-ndays", "7"])
    # PKCS#12 for the tools that want it
    for n in ("leaf-rsa2048", "leaf-rsa1024"):
        run(["openssl", "pkcs12", "-export", "-in", f"{PKI}/{n}.full", "-inkey", k(n), "-out", f"{PKI}/{n}.p12", "-passout", "pass:test", "-name", n])
    open(f"{PKI}/.done", "w").close()


if __name__ == "__main__":
    make()
