"""Scripted DTLS captures, all re-shaped from real ones made by dtls.sh (reordered, repeated, dropped,
or their handshake messages cut into other fragments); STUN, RTP and TURN framing is added by hand where said."""
import os, random, struct, sys
from scapy.all import rdpcap, wrpcap, Ether, IP, UDP, Raw

D = sys.argv[1]; random.seed(30)
def load(n): return list(rdpcap(f"{D}/{n}.pcap"))
def save(n, ps):
    for i, p in enumerate(ps): p.time = 1700000000.0 + i * 0.01
    wrpcap(f"{D}/{n}.pcap", ps, linktype=1); print(f"dtls/{n}.pcap {os.path.getsize(f'{D}/{n}.pcap')} bytes {len(ps)} packets")
def up(p): return p[UDP].dport in (4433, 443)
def pay(p): return bytes(p[UDP].payload)
def like(p, data, sport=None, dport=None):
    return Ether(bytes(Ether(src=p[Ether].src, dst=p[Ether].dst) / IP(src=p[IP].src, dst=p[IP].dst, ttl=64, id=random.getrandbits(16))
        / UDP(sport=sport or p[UDP].sport, dport=dport or p[UDP].dport) / Raw(data)))
def records(d):
    while len(d) >= 13:
        n = struct.unpack("!H", d[11:13])[0]; yield d[0], struct.unpack("!H", d[1:3])[0], d[5:11], d[13:13 + n], d[3:5]; d = d[13 + n:]
def messages(ps):
    """[(type, message_seq, body)] of the unencrypted handshake records in these packets"""
    got = {}
    for p in ps:
        for typ, ver, seq, body, epoch in records(pay(p)):
            while typ == 22 and epoch == b"\0\0" and len(body) >= 12:
                t, total, ms, off, n = body[0], int.from_bytes(body[1:4], "big"), *struct.unpack("!H", body[4:6]), int.from_bytes(body[6:9], "big"), int.from_bytes(body[9:12], "big")
                got.setdefault((ms, t), bytearray(total))[off:off + n] = body[12:12 + n]; body = body[12 + n:]
    return [(t, ms, bytes(b)) for (ms, t), b in sorted(got.items())]
SEQ = [100]
def frag(t, ms, body, off, n, ver=0xfefd, data=None):
    piece = (data or body)[off:off + n]; SEQ[0] += 1
    h = bytes([t]) + len(body).to_bytes(3, "big") + struct.pack("!H", ms) + off.to_bytes(3, "big") + len(piece).to_bytes(3, "big") + piece
    return struct.pack("!BHHHIH", 22, ver, 0, 0, SEQ[0], len(h)) + h

rsa, small, one = load("v1.2-openssl-rsa"), load("v1.2-openssl-small-mtu-fragments"), load("v1.2-openssl-cookie")
# the server's flight lies between the second ClientHello and the client's next packet
a = max(i for i, p in enumerate(rsa) if up(p) and pay(p)[13] == 1); b = next(i for i in range(a + 1, len(rsa)) if up(rsa[i]))
save("v1.2-server-flight-reversed", rsa[:a + 1] + rsa[a + 1:b][::-1] + rsa[b:])
save("v1.2-server-flight-retransmitted", rsa[:b] + [p.copy() for p in rsa[a + 1:b]] + rsa[b:])
save("v1.2-server-flight-one-fragment-missing", rsa[:a + 3] + rsa[a + 4:])
save("v1.2-client-side-only", [p for p in rsa if up(p)])
save("v1.2-server-side-only", [p for p in rsa if not up(p)])
save("v1.2-middle-of-connection", rsa[-3:])
save("v1.2-every-packet-twice", [q for p in rsa for q in (p, p.copy())])
h = [i for i, p in enumerate(small) if up(p) and pay(p)[0] == 22 and pay(p)[13] == 1]
hs = small[:]; second = h[-3:]
hs[second[0]:second[-1] + 1] = [small[i] for i in second[::-1]]
save("v1.2-client-hello-fragments-reversed", hs)
save("v1.2-client-hello-last-fragment-missing", [p for i, p in enumerate(small) if i != h[-1]])

k = max(i for i, p in enumerate(one) if up(p) and pay(p)[13] == 1)      # one[k+1] is the whole server flight
flight = messages([one[k + 1]]); tail = one[k + 2:]
def server(name, *datagrams): save(name, one[:k + 1] + [like(one[k + 1], d) for d in datagrams] + [p.copy() for p in tail])
sh, cert, rest = flight[0], flight[1], flight[2:]
whole = lambda m: frag(*m, 0, len(m[2]))
N = len(cert[2])
server("v1.2-certificate-fragments-overlapping-same-bytes", whole(sh), *[frag(*cert, o, 200) for o in range(0, N, 120)], b"".join(map(whole, rest)))
bad = bytearray(cert[2]); bad[150:200] = bytes(50)
server("v1.2-certificate-fragments-overlapping-conflicting-bytes", whole(sh), frag(*cert, 0, 300), frag(*cert, 100, 200, data=bytes(bad)), frag(*cert, 300, N), b"".join(map(whole, rest)))
server("v1.2-certificate-one-byte-fragments-first-32", whole(sh), b"".join(frag(*cert, i, 1) for i in range(32)), frag(*cert, 32, N), b"".join(map(whole, rest)))
lie = frag(cert[0], cert[1], cert[2] + bytes(70000), 0, 200)
server("v1.2-certificate-length-differs-between-fragments", whole(sh), frag(*cert, 0, 200), lie, frag(*cert, 200, N), b"".join(map(whole, rest)))
server("v1.2-empty-handshake-fragments", whole(sh), frag(*cert, 0, 0), frag(*cert, 0, 0), whole(cert), b"".join(map(whole, rest)))
first = one[k]; ch = messages([first])[0]
save("v1.2-client-hello-fragments-in-one-datagram", one[:k] + [like(first, b"".join(frag(*ch, o, 80, ver=0xfeff) for o in range(0, len(ch[2]), 80)))] + one[k + 1:])

# TURN Send/Data indications (before a channel is bound) around the real packets, udp/3478
MAGIC = 0x2112A442
def indication(p):
    d, tid = pay(p), random.randbytes(12)
    ip = bytes(map(int, "203.0.113.9".split("."))); x = struct.pack("!BBH", 0, 1, 4433 ^ (MAGIC >> 16)) + struct.pack("!I", struct.unpack("!I", ip)[0] ^ MAGIC)
    at = struct.pack("!HH", 0x12, 8) + x + struct.pack("!HH", 0x13, len(d)) + d + bytes(-len(d) % 4)
    return struct.pack("!HHI", 0x16 if up(p) else 0x17, len(at), MAGIC) + tid + at
save("turn-send-and-data-indications", [like(p, indication(p), *((None, 3478) if up(p) else (3478, None))) for p in one])
# RTP and STUN among real DTLS-SRTP packets on one port
srtp = load("v1.2-openssl-use-srtp-80"); out = []
for i, p in enumerate(srtp):
    tid = random.randbytes(12)
    if i % 4 == 0: out.append(like(p, struct.pack("!HHI", 1 if up(p) else 0x101, 0, MAGIC) + tid))
    out.append(p)
    if i > len(srtp) - 6: out.append(like(p, struct.pack("!BBHII", 0x80, 96, i, i * 160, 0x01020304) + random.randbytes(90))); out.append(like(p, struct.pack("!BBHI", 0x81, 200, 6, 0x01020304) + random.randbytes(30)))
save("stun-dtls-srtp-rtcp-one-port", out)
noise = [like(rsa[0], random.choice([b"\x16\xfe\xfd", b"\x16\xfe\xff\0\0\0\0\0\0\0\0\xff\xff", b"\x14\xfe\xfd" + bytes(11), b""]) + random.randbytes(random.choice([0, 7, 40, 300]))) for _ in range(12)]
save("udp-4433-random-noise-starting-like-dtls", noise)
