"""A peer that writes prepared bytes. It is no TLS implementation: each script
below says what it sends, and the manifest says where one was used."""
import argparse
import base64
import os
import re
import socket
import struct
import sys
import time

S4 = "192.0.2.20"


def u8(b): return bytes([len(b)]) + b
def u16(b): return struct.pack("!H", len(b)) + b
def u24(b): return struct.pack("!I", len(b))[1:] + b
def rec(t, b, v=0x0303): return struct.pack("!BHH", t, v, len(b)) + b
def hs(t, b): return bytes([t]) + u24(b)
def ext(t, b): return struct.pack("!H", t) + u16(b)
def alert(level, code, v=0x0303): return rec(21, bytes([level, code]), v)


SNI = ext(0, u16(b"\0" + u16(b"www.example.org")))
GROUPS = ext(10, u16(bytes.fromhex("001d00170018")))
FORMATS = ext(11, u8(b"\0"))
SIGS = ext(13, u16(bytes.fromhex("0403080404010503080505010806060102010203")))
RENEG = ext(0xFF01, u8(b""))
EMS = ext(23, b"")
HEARTBEAT = ext(15, b"\1")
VER13 = ext(43, u8(bytes.fromhex("03040303")))
SUITES12 = bytes.fromhex("c02fc030c013c014009c009d002f0035000a")
SUITES13 = bytes.fromhex("130113021303")
# an X25519 public key (the base point: nobody goes on to use the secret)
SHARE = ext(51, u16(struct.pack("!H", 29) + u16(bytes([9]) + bytes(31))))


def hello(suites, exts, version=0x0303, sid=b"", comp=b"\0"):
    e = b"".join(exts)
    return hs(1, struct.pack("!H", version) + os.urandom(32) + u8(sid) + u16(suites) + u8(comp) + (u16(e) if exts is not None and e else b""))


def hello12(*more, suites=SUITES12): return hello(suites, [SNI, GROUPS, FORMATS, SIGS, RENEG, EMS, *more])
def hello13(*more): return hello(SUITES13 + SUITES12, [SNI, GROUPS, FORMATS, SIGS, RENEG, EMS, VER13, SHARE, *more], sid=os.urandom(32))


def server_hello(suite=0xC02F, exts=(RENEG,), version=0x0303, random=None, sid=b"", comp=0):
    e = b"".join(exts)
    return hs(2, struct.pack("!H", version) + (random or os.urandom(32)) + u8(sid) + struct.pack("!HB", suite, comp) + (u16(e) if e else b""))


HRR = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


def certificate(path):
    ders = [base64.b64decode(x) for x in re.findall(r"-----BEGIN CERTIFICATE-----(.*?)-----END", open(path).read(), re.S)]
    return hs(11, u24(b"".join(u24(d) for d in ders)))


def take(c, idle=0.4, limit=65536):
    """Read until the other side pauses."""
    c.settimeout(idle)
    out = b""
    try:
        while len(out) < limit:
            d = c.recv(65536)
            if not d:
                break
            out += d
    except (socket.timeout, ConnectionError):
        pass
    return out


def rst(c):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()


def sid_of(h):
    """session id of a ClientHello in one record"""
    return h[44:44 + h[43]] if len(h) > 44 else b""


# ------------------------------------------------------------- servers

def srv_silent(c, a): take(c); time.sleep(1.2)
def srv_close(c, a): c.recv(65536)
def srv_rst(c, a): c.recv(65536); rst(c)
def srv_http(c, a): c.recv(65536); c.sendall(b"HTTP/1.1 400 Bad Request\r\nServer: example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"); time.sleep(0.2)
def srv_ssh(c, a): c.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"); take(c, 0.5)
def srv_smtp(c, a): c.sendall(b"220 mail.example.org ESMTP\r\n"); take(c, 0.5); c.sendall(b"500 5.5.1 Command unrecognized\r\n")
def srv_garbage(c, a): c.recv(65536); c.sendall(bytes(range(200, 120, -1))); time.sleep(0.2)
def srv_echo(c, a): c.sendall(c.recv(65536)); take(c, 0.5)
def srv_alert(c, a): c.recv(65536); c.sendall(alert(int(a[0]), int(a[1]))); take(c, 0.3)


def srv_close_after_certificate(c, a):
    c.recv(65536)
    c.sendall(rec(22, server_hello()) + rec(22, certificate(a[0])))
    time.sleep(0.2)


def srv_rst_after_certificate(c, a):
    c.recv(65536)
    c.sendall(rec(22, server_hello()) + rec(22, certificate(a[0])))
    time.sleep(0.2)
    rst(c)


def srv_no_renegotiation_info(c, a):
    take(c, 0.2)
    c.sendall(rec(22, server_hello(0x009C, exts=())) + rec(22, certificate(a[0])) + rec(22, hs(14, b"")))
    take(c, 0.3)
    c.sendall(alert(2, 40))


def srv_second_retry(c, a):
    s = sid_of(c.recv(65536))
    h = rec(22, server_hello(0x1301, (ext(43, b"\3\4"), ext(51, struct.pack("!H", 24))), random=HRR, sid=s))
    c.sendall(h)
    c.recv(65536)
    c.sendall(h)
    take(c, 0.4)


def srv_unsolicited_extension(c, a):
    c.recv(65536)
    c.sendall(rec(22, server_hello(exts=(RENEG, ext(16, u16(u8(b"h2")))))))
    take(c, 0.4)


def srv_unknown_suite(c, a):
    c.recv(65536)
    c.sendall(rec(22, server_hello(suite=0x00FE)))
    take(c, 0.4)


def srv_draft28(c, a):
    s = sid_of(c.recv(65536))
    c.sendall(rec(22, server_hello(0x1301, (ext(43, b"\x7f\x1c"), ext(51, struct.pack("!H", 29) + u16(bytes([9]) + bytes(31)))), sid=s)))
    take(c, 0.4)


def srv_heartbleed(c, a):
    c.recv(65536)
    c.sendall(rec(22, server_hello(0x009C, exts=(RENEG, HEARTBEAT))) + rec(22, certificate(a[0])) + rec(22, hs(14, b"")))
    req = take(c, 0.4)
    if req[:1] == b"\x18":
        # answers with as many bytes as were asked for: the leak, here of zeros
        c.sendall(rec(24, b"\2" + struct.pack("!H", 400) + bytes(400 + 16)))
    take(c, 0.3)


# ------------------------------------------------------------- clients

def cl_http(c, a): c.sendall(b"GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n"); take(c)
def cl_nothing(c, a): time.sleep(0.3)
def cl_alert_first(c, a): c.sendall(alert(2, 80, 0x0301)); take(c)
def cl_hello12(c, a): c.sendall(rec(22, hello12(), 0x0301)); take(c)
def cl_hello13(c, a): c.sendall(rec(22, hello13(), 0x0301)); take(c)


def cl_user_canceled(c, a):
    c.sendall(rec(22, hello12(), 0x0301))
    take(c)
    c.sendall(alert(1, 90) + alert(1, 0))


def cl_half_hello(c, a):
    c.sendall(rec(22, hello12(), 0x0301)[:60])
    time.sleep(0.5)


def cl_bad_extension_length(c, a):
    h = hello(SUITES12, [SNI, struct.pack("!HH", 10, 60) + bytes(8)])
    c.sendall(rec(22, h, 0x0301))
    take(c)


def cl_no_key_share(c, a):
    # TLS 1.3 only, supported_groups without key_share
    c.sendall(rec(22, hello(SUITES13, [SNI, GROUPS, SIGS, ext(43, u8(b"\3\4"))]), 0x0301))
    take(c)


def cl_hello_twice(c, a):
    c.sendall(rec(22, hello12(), 0x0301))
    take(c, 0.2)
    c.sendall(rec(22, hello12()))
    take(c)


def cl_bad_finished(c, a):
    c.sendall(rec(22, hello12(suites=bytes.fromhex("009c")), 0x0301))
    take(c, 0.3)
    c.sendall(rec(22, hs(16, u16(b"\1" + os.urandom(255)))) + rec(20, b"\1") + rec(22, os.urandom(40)))
    take(c)


def cl_big_record(c, a):
    c.sendall(rec(22, hello12(), 0x0301))
    take(c, 0.3)
    c.sendall(struct.pack("!BHH", 22, 0x0303, 0x4FFF) + bytes(20))
    take(c)


def cl_split_records(c, a):
    h = hello13()
    n = int(a[0])
    c.sendall(b"".join(rec(22, h[i:i + n], 0x0301) for i in range(0, len(h), n)))
    take(c)


def cl_draft23(c, a):
    c.sendall(rec(22, hello(SUITES13, [SNI, GROUPS, SIGS, SHARE, ext(43, u8(b"\x7f\x17\x7f\x1c\x7f\x1b"))]), 0x0301))
    take(c)


def cl_no_extensions(c, a):
    c.sendall(rec(22, hello(bytes.fromhex("002f0035000a0005"), [], 0x0301), 0x0301))
    take(c)


def cl_duplicate_extension(c, a):
    c.sendall(rec(22, hello12(SNI), 0x0301))
    take(c)


def cl_unknown_everything(c, a):
    c.sendall(rec(22, hello(bytes.fromhex("fefdeedd5a5a") + SUITES12, [SNI, ext(0x1234, b"abc"), GROUPS, FORMATS, SIGS, ext(0xFEED, b""), RENEG]), 0x0301))
    take(c)


def cl_trailing_bytes(c, a):
    h = hello12()
    c.sendall(rec(22, hs(1, h[4:] + b"\0\1\2"), 0x0301))
    take(c)


def cl_heartbleed(c, a):
    c.sendall(rec(22, hello12(HEARTBEAT), 0x0302))
    take(c, 0.3)
    # a heartbeat of 3 bytes that claims a payload of 400
    c.sendall(rec(24, b"\1" + struct.pack("!H", 400)))
    take(c)


def cl_no_reneg_info(c, a):
    c.sendall(rec(22, hello(SUITES12, [SNI, GROUPS, FORMATS, SIGS]), 0x0301))
    take(c)


ap = argparse.ArgumentParser()
ap.add_argument("role", choices=["client", "server"])
ap.add_argument("what")
ap.add_argument("--port", type=int, default=443)
ap.add_argument("--host", default=S4)
ap.add_argument("args", nargs="*")
a = ap.parse_intermixed_args()
f = globals()[("cl_" if a.role == "client" else "srv_") + a.what.replace("-", "_")]
if a.role == "client":
    c = socket.create_connection((a.host, a.port))
    f(c, a.args)
    c.close()
else:
    ls = socket.socket()
    ls.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    ls.bind(("0.0.0.0", a.port))
    ls.listen(5)
    while True:
        c, _ = ls.accept()
        try:
            f(c, a.args)
            c.close()
        except ConnectionError:
            pass
