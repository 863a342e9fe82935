"""The server side of TDS 7.x as far as PRELOGIN, TLS inside TDS packets (a real TLS, through OpenSSL's memory
BIOs) and an error instead of a login. tds_server.py CERT KEY on|off|unsupported|required [tls1.2]"""
import socket, ssl, struct, sys
cert, key, mode = sys.argv[1:4]
ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); ctx.load_cert_chain(cert, key)
if "tls1.2" in sys.argv: ctx.maximum_version = ssl.TLSVersion.TLSv1_2
l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); l.bind(("192.0.2.20", 1433)); l.listen()
def packet(s):
    h = s.recv(8, socket.MSG_WAITALL)
    if len(h) < 8: raise EOFError
    return h[0], s.recv(struct.unpack("!H", h[2:4])[0] - 8, socket.MSG_WAITALL)
def send(s, typ, body): s.sendall(struct.pack("!BBHHBB", typ, 1, 8 + len(body), 0, 1, 0) + body)
def error(text):
    t = text.encode("utf-16-le"); b = struct.pack("<IBBH", 18456, 1, 14, len(text)) + t + b"\0\0" + struct.pack("<I", 1)
    return b"\xaa" + struct.pack("<H", len(b)) + b + b"\xfd" + struct.pack("<HHQ", 2, 0, 0)
def serve(s):
    typ, body = packet(s)
    code = {"off": 0, "on": 1, "unsupported": 2, "required": 3}[mode]
    opts = [(0, b"\x10\0\x04\0\0\0"), (1, bytes([code])), (2, b"\0"), (3, b"")]
    off = 5 * len(opts) + 1; head = b""; data = b""
    for t, v in opts: head += struct.pack("!BHH", t, off + len(data), len(v)); data += v
    send(s, 4, head + b"\xff" + data)
    if mode == "unsupported":
        packet(s); send(s, 4, error("Login failed for user 'alice'.")); return
    i, o = ssl.MemoryBIO(), ssl.MemoryBIO(); t = ctx.wrap_bio(i, o, server_side=True)
    while True:
        try: t.do_handshake(); break
        except ssl.SSLWantReadError:
            if o.pending: send(s, 0x12, o.read())
            i.write(packet(s)[1])
    if o.pending: send(s, 0x12, o.read())
    # the login: inside TLS records straight on the connection
    raw = b""
    while len(raw) < 8 or len(raw) < struct.unpack("!H", raw[2:4])[0]:
        try: raw += t.read(4096)
        except ssl.SSLWantReadError:
            d = s.recv(4096)
            if not d: return
            i.write(d)
    b = error("Login failed for user 'alice'.")
    if mode == "off": send(s, 4, b)
    else: t.write(struct.pack("!BBHHBB", 4, 1, 8 + len(b), 0, 1, 0) + b); s.sendall(o.read())
while True:
    s, _ = l.accept(); s.settimeout(4)
    try: serve(s)
    except (OSError, EOFError) as e: print(repr(e))
    s.close()
