"""Scripted QUIC captures. Wherever one exists, a real capture made by quic.sh is the raw
material: its packets are reordered, dropped, or opened with the (public) Initial keys and
sealed again in another shape. Only the gQUIC, noise and version-list packets are built by hand.
"""
import os, random, struct, sys
from scapy.all import rdpcap, wrpcap, Ether, IP, UDP, Raw
from aioquic.quic.crypto import CryptoPair
from aioquic.buffer import Buffer

D = sys.argv[1]
random.seed(20)
def load(n): return list(rdpcap(f"{D}/{n}.pcap"))
def save(n, ps):
    t = 1700000000.0
    for i, p in enumerate(ps): p.time = t + i * 0.01
    wrpcap(f"{D}/{n}.pcap", ps, linktype=1)
    print(f"quic/{n}.pcap {os.path.getsize(f'{D}/{n}.pcap')} bytes {len(ps)} packets")
def up(p): return p[UDP].dport in (443, 4433)
def pay(p): return bytes(p[UDP].payload)
def with_payload(p, data, **ip):
    q = Ether(src=p[Ether].src, dst=p[Ether].dst) / IP(src=p[IP].src, dst=p[IP].dst, ttl=64, id=random.getrandbits(16)) \
        / UDP(sport=p[UDP].sport, dport=p[UDP].dport) / Raw(data)
    return Ether(bytes(q))
def datagram(data, sport=40001, dport=443, back=False):
    e = Ether(src="02:00:00:00:00:10", dst="02:00:00:00:00:20"); i = IP(src="192.0.2.10", dst="192.0.2.20", ttl=64)
    if back: e.src, e.dst = e.dst, e.src; i.src, i.dst = i.dst, i.src; sport, dport = dport, sport
    return Ether(bytes(e / i / UDP(sport=sport, dport=dport) / Raw(data)))

def vint(n):
    if n < 64: return bytes([n])
    if n < 16384: return struct.pack("!H", n | 0x4000)
    return struct.pack("!I", n | 0x80000000)

class Initial:
    """The first (client Initial) packet of a datagram, opened."""
    def __init__(self, data):
        b = Buffer(data=data); b.pull_uint8(); self.version = b.pull_uint32()
        self.dcid = b.pull_bytes(b.pull_uint8()); self.scid = b.pull_bytes(b.pull_uint8())
        self.token = b.pull_bytes(b.pull_uint_var()); n = b.pull_uint_var(); off = b.tell()
        pair = CryptoPair(); pair.setup_initial(self.dcid, is_client=False, version=self.version)
        _, self.plain, self.pn = pair.decrypt_packet(data[:off + n], off, 0)[:3]
    def crypto(self):
        """{offset: bytes} of the CRYPTO frames"""
        out, b = {}, Buffer(data=self.plain)
        while not b.eof():
            t = b.pull_uint_var()
            if t in (0, 1): continue
            if t == 6:
                o = b.pull_uint_var(); out[o] = b.pull_bytes(b.pull_uint_var())
            else: break
        return out
    def seal(self, frames, pn=None, pad=1200):
        pn = self.pn if pn is None else pn
        def head(n):
            return bytes([0xC1]) + struct.pack("!I", self.version) + bytes([len(self.dcid)]) + self.dcid \
                + bytes([len(self.scid)]) + self.scid + vint(len(self.token)) + self.token \
                + struct.pack("!H", 0x4000 | n) + struct.pack("!H", pn)
        size = len(head(0)) + len(frames) + 16
        if pad and size < pad: frames = frames + bytes(pad - size)
        pair = CryptoPair(); pair.setup_initial(self.dcid, is_client=True, version=self.version)
        return pair.encrypt_packet(head(2 + len(frames) + 16), frames, pn)
def frame(off, data): return b"\x06" + vint(off) + vint(len(data)) + data

v1 = load("v1-quinn-x25519"); two = load("v1-quinn-post-quantum-two-datagrams")
save("v1-client-side-only", [p for p in v1 if up(p)])
save("v1-server-side-only", [p for p in v1 if not up(p)])
save("v1-two-datagram-hello-reversed", [two[1], two[0]] + two[2:10])
save("v1-two-datagram-hello-duplicated", [two[0], two[0].copy(), two[1], two[1].copy()] + two[2:10])
save("v1-two-datagram-hello-first-missing", two[1:10])
save("v1-two-datagram-hello-second-missing", [two[0]] + two[2:10])
save("v1-server-before-client", [p for p in v1[1:3]] + [v1[0]] + v1[3:9])
save("v1-middle-of-connection-short-headers", [p for p in v1 if not pay(p)[0] & 0x80][:8])

ini = Initial(pay(v1[0])); hello = b"".join(v for _, v in sorted(ini.crypto().items())); rest = v1[1:9]
def variant(name, *datagrams): save(name, [with_payload(v1[0], d) for d in datagrams] + [p.copy() for p in rest])
variant("v1-initial-shorter-than-1200", ini.seal(frame(0, hello), pad=0))
k = len(hello) // 4
parts = [(i, hello[i:i + k]) for i in range(0, len(hello), k)]
shuffled = parts[::-1]
variant("v1-crypto-frames-reversed-in-one-packet", ini.seal(b"".join(frame(*x) + b"\x01" for x in shuffled)))
variant("v1-crypto-frames-overlapping-same-bytes", ini.seal(frame(0, hello[:200]) + frame(100, hello[100:260]) + frame(0, hello[:50]) + frame(180, hello[180:])))
bad = bytearray(hello); bad[120] ^= 0xFF
variant("v1-crypto-frames-overlapping-conflicting-bytes", ini.seal(frame(0, hello[:200]) + frame(100, bytes(bad[100:])) ))
variant("v1-crypto-frame-gap-never-filled", ini.seal(frame(0, hello[:100]) + frame(140, hello[140:])))
variant("v1-one-crypto-frame-per-datagram-reversed", *[ini.seal(frame(*x), pn=len(parts) - 1 - i) for i, x in list(enumerate(shuffled))])
variant("v1-crypto-offset-far-away", ini.seal(frame(1 << 29, b"far") + frame(0, hello)))
first = pay(v1[0]); variant("v1-initial-authentication-tag-wrong", first[:300] + bytes([first[300] ^ 1]) + first[301:])
coal = ini.seal(frame(0, hello), pad=0)
junk = bytes([0xE3]) + struct.pack("!I", 1) + b"\x08" + random.randbytes(8) + b"\x00" + vint(400) + random.randbytes(400)
variant("v1-initial-coalesced-with-undecryptable-packet", coal + junk + bytes(max(0, 1200 - len(coal) - len(junk))))
inter = [x for pair in zip(v1[:12], two[:12]) for x in pair]
save("v1-two-connections-interleaved", inter)

# an unknown version; the server answers with a list holding a greased version
cid, scid = random.randbytes(8), random.randbytes(8)
unk = bytes([0xC3]) + struct.pack("!I", 0x0a1a2a3a) + b"\x08" + cid + b"\x08" + scid + random.randbytes(1178)
vn = bytes([0xF5]) + bytes(4) + b"\x08" + scid + b"\x08" + cid + struct.pack("!4I", 0x6b3343cf, 1, 0xff00001d, 0x5a6a7a8a)
save("unknown-version-answered-by-version-list-with-grease", [datagram(unk), datagram(vn, back=True)])
save("unknown-version-client-only", [datagram(unk, 40002), datagram(unk, 40002)])

# Google QUIC Q043: public header, null encryption (FNV-1a-128 cut to 96 bits), STREAM 1 with a CHLO
def fnv(data):
    h = 144066263297769815596495629667062367629
    for c in data: h = ((h ^ c) * ((1 << 88) + 0x13B)) % (1 << 128)
    return (h & ((1 << 96) - 1)).to_bytes(12, "little")
def tagged(msg, tags):
    body = b""; idx = b""
    for t, v in sorted(tags.items(), key=lambda x: x[0][::-1]): body += v; idx += t + struct.pack("<I", len(body))
    return msg + struct.pack("<HH", len(tags), 0) + idx + body
tags = {b"SNI\0": b"server.example.test", b"VER\0": b"Q043", b"UAID": b"example/1.0", b"PDMD": b"X509",
        b"ICSL": struct.pack("<I", 30), b"MIDS": struct.pack("<I", 100), b"CFCW": struct.pack("<I", 49152), b"SFCW": struct.pack("<I", 32768), b"PAD\0": b"-" * 1000}
chlo = tagged(b"CHLO", tags)
hdr = b"\x09" + cid + b"Q043" + b"\x01"
plain = b"\xa0\x01" + struct.pack("!H", len(chlo)) + chlo
plain += bytes(1350 - len(hdr) - 12 - len(plain))
q043 = hdr + fnv(hdr + plain + b"Client") + plain
rej = tagged(b"REJ\0", {b"STK\0": random.randbytes(56), b"RREJ": struct.pack("<I", 13)})
hdr2 = b"\x08" + cid + b"\x01"; plain2 = b"\xa0\x01" + struct.pack("!H", len(rej)) + rej
save("gquic-q043-chlo-and-rej", [datagram(q043, 40003), datagram(hdr2 + fnv(hdr2 + plain2 + b"Server") + plain2, 40003, back=True)])
hdr46 = b"\xc3Q046\x50" + cid + struct.pack("!I", 1)
save("gquic-q046-chlo", [datagram(hdr46 + fnv(hdr46 + plain + b"Client") + plain, 40004)])

# udp/443 that is no QUIC at all
noise = []
for i in range(12):
    d = random.randbytes(random.choice([1, 4, 20, 60, 120, 300, 700, 1200])); noise.append(datagram(d, 41000 + i // 3, back=bool(i % 2)))
noise += [datagram(b"\xc0", 41010), datagram(b"\xc3\0\0\0\1", 41011), datagram(b"\xc3\0\0\0\1\xff" + random.randbytes(1194), 41012),
          datagram(b"\xc3\0\0\0\1\x14" + random.randbytes(10), 41013), datagram(bytes(1200), 41014), datagram(b"\xff" * 1200, 41015)]
save("udp-443-random-noise", noise)
