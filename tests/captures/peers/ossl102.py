"""OpenSSL 1.0.2e client and server.

The nassl wheel carries a statically linked OpenSSL 1.0.2e built with SSLv2,
SSLv3, EXPORT, weak suites and zlib. Its functions are not exported, but the
library is not stripped, so they are called here at the addresses its symbol
table gives.
"""
import argparse
import ctypes
import glob
import os
import socket
import struct
import sys
import time


def symbols(path):
    d = open(path, "rb").read()
    shoff, = struct.unpack_from("<Q", d, 0x28)
    size, num = struct.unpack_from("<HH", d, 0x3A)
    secs = [struct.unpack_from("<IIQQQQIIQQ", d, shoff + i * size) for i in range(num)]
    out = {}
    for s in secs:
        if s[1] == 2:  # SHT_SYMTAB
            stro = secs[s[6]][4]
            for o in range(s[4], s[4] + s[5], 24):
                n, info, _, shndx, val, _ = struct.unpack_from("<IBBHQQ", d, o)
                if val and info & 15 in (1, 2):
                    e = d.index(b"\0", stro + n)
                    out[d[stro + n:e].decode()] = val
    return out


import nassl
path = glob.glob(os.path.join(os.path.dirname(nassl.__file__), "_nassl_legacy*.so"))[0]
lib = ctypes.CDLL(path)
sym = symbols(path)
base = ctypes.cast(lib.PyInit__nassl_legacy, ctypes.c_void_p).value - sym["PyInit__nassl_legacy"]
P, I, L, S = ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_char_p


def fn(name, res, *args):
    return ctypes.CFUNCTYPE(res, *args)(base + sym[name])


fn("SSL_library_init", I)()
fn("SSL_load_error_strings", None)()
errors = fn("ERR_error_string", S, ctypes.c_ulong, P)
get_error = fn("ERR_get_error", ctypes.c_ulong)
new_ctx = fn("SSL_CTX_new", P, P)
ctx_ctrl = fn("SSL_CTX_ctrl", L, P, I, L, P)
ssl_ctrl = fn("SSL_ctrl", L, P, I, L, P)
set_ciphers = fn("SSL_CTX_set_cipher_list", I, P, S)
use_chain = fn("SSL_CTX_use_certificate_chain_file", I, P, S)
use_cert = fn("SSL_CTX_use_certificate_file", I, P, S, I)
use_key = fn("SSL_CTX_use_PrivateKey_file", I, P, S, I)
ssl_new = fn("SSL_new", P, P)
set_fd = fn("SSL_set_fd", I, P, I)
accept = fn("SSL_accept", I, P)
connect = fn("SSL_connect", I, P)
read = fn("SSL_read", I, P, P, I)
write = fn("SSL_write", I, P, P, I)
shutdown = fn("SSL_shutdown", I, P)
ssl_free = fn("SSL_free", None, P)
get_version = fn("SSL_get_version", S, P)
current_cipher = fn("SSL_get_current_cipher", P, P)
cipher_name = fn("SSL_CIPHER_get_name", S, P)
get1_session = fn("SSL_get1_session", P, P)
set_session = fn("SSL_set_session", I, P, P)
renegotiate = fn("SSL_renegotiate", I, P)
do_handshake = fn("SSL_do_handshake", I, P)
set_verify = fn("SSL_CTX_set_verify", None, P, I, P)
bio_new_file = fn("BIO_new_file", P, S, S)
read_dh = fn("PEM_read_bio_DHparams", P, P, P, P, P)
ec_by_nid = fn("EC_KEY_new_by_curve_name", P, I)
rsa_new = fn("RSA_new", P)
bn_new = fn("BN_new", P)
bn_set = fn("BN_set_word", I, P, ctypes.c_ulong)
rsa_gen = fn("RSA_generate_key_ex", I, P, I, P, P)
NID = {"P-192": 409, "P-256": 415, "P-384": 715, "P-521": 716, "sect163k1": 721, "secp256k1": 714}
OP = {"no_ssl2": 0x01000000, "no_ssl3": 0x02000000, "no_tls1": 0x04000000, "no_tls1_1": 0x10000000,
      "no_tls1_2": 0x08000000, "no_compression": 0x00020000, "no_ticket": 0x4000, "legacy_renegotiation": 0x00040000,
      "no_reneg_resume": 0x00010000}


def err():
    out = []
    while True:
        e = get_error()
        if not e:
            return "; ".join(out) or "connection ended"
        out.append(errors(e, None).decode())


ap = argparse.ArgumentParser()
ap.add_argument("role", choices=["client", "server"])
ap.add_argument("--host", default="0.0.0.0")
ap.add_argument("--port", type=int, default=443)
ap.add_argument("--method", default="SSLv23")
ap.add_argument("--cipher", default="ALL:COMPLEMENTOFALL")
ap.add_argument("--op", action="append", default=[], choices=list(OP))
ap.add_argument("--cert")
ap.add_argument("--key")
ap.add_argument("--dh")
ap.add_argument("--curve")
ap.add_argument("--curves", help="supported curves, OpenSSL list form")
ap.add_argument("--tmp-rsa", type=int)
ap.add_argument("--sni")
ap.add_argument("--alpn")
ap.add_argument("--compression", action="store_true")
ap.add_argument("--connections", type=int, default=1, help="client: how many, resuming the first session")
ap.add_argument("--renegotiate", action="store_true")
ap.add_argument("--fallback-scsv", action="store_true")
ap.add_argument("--heartbeat", action="store_true")
ap.add_argument("--ask-client-cert", action="store_true")
ap.add_argument("--status", action="store_true")
a = ap.parse_args()

ctx = new_ctx(fn(f"{a.method}_{a.role}_method", P)())
SSL_CTRL_OPTIONS, SSL_CTRL_MODE = 32, 33
ops = 0
for o in a.op:
    ops |= OP[o]
ctx_ctrl(ctx, SSL_CTRL_OPTIONS, ops, None)
if not (a.compression or "no_compression" in a.op):
    ctx_ctrl(ctx, SSL_CTRL_OPTIONS, OP["no_compression"], None)
if not set_ciphers(ctx, a.cipher.encode()):
    sys.exit(err())
# SSLv2 has no chains, so only the leaf is taken there
load = (lambda c, f: use_cert(c, f, 1)) if a.method == "SSLv2" else use_chain
if a.cert and (load(ctx, a.cert.encode()) != 1 or use_key(ctx, a.key.encode(), 1) != 1):
    sys.exit(err())
if a.curves:
    ctx_ctrl(ctx, 92, 0, ctypes.cast(ctypes.c_char_p(a.curves.encode()), P))
if a.dh:
    ctx_ctrl(ctx, 3, 0, read_dh(bio_new_file(a.dh.encode(), b"r"), None, None, None))
if a.curve:
    ctx_ctrl(ctx, 4, 0, ec_by_nid(NID[a.curve]))
elif a.role == "server":
    ctx_ctrl(ctx, 94, 1, None)  # SSL_CTRL_SET_ECDH_AUTO
if a.tmp_rsa:
    r, e = rsa_new(), bn_new()
    bn_set(e, 65537)
    rsa_gen(r, a.tmp_rsa, e, None)
    ctx_ctrl(ctx, 2, 0, r)
if a.ask_client_cert:
    CB = ctypes.CFUNCTYPE(I, I, P)
    cb = CB(lambda ok, store: 1)
    set_verify(ctx, 1, ctypes.cast(cb, P))
if a.role == "server":
    fn("SSL_CTX_set_session_id_context", I, P, S, ctypes.c_uint)(ctx, b"hp", 2)


def describe(s):
    c = current_cipher(s)
    return f"{get_version(s).decode()} {cipher_name(c).decode() if c else '-'}"


def talk(s, first):
    if a.heartbeat:
        fn("tls1_heartbeat", I, P)(s)
    if a.renegotiate:
        renegotiate(s)
        if do_handshake(s) != 1:
            print("renegotiation:", err())
            return
    write(s, b"ping\n", 5)
    read(s, buf, 100)
    shutdown(s)


buf = ctypes.create_string_buffer(200)
if a.role == "server":
    ls = socket.socket()
    ls.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    ls.bind((a.host, a.port))
    ls.listen(8)
    while True:
        c, _ = ls.accept()
        c.settimeout(None)
        s = ssl_new(ctx)
        set_fd(s, c.fileno())
        if accept(s) == 1:
            print(describe(s), flush=True)
            if read(s, buf, 100) > 0:
                write(s, b"pong\n", 5)
            shutdown(s)
        else:
            print("accept:", err(), flush=True)
        ssl_free(s)
        c.close()

session = None
for i in range(a.connections):
    c = socket.create_connection((a.host, a.port))
    c.settimeout(None)
    s = ssl_new(ctx)
    set_fd(s, c.fileno())
    if a.sni:
        ssl_ctrl(s, 55, 0, ctypes.cast(ctypes.c_char_p(a.sni.encode()), P))
    if a.alpn:
        w = b"".join(bytes([len(p)]) + p for p in a.alpn.encode().split(b","))
        fn("SSL_set_alpn_protos", I, P, S, ctypes.c_uint)(s, w, len(w))
    if a.status:
        ssl_ctrl(s, 65, 1, None)
    if a.fallback_scsv:
        ssl_ctrl(s, SSL_CTRL_MODE, 0x80, None)
    if session:
        set_session(s, session)
    if connect(s) == 1:
        print(describe(s), flush=True)
        talk(s, i == 0)
        session = session or get1_session(s)
    else:
        print("connect:", err(), flush=True)
    ssl_free(s)
    c.close()
    time.sleep(0.1)
