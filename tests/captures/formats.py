"""The same small TLS 1.2 capture in other file formats and link types."""
import gzip
import struct

from lib import *
from packets import Tcp, csum

CH = "tls.handshake.type==1"
SH = "tls.handshake.type==2"
OUT = os.path.join(PCAPS, "formats")


def block(e, t, body):
    body += b"\0" * (-len(body) % 4)
    n = struct.pack(e + "I", len(body) + 12)
    return struct.pack(e + "I", t) + n + body + n


def opt(e, code, v):
    return struct.pack(e + "HH", code, len(v)) + v + b"\0" * (-len(v) % 4)


END = b"\0\0\0\0"


def shb(e, *opts):
    return block(e, 0x0A0D0D0A, struct.pack(e + "IHHq", 0x1A2B3C4D, 1, 0, -1) + (b"".join(opts) + END if opts else b""))


def idb(e, link, snap=262144, *opts):
    return block(e, 1, struct.pack(e + "HHI", link, 0, snap) + (b"".join(opts) + END if opts else b""))


def epb(e, iface, ts, data, orig=None, *opts):
    return block(e, 6, struct.pack(e + "IIIII", iface, ts >> 32, ts & 0xFFFFFFFF, len(data), orig or len(data)) + data + b"\0" * (-len(data) % 4)
                 + (b"".join(opts) + END if opts else b""))


def run():
    os.makedirs(OUT, exist_ok=True)
    base = os.path.join(PCAPS, "tls/versions/tls12-negotiated.pcap")
    base6 = os.path.join(PCAPS, "tls/versions/tls13-ipv6.pcap")
    _, pk = read_pcap(base)
    _, pk6 = read_pcap(base6)
    eth = [b for _, _, b, _ in pk]
    ip = [b[14:] for b in eth]
    ip6 = [b[14:] for _, _, b, _ in pk6]
    stamps = [(s, u) for s, u, _, _ in pk]
    us = [s * 1000000 + u for s, u in stamps]
    from_server = [b[6:12] == bytes.fromhex("020000000020") for b in eth]

    def done(name, shows, expect=(CH, SH), absent=(), how=None, source="tls/versions/tls12-negotiated.pcap", soft_=("OpenSSL", "OpenSSL"), tshark_reads=True):
        path = os.path.join(OUT, name)
        bad = check(path, expect, absent) if tshark_reads else []
        size = os.path.getsize(path)
        print(f"  {name}: {size} bytes" + (f" FAILED {bad}" if bad else ""))
        if bad:
            failed.append(name)
        row(path, shows, soft_[0], soft_[1], how or f"`formats.py` from {source}")

    soft2 = (soft(["openssl"]),) * 2
    D = lambda *a, **k: done(*a, soft_=soft2, **k)

    def classic(name, shows, link, pkts, magic=0xA1B2C3D4, e="<", mul=1, st=stamps, **kw):
        write_pcap(os.path.join(OUT, name), link, [(s, u * mul, b, len(b)) for (s, u), b in zip(st, pkts)], magic=magic, e=e)
        D(name, shows, **kw)

    # -- container formats
    classic("pcap-microseconds-little-endian.pcap", "pcap, microseconds, little endian", 1, eth)
    classic("pcap-nanoseconds-little-endian.pcap", "pcap, nanoseconds, little endian", 1, eth, 0xA1B23C4D, mul=1000)
    classic("pcap-microseconds-big-endian.pcap", "pcap, microseconds, big endian", 1, eth, e=">")
    classic("pcap-nanoseconds-big-endian.pcap", "pcap, nanoseconds, big endian", 1, eth, 0xA1B23C4D, e=">", mul=1000)
    write_pcap(os.path.join(OUT, "pcap-no-packets.pcap"), 1, [])
    D("pcap-no-packets.pcap", "pcap header and nothing else", expect=())
    plain = open(os.path.join(OUT, "pcap-microseconds-little-endian.pcap"), "rb").read()
    open(os.path.join(OUT, "pcap-gzip.pcap.gz"), "wb").write(gzip.compress(plain, mtime=0))
    D("pcap-gzip.pcap.gz", "pcap, gzip")
    half = len(plain) // 2
    open(os.path.join(OUT, "pcap-gzip-two-members.pcap.gz"), "wb").write(gzip.compress(plain[:half], mtime=0) + gzip.compress(plain[half:], mtime=0))
    D("pcap-gzip-two-members.pcap.gz", "pcap, two gzip members one after the other", tshark_reads=False)
    open(os.path.join(OUT, "pcap-gzip-cut.pcap.gz"), "wb").write(gzip.compress(plain, mtime=0)[:-400])
    D("pcap-gzip-cut.pcap.gz", "pcap, gzip stream cut off", tshark_reads=False)
    sh(["zstd", "-q", "-f", "-o", os.path.join(OUT, "pcap-zstd.pcap.zst"), os.path.join(OUT, "pcap-microseconds-little-endian.pcap")])
    D("pcap-zstd.pcap.zst", "pcap, zstd", tshark_reads=False)
    ng = shb("<") + idb("<", 1) + b"".join(epb("<", 0, t, b) for t, b in zip(us, eth))
    open(os.path.join(OUT, "pcapng.pcapng"), "wb").write(ng)
    D("pcapng.pcapng", "pcapng, one section, one interface")
    open(os.path.join(OUT, "pcapng-gzip.pcapng.gz"), "wb").write(gzip.compress(ng, mtime=0))
    D("pcapng-gzip.pcapng.gz", "pcapng, gzip")
    sh(["zstd", "-q", "-f", "-o", os.path.join(OUT, "pcapng-zstd.pcapng.zst"), os.path.join(OUT, "pcapng.pcapng")])
    D("pcapng-zstd.pcapng.zst", "pcapng, zstd", tshark_reads=False)
    e = ">"
    open(os.path.join(OUT, "pcapng-big-endian.pcapng"), "wb").write(shb(e) + idb(e, 1) + b"".join(epb(e, 0, t, b) for t, b in zip(us, eth)))
    D("pcapng-big-endian.pcapng", "pcapng, big endian")
    open(os.path.join(OUT, "pcapng-simple-packet-blocks.pcapng"), "wb").write(
        shb("<") + idb("<", 1, 0) + b"".join(block("<", 3, struct.pack("<I", len(b)) + b) for b in eth))
    D("pcapng-simple-packet-blocks.pcapng", "pcapng with Simple Packet Blocks, which have no time stamps")
    open(os.path.join(OUT, "pcapng-obsolete-packet-blocks.pcapng"), "wb").write(
        shb("<") + idb("<", 1) + b"".join(block("<", 2, struct.pack("<HHIIII", 0, 0xFFFF, t >> 32, t & 0xFFFFFFFF, len(b), len(b)) + b) for t, b in zip(us, eth)))
    D("pcapng-obsolete-packet-blocks.pcapng", "pcapng with the obsolete Packet Block")

    # two sections, two interfaces with other time resolutions and link types,
    # and every other kind of block in between
    def nrb(e):
        r = struct.pack(e + "HH", 1, 4 + 16) + bytes([192, 0, 2, 20]) + b"www.example.org\0"
        return block(e, 4, r + b"\0" * (-len(r) % 4) + END)

    def isb(e, i, t):
        return block(e, 5, struct.pack(e + "III", i, t >> 32, t & 0xFFFFFFFF) + opt(e, 4, struct.pack(e + "Q", len(eth))) + opt(e, 5, struct.pack(e + "Q", 0)) + END)

    custom = lambda e: block(e, 0x00000BAD, struct.pack(e + "I", 32473) + b"anything at all.")
    e = "<"
    f = shb(e, opt(e, 4, b"formats.py"), opt(e, 1, b"first section"))
    f += idb(e, 1, 262144, opt(e, 2, b"eth-client"), opt(e, 9, b"\x09"))  # nanoseconds
    f += idb(e, 101, 262144, opt(e, 2, b"raw-server"), opt(e, 9, b"\x8a"), opt(e, 14, struct.pack(e + "q", 0)))  # 2^-10 s
    f += nrb(e) + block(e, 0x7F001234, b"unknown block") + custom(e)
    for t, b, i, srv in zip(us, eth, ip, from_server):
        f += epb(e, 1, t * 1024 // 1000000, i) if srv else epb(e, 0, t * 1000, b, None, opt(e, 1, b"from the client"), opt(e, 2, struct.pack(e + "I", 2)))
    f += isb(e, 0, us[-1] * 1000) + isb(e, 1, us[-1] * 1024 // 1000000)
    e = ">"
    f += shb(e, opt(e, 1, b"second section, big endian"))
    f += idb(e, 113, 262144, opt(e, 9, b"\x06")) + idb(e, 1, 262144, opt(e, 9, b"\x03"), opt(e, 14, struct.pack(e + "q", 1000000000)))  # ms, with an offset
    f += nrb(e) + custom(e) + block(e, 0x00000BAD + 0x40000000, struct.pack(e + "I", 32473) + b"do not copy.")
    sll = lambda i, srv: struct.pack("!HHH8sH", 0 if srv else 4, 1, 6, bytes.fromhex("02000000002000000"[:16]) if srv else bytes.fromhex("0200000000100000"), 0x86DD if i[0] >> 4 == 6 else 0x0800) + i
    p6 = [(s * 1000000 + u, b) for s, u, b, _ in pk6]
    for t, b in p6:
        srv = b[6:12] == bytes.fromhex("020000000020")
        f += epb(e, 0, t, sll(b[14:], srv)) if srv else epb(e, 1, t // 1000 - 1000000000000, b)
    f += isb(e, 0, p6[-1][0])
    open(os.path.join(OUT, "pcapng-two-sections-two-interfaces.pcapng"), "wb").write(f)
    D("pcapng-two-sections-two-interfaces.pcapng", "pcapng with two sections (little and big endian), two interfaces each (Ethernet, raw IP, cooked) with time resolutions 10^-9, 2^-10, 10^-6 and 10^-3 with an offset, "
      "unknown and custom blocks, name resolution, interface statistics and packet options; a TLS 1.2 flow in the first section, a TLS 1.3 flow over IPv6 in the second",
      expect=[CH, SH, "ipv6 && " + SH], source="tls/versions/tls12-negotiated.pcap and tls/versions/tls13-ipv6.pcap")
    open(os.path.join(OUT, "pcapng-cut-in-block.pcapng"), "wb").write(ng[:-340])
    D("pcapng-cut-in-block.pcapng", "pcapng that ends inside a block", expect=[CH])
    # an embedded decryption secrets block is skipped, not used; the key log line is a made-up one
    dsb = block("<", 0x0A, struct.pack("<II", 0x544C534B, 8) + b"# none\n\0")
    open(os.path.join(OUT, "pcapng-decryption-secrets-block.pcapng"), "wb").write(shb("<") + idb("<", 1) + dsb + b"".join(epb("<", 0, t, b) for t, b in zip(us, eth)))
    D("pcapng-decryption-secrets-block.pcapng", "pcapng with a Decryption Secrets Block (a comment, no secrets)")

    # -- link types
    tag = lambda b, *t: b[:12] + b"".join(struct.pack("!HH", a, v) for a, v in t) + b[12:]
    classic("link-ethernet-vlan.pcap", "Ethernet with one 802.1Q tag, VLAN 100", 1, [tag(b, (0x8100, 100)) for b in eth], expect=[CH, SH, "vlan.id==100"])
    classic("link-ethernet-qinq.pcap", "Ethernet with stacked tags, 802.1ad VLAN 200 around 802.1Q VLAN 100", 1, [tag(b, (0x88A8, 200), (0x8100, 100)) for b in eth], expect=[CH, SH, "vlan.id==100"])
    classic("link-ethernet-qinq-8100.pcap", "Ethernet with two 802.1Q tags", 1, [tag(b, (0x8100, 200), (0x8100, 100)) for b in eth], expect=[CH, SH])
    classic("link-ethernet-vlan-one-direction.pcap", "the server's packets tagged, the client's not", 1, [tag(b, (0x8100, 7)) if s else b for b, s in zip(eth, from_server)], expect=[CH, SH])
    classic("link-raw-101.pcap", "raw IP, link type 101", 101, ip)
    classic("link-raw-12.pcap", "raw IP, link type 12", 12, ip)
    classic("link-raw-14.pcap", "raw IP, link type 14", 14, ip, expect=())
    classic("link-ipv4-228.pcap", "raw IPv4, link type 228", 228, ip)
    classic("link-ipv6-229.pcap", "raw IPv6, link type 229", 229, ip6, st=[(s, u) for s, u, _, _ in pk6], source="tls/versions/tls13-ipv6.pcap")
    classic("link-null-little-endian.pcap", "BSD loopback, family in little endian", 0, [struct.pack("<I", 2) + i for i in ip])
    classic("link-null-big-endian.pcap", "BSD loopback, family in big endian, in a big-endian file", 0, [struct.pack(">I", 2) + i for i in ip], e=">")
    classic("link-null-other-byte-order.pcap", "BSD loopback, family in big endian, in a little-endian file", 0, [struct.pack(">I", 2) + i for i in ip])
    for fam, os_ in ((24, "NetBSD and OpenBSD"), (28, "FreeBSD"), (30, "macOS")):
        classic(f"link-null-ipv6-family-{fam}.pcap", f"BSD loopback, IPv6 family {fam} ({os_})", 0, [struct.pack("<I", fam) + i for i in ip6], st=[(s, u) for s, u, _, _ in pk6], source="tls/versions/tls13-ipv6.pcap")
    classic("link-loop-108.pcap", "OpenBSD loopback, link type 108", 108, [struct.pack(">I", 2) + i for i in ip])
    classic("link-linux-sll-113-rewrapped.pcap", "Linux cooked v1", 113, [sll(i, s) for i, s in zip(ip, from_server)])
    classic("link-unknown-147.pcap", "a link type nobody can decode (147, reserved for private use)", 147, eth, expect=())
    # cooked captures as tcpdump -i any makes them
    for n, dlt, what in (("sll-113", "LINUX_SLL", "v1"), ("sll2-276", "LINUX_SLL2", "v2")):
        cap("link-linux-" + n, f"Linux cooked {what}, as tcpdump -i any writes it", s_server("-tls1_2"), s_client("-tls1_2"), tcpdump_iface="any", tcpdump_args=("-y", dlt),
            streams=None, sub="../formats", expect=[CH, SH, "sll"])
    cap("link-loopback-linux", "Linux loopback (Ethernet with zero addresses), large segments", None,
        ["bash", "-c", " ".join(["ip link set lo up;"] + s_server("-tls1_2") + ["& sleep 0.5; (sleep 0.3; echo ping; sleep 0.2; echo Q) |"]
                                + s_client("-tls1_2", host="127.0.0.1") + ["; kill %1"])],
        tcpdump_iface="lo", streams=None, sub="../formats", expect=[CH, SH, "ip.addr==127.0.0.1"], stdin=[], soft_c=soft2[0], soft_s=soft2[0])

    # -- IPv6 extension headers and fragments
    def ext6(b, *heads):
        """heads: (protocol number, body of 8n bytes without its next-header byte)"""
        nxt = b[6]
        body = b""
        for i, (t, h) in enumerate(heads):
            body += bytes([heads[i + 1][0] if i + 1 < len(heads) else nxt]) + h
        return b[:4] + struct.pack("!H", len(b) - 40 + len(body)) + bytes([heads[0][0]]) + b[7:40] + body + b[40:]

    e6 = [b[:14] for _, _, b, _ in pk6]
    st6 = [(s, u) for s, u, _, _ in pk6]
    pad = b"\x00\x01\x04\0\0\0\0"
    long = b"\x01\x01\x0c" + bytes(12)
    for n, what, heads in (("hop-by-hop", "a hop-by-hop options header", [(0, pad)]), ("destination-options", "a destination options header of 16 bytes", [(60, long)]),
                           ("several", "hop-by-hop, destination options, routing and destination options headers", [(0, pad), (60, pad), (43, b"\x00\xfd\x00\0\0\0\0"), (60, long)]),
                           ("atomic-fragment", "a fragment header on whole packets", [(44, b"\0\0\0\0\0\0\x01")])):
        classic(f"ipv6-{n}.pcap", "IPv6 with " + what, 1, [h + ext6(b, *heads) for h, b in zip(e6, ip6)], st=st6, source="tls/versions/tls13-ipv6.pcap")
    # IPv4 options and fragments
    def opts4(b):
        h = bytearray(b[:20] + b"\x94\x04\0\0\x01\x01\x01\x00")  # router alert and padding
        h[0] = 0x47
        h[2:4] = struct.pack("!H", len(b) + 8)
        h[10:12] = b"\0\0"
        h[10:12] = struct.pack("!H", csum(bytes(h)))
        return bytes(h) + b[20:]

    classic("ipv4-options.pcap", "IPv4 with options", 1, [e[:14] + opts4(i) for e, i in zip(eth, ip)])
    frag, fst = [], []
    for k, (x, i, t) in enumerate(zip(eth, ip, stamps)):
        if len(i) <= 220:
            frag.append(x)
            fst.append(t)
            continue
        body = i[20:]
        for o in range(0, len(body), 200):
            piece = body[o:o + 200]
            h = bytearray(i[:20])
            h[2:4] = struct.pack("!H", 20 + len(piece))
            h[4:6] = struct.pack("!H", 7000 + k)
            h[6:8] = struct.pack("!H", o // 8 | (0x2000 if o + 200 < len(body) else 0))
            h[10:12] = b"\0\0"
            h[10:12] = struct.pack("!H", csum(bytes(h)))
            frag.append(x[:14] + bytes(h) + piece)
            fst.append(t)
    classic("ipv4-fragments.pcap", "every packet over 220 bytes in IPv4 fragments", 1, frag, st=fst)
