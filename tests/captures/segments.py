"""One real post-quantum flow (Chromium, hello in two segments, TLS 1.2 server)
rewritten in the ways TCP and TLS framing can differ or be damaged."""
import random
import struct

from lib import *
from packets import Flow, Tcp, record, records

CH = "tls.handshake.type==1"
SH = "tls.handshake.type==2"
OUT = os.path.join(PCAPS, "segments")


def chunks_of(path):
    """The conversation as [(direction, bytes)], client 0, server 1, in packet order without retransmissions."""
    _, pk = read_pcap(path)
    segs = [Tcp.parse(s, u, b) for s, u, b, _ in pk]
    out, nxt = [], {}
    for g in segs:
        d = 0 if g.dport == 443 else 1
        if g.flags & 2:
            nxt[d] = g.seq + 1
        if g.data and g.seq == nxt[d]:
            nxt[d] += len(g.data)
            if out and out[-1][0] == d:
                out[-1] = (d, out[-1][1] + g.data)
            else:
                out.append((d, g.data))
    return out


def run():
    import clients
    os.makedirs(OUT, exist_ok=True)
    chrome = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
              "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--ignore-certificate-errors", f"--user-data-dir={W}/chromium",
              f"--host-resolver-rules=MAP {HOST} {S4},MAP * ~NOTFOUND", "--dump-dom", f"https://{HOST}/"]
    server = s_server("-tls1_2")
    cap("base-post-quantum-hello", "the real flow the other files here are made from: Chromium, X25519MLKEM768 hello in two segments, TLS 1.2 server", server, chrome,
        stdin=[], timeout=4, before=lambda: clients.shutil.rmtree(f"{W}/chromium", ignore_errors=True), sub="../segments",
        expect=[SH, "tls.handshake.type==11", "tls.handshake.type==20 || tls.record.content_type==20"])
    base = os.path.join(OUT, "base-post-quantum-hello.pcap")
    sc, ss = soft(chrome), soft(server)
    conv = chunks_of(base)
    # hello, server flight, client key exchange .. finished, ticket and finished
    hello, flight, kex, done = (b for _, b in conv[:4])
    small = chunks_of(os.path.join(PCAPS, "tls/versions/tls12-negotiated.pcap"))

    def save(name, shows, pkts, expect=(CH, SH), absent=(), snap=None, cut=0, how=None, both=True, client=sc, server=ss):
        path = os.path.join(OUT, name + ".pcap")
        raw = [(p.t[0], p.t[1], p.eth()) for p in pkts]
        write_pcap(path, 1, [(s, u, b[:snap] if snap else b, len(b)) for s, u, b in raw], snap=snap or 262144)
        if cut:
            d = open(path, "rb").read()
            open(path, "wb").write(d[:-cut])
        bad = check(path, expect, absent)
        size = os.path.getsize(path)
        print(f"  {name}: {size} bytes" + (f" FAILED {bad}" if bad else ""))
        if bad or size > 60000:
            failed.append(name)
        row(path, shows, client, server, how or "rewritten by `segments.py` from base-post-quantum-hello")

    def whole(hello=hello, flight=flight, kex=kex, done=done, end=True, **kw):
        f = Flow(**kw).syn().data(0, hello).data(1, flight).data(0, kex).data(1, done)
        return f.fin().out if end else f.out

    def times(pkts):
        """Fresh, increasing times after packets were moved."""
        for i, p in enumerate(pkts):
            p.t = (1700000000, 1000 + 150 * i)
        return pkts

    plain = whole()
    data = [i for i, p in enumerate(plain) if p.data]
    h1, h2 = data[0], data[1]
    save("rebuilt", "the base flow written again by the script, without application data", plain)

    def same_stream(pkts, d=0):
        """The client's bytes as any reassembly that keeps the first copy would have them."""
        seen = {}
        isn = None
        for g in pkts:
            if (g.dport == 443) != (d == 0):
                continue
            if g.flags & 2:
                isn = g.seq + 1
            for k, x in enumerate(g.data):
                seen.setdefault(g.seq - isn + k, x)
        return bytes(seen[k] for k in range(len(seen)))

    # -- segmentation
    sh, sf, sk, sd = (b for _, b in small[:4])
    save("one-byte-segments-client", "a TLS 1.2 client's whole side in one-byte segments (from tls12-negotiated)",
         Flow().syn().data(0, sh, 1).data(1, sf).data(0, sk, 1).data(1, sd).fin().out, how="rewritten by `segments.py` from tls/versions/tls12-negotiated",
         client=soft(["openssl"]), server=soft(["openssl"]))
    save("seven-byte-segments-hello", "the post-quantum hello in seven-byte segments", Flow().syn().data(0, hello, 7).data(1, flight).data(0, kex).data(1, done).fin().out)
    save("hundred-byte-segments", "both directions in 100-byte segments", Flow(mss=100).syn().data(0, hello).data(1, flight).data(0, kex).data(1, done).fin().out)
    save("one-large-segment", "hello and server flight each in one packet larger than the MTU, as with segmentation offload", Flow(mss=60000).syn().data(0, hello).data(1, flight).data(0, kex).data(1, done).fin().out)
    save("record-header-split", "the first segment ends inside the five bytes of the record header",
         Flow().syn().data(0, hello[:3], ack=False).data(0, hello[3:]).data(1, flight[:4], ack=False).data(1, flight[4:]).data(0, kex).data(1, done).fin().out)
    save("data-in-syn", "TCP fast open: the first bytes of the hello are in the SYN", fast_open(hello, flight, kex, done))

    # -- order, loss, repetition
    p = list(plain)
    p[h1], p[h2] = p[h2], p[h1]
    save("out-of-order-hello", "second half of the hello before the first", times(p))
    fl = [i for i in data if plain[i].sport == 443 and plain[i].data][: (len(flight) + 1447) // 1448]
    p = [x.copy() for x in plain]
    for a, b in zip(fl, reversed(fl)):
        p[a] = plain[b].copy()
    save("out-of-order-server-flight", "segments of the server flight in reverse order", times(p))
    p = [y for x in plain for y in ([x.copy(), x.copy()] if x.data else [x.copy()])]
    save("retransmitted", "every data segment twice", times(p))
    p = [x.copy() for x in plain]
    p.insert(h2 + 1, plain[h1].copy())
    p.insert(len(p) - 3, plain[h1].copy())
    save("retransmitted-late", "first half of the hello again after the second, and once more at the end", times(p))
    a, b = plain[h1], plain[h2]
    over = b.copy(seq=b.seq - 200, data=a.data[-200:] + b.data)
    p = [x.copy() for x in plain]
    p[h2] = over
    # tshark 4.0 does not take this one apart, so the bytes are compared instead
    assert same_stream(p) == same_stream(plain)
    save("overlap-same-bytes", "the second segment repeats the last 200 bytes of the first", times(p), expect=[SH])
    evil = b.copy(seq=b.seq - 200, data=bytes(x ^ 0x5A for x in a.data[-200:]) + b.data)
    p = [x.copy() for x in plain]
    p[h2] = evil
    save("overlap-conflicting-bytes", "the second segment overlaps the first by 200 bytes and says something else there", times(p), expect=[SH])
    # a whole different server name under the bytes of the first segment, sent ahead of it
    i = hello.find(b"www.example.org")
    fake = a.copy(data=a.data.replace(b"www.example.org", b"xxx.example.net")) if i < len(a.data) else a.copy(data=a.data[:100] + b"\0" * (len(a.data) - 100))
    p = [x.copy() for x in plain]
    p.insert(h1 + 1, fake)
    save("overlap-conflicting-retransmission", "first segment sent again with other bytes" + (" (another server name)" if i < len(a.data) else ""), times(p), expect=[SH])
    p = [x.copy() for k, x in enumerate(plain) if k != h2]
    save("hello-segment-lost", "second segment of the hello is not in the capture", times(p), expect=[SH], absent=[])
    p = [x.copy() for k, x in enumerate(plain) if k != fl[0]]
    save("server-segment-lost", "first segment of the server flight is not in the capture", times(p), expect=[CH], absent=[])
    p = [x.copy() for x in plain]
    p.insert(h1, plain[h1].copy(seq=plain[h1].seq - 1, data=b"\0", flags=16))
    save("keep-alive", "a keep-alive with one byte before the hello", times(p))

    # -- sequence numbers and flow edges
    save("sequence-wrap-client", "the client's sequence number passes 2^32 inside the hello", whole(cisn=0xFFFFFFFF - 700))
    save("sequence-wrap-server", "the server's sequence number passes 2^32 inside its flight", whole(sisn=0xFFFFFFFF - 500))
    save("sequence-wrap-at-syn", "the client's SYN has sequence number 2^32-1", whole(cisn=0xFFFFFFFF))
    save("syn-missing", "capture starts after the TCP handshake", plain[3:])
    save("syn-missing-out-of-order", "no SYN, and the hello's segments are swapped", times([plain[h2].copy(), plain[h1].copy()] + [x.copy() for x in plain[h2 + 1:]]), expect=[SH])
    save("client-direction-only", "only client to server was captured", [x for x in plain if x.dport == 443], expect=[CH], absent=[SH])
    save("server-direction-only", "only server to client was captured", [x for x in plain if x.sport == 443], expect=[SH], absent=[CH])
    save("starts-in-mid-connection", "capture starts after the hello was sent", plain[h2 + 1:], expect=[SH], absent=[CH])
    save("starts-after-handshake", "capture starts with encrypted records", Flow().data(0, conv[4][1] if len(conv) > 4 else kex[-40:]).fin().out, expect=(), absent=[CH, SH])
    f = Flow().syn().data(0, hello).data(1, flight).data(0, kex).data(1, done).fin()
    g = Flow(cisn=900000000, sisn=800000000, t=1700000003).syn().data(0, sh).data(1, sf).data(0, sk).data(1, sd).fin()
    save("two-handshakes-same-ports", "two connections one after the other on the same addresses and ports", f.out + g.out, how="rewritten by `segments.py` from base-post-quantum-hello and tls/versions/tls12-negotiated")
    f = Flow().syn().data(0, hello).data(1, flight).data(0, kex).data(1, done)
    g = Flow(cisn=900000000, sisn=800000000, t=1700000003).syn().data(0, sh).data(1, sf).data(0, sk).data(1, sd).fin()
    save("two-handshakes-same-ports-no-fin", "the same ports used again without FIN or RST before", f.out + g.out, how="rewritten by `segments.py` from base-post-quantum-hello and tls/versions/tls12-negotiated")
    f = whole()
    g = Flow(cport=40001, t=1700000000).syn().data(0, sh).data(1, sf).data(0, sk).data(1, sd).fin().out
    mix = sorted(f + g, key=lambda x: x.t)
    save("two-flows-interleaved", "two connections at the same time", mix, how="rewritten by `segments.py` from base-post-quantum-hello and tls/versions/tls12-negotiated")
    f = Flow().syn().data(0, hello)
    f.send(1, 20)
    save("reset-in-the-middle-of-handshake", "server resets after the hello", f.out, expect=[CH, "tcp.flags.reset==1"], absent=[SH])
    f = Flow().syn().data(0, hello[:1448])
    f.send(0, 20)
    save("reset-in-the-middle-of-hello", "client resets after half of its hello", f.out, expect=["tcp.flags.reset==1"], absent=[SH])
    f = Flow().syn().data(0, hello).data(1, flight[:1448])
    f.fin(1)
    save("fin-in-the-middle-of-server-flight", "server closes in the middle of its flight", f.out, expect=[CH, SH, "tcp.flags.fin==1"], absent=["tls.handshake.type==14"])
    f = Flow().syn().data(0, hello[:700])
    f.fin(0)
    save("fin-in-the-middle-of-hello", "client closes after 700 bytes of its hello", f.out, expect=["tcp.flags.fin==1"], absent=[SH])

    # -- TLS framing
    rs, _ = records(hello)
    body = b"".join(r[2] for r in rs)
    v = rs[0][1]
    save("hello-over-many-records", "the hello split over records of 100 bytes", whole(hello=b"".join(record(22, v, body[i:i + 100]) for i in range(0, len(body), 100))))
    save("hello-in-one-byte-records", "the first 40 bytes of the hello in records of one byte", whole(hello=b"".join(record(22, v, body[i:i + 1]) for i in range(40)) + record(22, v, body[40:])))
    save("hello-with-empty-record", "an empty handshake record between the two halves of the hello (not allowed)", whole(hello=record(22, v, body[:300]) + record(22, v, b"") + record(22, v, body[300:])), expect=[SH])
    fr, rest = records(flight)
    allhs = b"".join(r[2] for r in fr)
    save("server-messages-in-one-record", "ServerHello, Certificate, ServerKeyExchange and ServerHelloDone in one record", whole(flight=record(22, fr[0][1], allhs)), expect=[CH, SH, "tls.handshake.type==11", "tls.handshake.type==14"])
    save("server-messages-over-many-records", "the server flight in records of 61 bytes: messages start and end inside records",
         whole(flight=b"".join(record(22, fr[0][1], allhs[i:i + 61]) for i in range(0, len(allhs), 61))), expect=[CH, SH, "tls.handshake.type==11"])

    # -- the file itself
    save("cut-in-the-middle-of-packet", "file ends inside a packet", plain, cut=500, expect=[CH])
    save("cut-in-packet-header", "file ends inside a packet header", [x.copy() for x in plain[:8]], cut=len(plain[7].eth()) + 8, expect=[CH])
    save("snaplen-96", "only the first 96 bytes of each packet were kept", plain, snap=96, expect=["frame.cap_len<frame.len"])
    save("snaplen-200", "only the first 200 bytes of each packet were kept", plain, snap=200, expect=["frame.cap_len<frame.len"])
    p = [x.copy(pad=bytes(max(0, 60 - len(x.eth())))) for x in plain]
    save("ethernet-padding", "short packets padded to 60 bytes", p)
    save("ethernet-trailer", "a four-byte trailer behind every packet", [x.copy(pad=b"\xde\xad\xbe\xef") for x in plain])
    save("wrong-tcp-checksums", "TCP checksums of the client wrong, as with checksum offload", [x.copy(bad_sum=x.dport == 443) for x in plain])
    save("ip-length-zero", "IP total length 0 in the large packets, as with segmentation offload", [x.copy(zero_len=len(x.data) > 1000) for x in plain], expect=())

    # -- damage; TCP checksums are right, so nothing below TLS drops it
    o = 5 + 4 + 2 + 32
    sid = hello[o]
    cs = o + 1 + sid
    ncs, = struct.unpack_from("!H", hello, cs)
    comp = cs + 2 + ncs
    exts = comp + 1 + hello[comp]

    def put(b, at, val, n=2):
        return b[:at] + val.to_bytes(n, "big") + b[at + n:]

    def ext_at(b, at, want):
        end = at + 2 + int.from_bytes(b[at:at + 2], "big")
        at += 2
        while at < end:
            t, n = struct.unpack_from("!HH", b, at)
            if t == want:
                return at
            at += 4 + n
        raise KeyError(want)

    dam = [("extension-length-too-long", "server_name extension claims 65280 bytes", put(hello, ext_at(hello, exts, 0) + 2, 0xFF00)),
           ("extension-length-too-short", "supported_groups extension claims one byte less", put(hello, ext_at(hello, exts, 10) + 2, int.from_bytes(hello[ext_at(hello, exts, 10) + 2:][:2], "big") - 1)),
           ("extensions-length-too-long", "the extension block claims more than the hello has", put(hello, exts, 0xFFFF)),
           ("extensions-length-too-short", "the extension block ends early", put(hello, exts, 20)),
           ("extensions-length-zero", "the extension block claims no bytes, but they are there", put(hello, exts, 0)),
           ("suites-length-odd", "length of the suite list is odd", put(hello, cs, ncs + 1)),
           ("suites-length-zero", "length of the suite list is zero", put(hello, cs, 0)),
           ("suites-length-too-long", "length of the suite list passes the end", put(hello, cs, 0xFFFE)),
           ("session-id-length-255", "session id of 255 bytes", put(hello, o, 255, 1)),
           ("handshake-length-too-long", "the hello claims 16777215 bytes", put(hello, 6, 0xFFFFFF, 3)),
           ("handshake-length-too-short", "the hello claims ten bytes less", put(hello, 6, int.from_bytes(hello[6:9], "big") - 10, 3)),
           ("handshake-length-zero", "the hello claims no bytes", put(hello, 6, 0, 3)),
           ("record-length-zero", "the first record claims no bytes", put(hello, 3, 0)),
           ("record-length-65535", "the first record claims 65535 bytes", put(hello, 3, 0xFFFF)),
           ("record-version-unknown", "record version 0x7a7a", put(hello, 1, 0x7A7A)),
           ("client-version-unknown", "client version 0x0505", put(hello, 9, 0x0505)),
           ("server-name-length", "the name inside server_name is longer than its list", put(hello, ext_at(hello, exts, 0) + 7, 200)),
           ("server-name-zero-byte", "server name with a zero byte and non-ASCII bytes", hello.replace(b"www.example.org", b"www\0ex\xc3\xa4\xffle.org")),
           ("server-name-control-bytes", "server name with escape, newline and quote bytes", hello.replace(b"www.example.org", b"w\x1b[31m\n\"<,;\\e.x")),
           ("key-share-length", "a key share longer than its extension", put(hello, ext_at(hello, exts, 51) + 6 + (5 if hello[ext_at(hello, exts, 51) + 6] & 15 == 10 else 0) + 2, 0xFFF0)),
           ("alpn-empty-name", "an empty protocol name in ALPN", put(hello, ext_at(hello, exts, 16) + 6, 0, 1))]
    for n, what, h in dam:
        save("damaged-" + n, "damaged hello: " + what, whole(hello=h), expect=())
    c = 5 + 4 + 2 + 32
    sx = c + 1 + flight[c] + 3
    save("damaged-server-extension-length", "damaged ServerHello: the extension block claims 65535 bytes", whole(flight=put(flight, sx, 0xFFFF)), expect=[CH])
    at = sum(5 + len(r[2]) for r in fr[:1]) + 5
    save("damaged-certificate-list-length", "damaged Certificate: the list claims more than the message", whole(flight=put(flight, at + 4, 0xFFFFFF, 3)), expect=[CH, SH])
    save("damaged-certificate-length", "damaged Certificate: the first certificate is longer than the list", whole(flight=put(flight, at + 7, 0x00FFFF, 3)), expect=[CH, SH])
    save("damaged-certificate-der", "damaged Certificate: the outer DER length is wrong", whole(flight=put(flight, at + 12, 0xFFFF)), expect=[CH, SH])
    save("damaged-certificate-bytes", "damaged Certificate: 200 bytes inside the certificate are zero", whole(flight=flight[:at + 60] + bytes(200) + flight[at + 260:]), expect=[CH, SH])
    for s in range(1, 5):
        r = random.Random(s)
        def flip(b):
            b = bytearray(b)
            for _ in range(12):
                b[r.randrange(len(b))] ^= 1 << r.randrange(8)
            return bytes(b)
        save(f"damaged-random-bits-{s}", f"twelve random bits flipped in the hello and twelve in the server flight (seed {s})", whole(hello=flip(hello), flight=flip(flight)), expect=())


def fast_open(hello, flight, kex, done):
    f = Flow()
    mss = bytes.fromhex("020405b4")
    f.send(0, 2, hello[:1000], mss + bytes.fromhex("220a0102030405060708") + b"\x01\x01")
    f.send(1, 18, b"", mss)
    f.send(0, 16)
    return f.data(0, hello[1000:]).data(1, flight).data(0, kex).data(1, done).fin().out
