"""tlslite-ng client and server with settable versions, suites and curves."""
import argparse
import socket
import sys

from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey, SessionCache

ap = argparse.ArgumentParser()
ap.add_argument("role", choices=["client", "server"])
ap.add_argument("--host", default="0.0.0.0")
ap.add_argument("--port", type=int, default=443)
ap.add_argument("--min", default="3,0")
ap.add_argument("--max", default="3,4")
ap.add_argument("--set", action="append", default=[], help="HandshakeSettings attribute=python value")
ap.add_argument("--cert")
ap.add_argument("--key")
ap.add_argument("--sni")
ap.add_argument("--connections", type=int, default=1)
a = ap.parse_args()
hs = HandshakeSettings()
hs.minVersion = tuple(map(int, a.min.split(",")))
hs.maxVersion = tuple(map(int, a.max.split(",")))
for s in a.set:
    k, v = s.split("=", 1)
    assert hasattr(hs, k), k
    setattr(hs, k, eval(v))

if a.role == "server":
    chain = X509CertChain()
    chain.parsePemList(open(a.cert).read())
    key = parsePEMKey(open(a.key).read(), private=True)
    ls = socket.socket()
    ls.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    ls.bind((a.host, a.port))
    ls.listen(5)
    while True:
        c, _ = ls.accept()
        t = TLSConnection(c)
        try:
            t.handshakeServer(certChain=chain, privateKey=key, settings=hs)
            t.write(t.read(1, 5) and b"pong\n")
            t.close()
        except Exception as e:
            print("server:", repr(e), flush=True)
        c.close()

session = None
for i in range(a.connections):
    c = socket.create_connection((a.host, a.port))
    t = TLSConnection(c)
    try:
        t.handshakeClientCert(settings=hs, serverName=a.sni, session=session)
        session = t.session
        t.write(b"ping\n")
        print(t.version, t.read(1, 5), flush=True)
        t.close()
    except Exception as e:
        print("client:", repr(e), flush=True)
    c.close()
