"""Cut the packets of a real TLS flow into IP fragments. fragments.py BASE OUT"""
import os, random, struct, sys
from scapy.all import rdpcap, wrpcap, Ether, IP, IPv6, TCP, Raw
B, O = sys.argv[1:3]; random.seed(50)
four, six = list(rdpcap(f"{B}/four.pcap")), list(rdpcap(f"{B}/six.pcap"))
hello = lambda p: p[TCP].dport == 443 and bytes(p[TCP].payload)[:1] == b"\x16" and bytes(p[TCP].payload)[5:6] == b"\x01"
def save(n, ps):
    for i, p in enumerate(ps): p.time = 1700000000.0 + i * 0.01
    wrpcap(f"{O}/{n}.pcap", ps, linktype=1); print(f"fragments/{n}.pcap {os.path.getsize(f'{O}/{n}.pcap')} bytes {len(ps)} packets")
def f4(p, off, end, more, data=None, ident=4660):
    body = (data or bytes(p[IP].payload))[off:end]
    return Ether(bytes(Ether(src=p[Ether].src, dst=p[Ether].dst) / IP(src=p[IP].src, dst=p[IP].dst, proto=6, ttl=p[IP].ttl, id=ident, flags="MF" if more else 0, frag=off // 8) / Raw(body)))
def cut4(p, size, ident=4660):
    n = len(p[IP].payload); return [f4(p, o, min(o + size, n), o + size < n, ident=ident) for o in range(0, n, size)]
def f6(p, off, end, more, data=None, ident=0x12345678, before=b"", first_nh=44, inside=b"", nh=6):
    body = inside + (data or bytes(p[IPv6].payload)); body = body[off:end]
    fh = struct.pack("!BBHI", nh, 0, off | more, ident)
    return Ether(bytes(Ether(src=p[Ether].src, dst=p[Ether].dst) / IPv6(src=p[IPv6].src, dst=p[IPv6].dst, hlim=p[IPv6].hlim, nh=first_nh) / Raw(before + fh + body)))
def cut6(p, size, **k):
    n = len(p[IPv6].payload) + len(k.get("inside", b"")); return [f6(p, o, min(o + size, n), int(o + size < n), **k) for o in range(0, n, size)]
def each(base, fn): return [q for p in base for q in (fn(p) if hello(p) else [p.copy()])]

save("ipv4-hello-in-order", each(four, lambda p: cut4(p, 120)))
save("ipv4-hello-reversed", each(four, lambda p: cut4(p, 120)[::-1]))
save("ipv4-hello-shuffled", each(four, lambda p: random.sample(cut4(p, 64), len(cut4(p, 64)))))
save("ipv4-hello-eight-byte-fragments", each(four, lambda p: cut4(p, 8)))
save("ipv4-hello-duplicated-fragments", each(four, lambda p: [q for f in cut4(p, 120) for q in (f, f.copy())]))
save("ipv4-hello-missing-fragment", each(four, lambda p: cut4(p, 120)[:1] + cut4(p, 120)[2:]))
save("ipv4-hello-last-fragment-missing", each(four, lambda p: cut4(p, 120)[:-1]))
save("ipv4-every-data-packet", [q for i, p in enumerate(four) for q in (cut4(p, 200, 5000 + i) if len(p[TCP].payload) > 200 else [p.copy()])])
def over4(p, wrong=False, late=False):
    d = bytes(p[IP].payload); n = len(d); e = bytearray(d)
    if wrong: e[160:240] = b"X" * 80
    a = [f4(p, 0, 240, 1), f4(p, 160, 320, 1, bytes(e)), f4(p, 320, n, 0)]
    return [a[1], a[0], a[2]] if late else a
save("ipv4-hello-overlapping-same-bytes", each(four, over4))
save("ipv4-hello-overlapping-conflicting-bytes", each(four, lambda p: over4(p, True)))
save("ipv4-hello-overlapping-conflicting-bytes-wrong-first", each(four, lambda p: over4(p, True, True)))
save("ipv4-hello-two-identifications-interleaved", each(four, lambda p: [q for pair in zip(cut4(p, 240, 1), cut4(p, 240, 2)) for q in pair]))
save("ipv4-tcp-header-split", each(four, lambda p: [f4(p, 0, 16, 1), f4(p, 16, len(p[IP].payload), 0)]))
save("ipv4-past-65535", each(four, lambda p: cut4(p, 240) [:1] + [f4(p, 65528 - 0, None, 0, bytes(65528) + b"Z" * 200)] + cut4(p, 240)[1:]))
def vl(p, v): e = bytes(p); return Ether(e[:12] + struct.pack("!HH", 0x8100, v) + e[12:])
save("ipv4-same-identification-in-two-vlans", each(four, lambda p: [q for f in cut4(p, 240) for q in (vl(f, 10), vl(f, 20))]))
gre = lambda p: Ether(bytes(Ether(src=p[Ether].src, dst=p[Ether].dst) / IP(src="203.0.113.1", dst="203.0.113.2", proto=47, id=777) / Raw(b"\0\0\x08\0" + bytes(p[IP]))))
def cutgre(p):
    g = gre(p); d = bytes(g[IP].payload); n = len(d)
    return [Ether(bytes(Ether(src=p[Ether].src, dst=p[Ether].dst) / IP(src="203.0.113.1", dst="203.0.113.2", proto=47, id=777, flags="MF" if o + 240 < n else 0, frag=o // 8) / Raw(d[o:o + 240]))) for o in range(0, n, 240)]
save("ipv4-fragments-of-a-gre-tunnel", [q for p in four for q in (cutgre(p) if hello(p) else [gre(p)])])
save("ipv4-fragments-inside-a-gre-tunnel", [gre(q) for q in each(four, lambda p: cut4(p, 240))])

save("ipv6-hello-in-order", each(six, lambda p: cut6(p, 240)))
save("ipv6-hello-reversed", each(six, lambda p: cut6(p, 240)[::-1]))
save("ipv6-hello-missing-fragment", each(six, lambda p: cut6(p, 240)[:1] + cut6(p, 240)[2:]))
save("ipv6-hello-atomic-fragment", each(six, lambda p: cut6(p, 8192)))
hbh = struct.pack("!BB", 44, 0) + b"\x01\x04\0\0\0\0"; dst44 = struct.pack("!BB", 44, 0) + b"\x01\x04\0\0\0\0"
save("ipv6-hello-hop-by-hop-before-fragment", each(six, lambda p: cut6(p, 240, before=hbh, first_nh=0)))
save("ipv6-hello-destination-options-inside-fragments", each(six, lambda p: cut6(p, 240, inside=struct.pack("!BB", 6, 1) + b"\x01\x0c" + bytes(12), nh=60)))
rt = struct.pack("!BBBB", 44, 2, 0, 0) + bytes(4) + bytes.fromhex("20010db8000000000000000000000020")
save("ipv6-hello-three-extension-headers", each(six, lambda p: cut6(p, 240, before=struct.pack("!BB", 43, 0) + b"\x01\x04\0\0\0\0" + rt, first_nh=0, inside=struct.pack("!BB", 6, 0) + b"\x01\x04\0\0\0\0", nh=60)))
def over6(p, wrong):
    d = bytes(p[IPv6].payload); e = bytearray(d)
    if wrong: e[160:240] = b"X" * 80
    return [f6(p, 0, 240, 1), f6(p, 160, 320, 1, bytes(e)), f6(p, 320, len(d), 0)]
save("ipv6-hello-overlapping-same-bytes", each(six, lambda p: over6(p, False)))
save("ipv6-hello-overlapping-conflicting-bytes", each(six, lambda p: over6(p, True)))
