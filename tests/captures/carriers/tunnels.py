"""Wrap a real small TLS flow (captured by tunnels.sh) in tunnels, one file each. tunnels.py BASE OUT"""
import os, random, struct, sys, zlib
from scapy.all import rdpcap, wrpcap, Ether, IP, IPv6, UDP, TCP, Raw, Dot1Q, raw
B, O = sys.argv[1:3]; random.seed(40)
four, six = list(rdpcap(f"{B}/four.pcap")), list(rdpcap(f"{B}/six.pcap"))
def save(n, ps, dlt=1):
    class P(bytes): pass
    from scapy.utils import RawPcapWriter
    w = RawPcapWriter(f"{O}/{n}.pcap", linktype=dlt); w.write_header(None)
    for i, p in enumerate(ps): w.write_packet(bytes(p), sec=1700000000 + i // 100, usec=i % 100 * 10000)
    w.close(); print(f"tunnels/{n}.pcap {os.path.getsize(f'{O}/{n}.pcap')} bytes {len(ps)} packets")
up = lambda p: p[TCP].dport == 443
ip = lambda p: bytes(p.payload)                       # the inner packet without its Ethernet header
ver = lambda p: 4 if p.haslayer(IP) else 6
et = lambda p: 0x0800 if ver(p) == 4 else 0x86DD
H = struct.pack
def ends(p, a, b): return (a, b) if up(p) else (b, a)
def eth(p, body, typ): 
    s, d = ends(p, b"\x02\0\0\0\1\1", b"\x02\0\0\0\1\2"); return d + s + H("!H", typ) + body
def o4(p, proto, body):                               # an outer Ethernet and IPv4 header
    s, d = ends(p, "203.0.113.1", "203.0.113.2")
    return eth(p, bytes(IP(src=s, dst=d, proto=proto, ttl=60, id=random.getrandbits(16)) / Raw(body)), 0x0800)
def o6(p, nh, body):
    s, d = ends(p, "2001:db8:ffff::1", "2001:db8:ffff::2")
    return eth(p, bytes(IPv6(src=s, dst=d, nh=nh, hlim=60) / Raw(body)), 0x86DD)
def u4(p, port, body, sport=None): 
    sp = sport or 50000 + (p[TCP].sport ^ p[TCP].dport) % 1000; s, d = ends(p, "203.0.113.1", "203.0.113.2")
    return eth(p, bytes(IP(src=s, dst=d, ttl=60, id=random.getrandbits(16)) / UDP(sport=sp, dport=port) / Raw(body)), 0x0800)
def u6(p, port, body): s, d = ends(p, "2001:db8:ffff::1", "2001:db8:ffff::2"); return eth(p, bytes(IPv6(src=s, dst=d) / UDP(sport=50001, dport=port) / Raw(body)), 0x86DD)
def do(n, f, base=four, dlt=1): save(n, [f(p) for p in base], dlt)
lab = lambda l, s, ttl=60: H("!I", l << 12 | s << 8 | ttl)
vlan = lambda p, *ids, tpid=0x8100: (lambda e: e[:12] + b"".join(H("!HH", tpid if i == 0 else 0x8100, v) for i, v in enumerate(ids)) + e[12:])(bytes(p))
seq = iter(range(1, 10**6))

do("vlan-three-tags", lambda p: vlan(p, 10, 20, 30, tpid=0x88A8))
do("mpls-one-label", lambda p: eth(p, lab(100, 1) + ip(p), 0x8847))
do("mpls-three-labels-ipv6", lambda p: eth(p, lab(100, 0) + lab(200, 0) + lab(300, 1) + ip(p), 0x8847), six)
do("mpls-entropy-label", lambda p: eth(p, lab(100, 0) + lab(7, 0) + lab(123456, 1, 0) + ip(p), 0x8847))
do("mpls-pseudowire-with-control-word", lambda p: eth(p, lab(16, 0) + lab(2000, 1) + H("!I", next(seq) & 0xFFFF) + bytes(p), 0x8847))
do("mpls-pseudowire-without-control-word", lambda p: eth(p, lab(16, 0) + lab(2000, 1) + bytes(p), 0x8847))
do("mpls-pseudowire-without-control-word-mac-not-starting-with-zero", lambda p: eth(p, lab(16, 0) + lab(2000, 1) + b"\xa4" + bytes(p)[1:6] + b"\xa4" + bytes(p)[7:], 0x8847))
do("mpls-over-udp-6635", lambda p: u4(p, 6635, lab(100, 1) + ip(p)))
ppp = lambda p: H("!H", 0x21 if ver(p) == 4 else 0x57) + ip(p)
def pppoe(p, body=None): b = body or ppp(p); return eth(p, H("!BBHH", 0x11, 0, 77, len(b)) + b, 0x8864)
do("pppoe-session", pppoe); do("pppoe-session-ipv6", pppoe, six)
do("pppoe-in-vlan-one-byte-ppp-protocol", lambda p: vlan(pppoe(p, ppp(p)[1:]), 835))
do("ppp-linktype-9", lambda p: b"\xff\x03" + ppp(p), dlt=9)
do("ppp-linktype-9-compressed-header", lambda p: ppp(p)[1:], dlt=9)
do("ppp-hdlc-linktype-50", lambda p: b"\xff\x03" + ppp(p), dlt=50)
do("cisco-hdlc-linktype-104", lambda p: b"\x0f\x00" + H("!H", et(p)) + ip(p), dlt=104)
g = lambda flags, typ, opt=b"": H("!HH", flags, typ) + opt
do("gre-plain", lambda p: o4(p, 47, g(0, et(p)) + ip(p)))
do("gre-key", lambda p: o4(p, 47, g(0x2000, et(p), H("!I", 99)) + ip(p)))
def gsum(p):
    b = g(0xB000, et(p), H("!HHII", 0, 0, 99, next(seq))) + ip(p); w = sum(struct.unpack(f"!{len(b + b'%c' % 0) // 2}H", (b + b"\0")[:len(b) + len(b) % 2])); w = (w & 0xFFFF) + (w >> 16); w = (w & 0xFFFF) + (w >> 16)
    return o4(p, 47, b[:4] + H("!H", ~w & 0xFFFF) + b[6:])
do("gre-checksum-key-sequence", gsum)
do("gre-over-ipv6-with-ipv6-inside", lambda p: o6(p, 47, g(0, et(p)) + ip(p)), six)
do("gre-nvgre-ethernet", lambda p: o4(p, 47, g(0x2000, 0x6558, H("!I", 5001 << 8 | 3)) + bytes(p)))
do("gre-ethernet-without-key", lambda p: o4(p, 47, g(0, 0x6558) + bytes(p)))
do("gre-wccp", lambda p: o4(p, 47, g(0, 0x883E) + H("!I", 0x00100000) + ip(p)))
do("gre-pptp-version-1", lambda p: o4(p, 47, H("!HHHHII", 0x3081, 0x880B, len(ppp(p)) + 2, 7, next(seq), next(seq)) + b"\xff\x03" + ppp(p)))
do("gre-in-udp-4754", lambda p: u4(p, 4754, g(0, et(p)) + ip(p)))
do("erspan-1", lambda p: o4(p, 47, g(0, 0x88BE) + bytes(p)))
do("erspan-2", lambda p: o4(p, 47, g(0x1000, 0x88BE, H("!I", next(seq))) + H("!HHI", 0x1000 | 12, 0x1800 | 5, 3) + bytes(p)))
e3 = lambda p, sub: o4(p, 47, g(0x1000, 0x22EB, H("!I", next(seq))) + H("!HHIHH", 0x2000 | 12, 5, 1234567, 0, 0x0001 if sub else 0) + (H("!II", 3 << 26 | 1, 2) if sub else b"") + bytes(p))
do("erspan-3", lambda p: e3(p, False)); do("erspan-3-platform-subheader", lambda p: e3(p, True))
vx = lambda p, vni=4242: H("!II", 0x08000000, vni << 8) + bytes(p)
do("vxlan-port-8472", lambda p: u4(p, 8472, vx(p))); do("vxlan-over-ipv6", lambda p: u6(p, 4789, vx(p)), six)
do("vxlan-group-policy", lambda p: u4(p, 4789, H("!II", 0x88000000 | 100, 4242 << 8) + bytes(p)))
do("vxlan-gpe-ipv4", lambda p: u4(p, 4790, H("!II", 0x0C000001, 4242 << 8) + ip(p)))
do("vxlan-gpe-ipv6", lambda p: u4(p, 4790, H("!II", 0x0C000002, 4242 << 8) + ip(p)), six)
do("vxlan-gpe-ethernet", lambda p: u4(p, 4790, H("!II", 0x0C000003, 4242 << 8) + bytes(p)))
nsh = lambda nxt: H("!HBB", 0x0FC2, 2 if nxt != 3 else 2, nxt) + H("!I", 42 << 8 | 255)
do("vxlan-gpe-nsh-ipv4", lambda p: u4(p, 4790, H("!II", 0x0C000004, 4242 << 8) + nsh(1) + ip(p)))
do("nsh-ethertype-894f-ethernet", lambda p: eth(p, nsh(3) + bytes(p), 0x894F))
gn = lambda p, typ, body, opts=b"": u4(p, 6081, H("!BBHI", len(opts) // 4, 0, typ, 4242 << 8) + opts + body)
opt = H("!HBB", 0x0102, 0x80, 1) + b"abcd" + H("!HBB", 0x0103, 1, 3) + bytes(12)
do("geneve-ethernet", lambda p: gn(p, 0x6558, bytes(p))); do("geneve-options", lambda p: gn(p, 0x6558, bytes(p), opt))
do("geneve-ipv6-inside", lambda p: gn(p, 0x86DD, ip(p), opt), six)
gtp = lambda p, flags, mid=b"": (lambda b: u4(p, 2152, H("!BBHI", flags, 255, len(b), 0xCAFE0001) + b, 2152))(mid + ip(p))
do("gtpu", lambda p: gtp(p, 0x30)); do("gtpu-sequence-number", lambda p: gtp(p, 0x32, H("!HBB", next(seq), 0, 0)))
do("gtpu-extension-headers", lambda p: gtp(p, 0x34, H("!HBB", 0, 0, 0x85) + H("!BBBB", 1, 0x10, 9, 0xC0) + H("!BHB", 1, next(seq), 0)))
do("gtpu-ipv6-inside", lambda p: gtp(p, 0x30), six)
do("ip-in-ip", lambda p: o4(p, 4, ip(p))); do("6in4", lambda p: o4(p, 41, ip(p)), six); do("4in6", lambda p: o6(p, 4, ip(p))); do("6in6", lambda p: o6(p, 41, ip(p)), six)
do("4in6-destination-options", lambda p: o6(p, 60, b"\x04\x00\x04\x01\x04\x01\x01\x00" + ip(p)))
do("ah-ipv4", lambda p: o4(p, 51, H("!BBHII", 4, 4, 0, 0x1234, next(seq)) + random.randbytes(12) + ip(p)))
do("etherip", lambda p: o4(p, 97, b"\x30\x00" + bytes(p)))
do("l2tpv2-ppp", lambda p: u4(p, 1701, H("!HHH", 0x0002, 10, 20) + b"\xff\x03" + ppp(p), 1701))
do("l2tpv2-length-sequence-offset", lambda p: (lambda b: u4(p, 1701, H("!HHHHHHH", 0x4A02, 16 + len(b), 10, 20, next(seq), 0, 2) + b"\0\0" + b, 1701))(b"\xff\x03" + ppp(p)))
do("l2tpv3-ip-ethernet", lambda p: o4(p, 115, H("!I", 5000) + bytes(p)))
do("l2tpv3-ip-cookie-sublayer", lambda p: o4(p, 115, H("!I", 5000) + b"COOKIE64" + H("!I", 0x40000000 | next(seq)) + bytes(p)))
do("l2tpv3-udp-ethernet", lambda p: u4(p, 1701, H("!HHI", 0x0003, 0, 5000) + bytes(p), 1701))
ter = lambda p, pre=b"": u4(p, 3544, pre + ip(p))
do("teredo", ter, six); do("teredo-authentication-and-origin", lambda p: ter(p, b"\0\1\0\0" + random.randbytes(8) + b"\0" + H("!HHI", 0, 50123 ^ 0xFFFF, 0xCB007101 ^ 0xFFFFFFFF)), six)
do("lisp-4341", lambda p: u4(p, 4341, H("!II", 0xC8000001, 0x100) + ip(p)))
MAC = [b"\x02\0\0\0\2\1", b"\x02\0\0\0\2\2", b"\x02\0\0\0\2\3"]
def dot11(p, qos=True, tods=True, wds=False, order=False):
    s, d = bytes(p)[6:12], bytes(p)[:6]; fc = 0x88 if qos else 0x08
    if wds: h = bytes([fc, 3]) + b"\0\0" + MAC[0] + MAC[1] + d + b"\x10\0" + s
    elif tods: h = bytes([fc, 1]) + b"\0\0" + MAC[0] + s + d + b"\x10\0"
    else: h = bytes([fc, 2]) + b"\0\0" + d + MAC[0] + s + b"\x10\0"
    return h + (b"\0\0" if qos else b"") + b"\xaa\xaa\x03\0\0\0" + H("!H", et(p)) + ip(p)
both = lambda p, **k: dot11(p, tods=up(p), **k)
do("wlan-qos-data-linktype-105", both, dlt=105); do("wlan-data-ipv6-linktype-105", lambda p: both(p, qos=False), six, dlt=105)
do("wlan-four-addresses-linktype-105", lambda p: dot11(p, wds=True), dlt=105)
def rt(p, body, fcs, pad=False):
    if fcs: body += struct.pack("<I", zlib.crc32(body))
    return struct.pack("<BBHIBB", 0, 0, 10, 0x06, (0x10 if fcs else 0) | (0x20 if pad else 0), 12) + body
do("wlan-radiotap-linktype-127", lambda p: rt(p, both(p), False), dlt=127); do("wlan-radiotap-with-fcs-linktype-127", lambda p: rt(p, both(p), True), dlt=127)
do("wlan-radiotap-data-padding-linktype-127", lambda p: rt(p, (lambda f: f[:26] + b"\0\0" + f[26:])(both(p)), False, True), dlt=127)
def amsdu(p):
    sub = bytes(p)[:12] + H("!H", 8 + len(ip(p))) + b"\xaa\xaa\x03\0\0\0" + H("!H", et(p)) + ip(p); arp = b"\xff" * 6 + bytes(p)[6:12] + H("!H", 36) + b"\xaa\xaa\x03\0\0\0\x08\x06" + bytes(28)
    return b"\x88\x01\0\0" + MAC[0] + bytes(p)[6:12] + MAC[0] + b"\x10\0" + b"\x80\0" + arp + bytes(-len(arp) % 4) + sub
do("wlan-a-msdu-linktype-105", amsdu, dlt=105)
do("wlan-protected-linktype-105", lambda p: (lambda f: f[:1] + bytes([f[1] | 0x40]) + f[2:26] + H("!Q", 0x0100002000000000 | next(seq)) + random.randbytes(len(f) - 20))(both(p)), dlt=105)
capw = lambda hl, tail, wbid, t: H("!I", 0 << 28 | 0 << 24 | hl << 19 | 1 << 14 | wbid << 9 | t << 8) + H("!HH", 0, 0) + tail
swap = lambda f: f[1::-1] + f[2:]
do("capwap-data-802.11", lambda p: u4(p, 5247, capw(2, b"", 1, 1) + both(p)))
do("capwap-data-802.11-byte-swapped-frame-control", lambda p: u4(p, 5247, capw(2, b"", 1, 1) + swap(both(p))))
do("capwap-data-802.3", lambda p: u4(p, 5247, capw(2, b"", 1, 0) + bytes(p)))
do("cisco-cmd-sgt", lambda p: bytes(p)[:12] + H("!HBBHH", 0x8909, 1, 1, 1, 100) + bytes(p)[12:])
do("cisco-cmd-sgt-in-vlan", lambda p: bytes(p)[:12] + H("!HH", 0x8100, 30) + H("!HBBHH", 0x8909, 1, 1, 1, 100) + bytes(p)[12:])
do("pbb-802.1ah", lambda p: eth(p, H("!I", 0x00012345) + bytes(p), 0x88E7)); do("pbb-802.1ah-in-802.1ad", lambda p: vlan(eth(p, H("!I", 0x00012345) + bytes(p), 0x88E7), 500, tpid=0x88A8))
pf = lambda p: H("!BBBB", 61, 2 if ver(p) == 4 else 24, 0, 0) + b"em0".ljust(16, b"\0") + bytes(16) + H("!II", 1, 0xFFFFFFFF) + bytes(4 * 4) + b"\1\0\0\0"
do("pflog-linktype-117", lambda p: pf(p)[:61] + bytes(3) + ip(p), dlt=117); do("pflog-ipv6-linktype-117", lambda p: pf(p)[:61] + bytes(3) + ip(p), six, dlt=117)
def nflog(p):
    tlv = lambda t, v: struct.pack("<HH", 4 + len(v), t) + v + bytes(-len(v) % 4)
    return bytes([2 if ver(p) == 4 else 10, 0]) + H("!H", 5) + tlv(1, H("!HBB", et(p), 1, 0)) + tlv(10, b"tls\0") + tlv(9, ip(p))
do("nflog-linktype-239", nflog, dlt=239); do("nflog-ipv6-linktype-239", nflog, six, dlt=239)
do("nested-vlan-in-vxlan-in-vlan", lambda p: vlan(u4(p, 4789, vx(vlan(p, 30))), 20))
do("nested-gre-in-mpls", lambda p: eth(p, lab(100, 1) + o4(p, 47, g(0, et(p)) + ip(p))[14:], 0x8847))
do("nested-gtpu-in-vlan-with-pppoe", lambda p: vlan(pppoe(p, b"\0\x21" + gtp(p, 0x30)[14:]), 20))
def deep(p, n):
    b = ip(p)
    for i in range(n): b = o4(p, 4, b)[14:]
    return eth(p, b, 0x0800)
do("nested-ip-in-ip-four-deep", lambda p: deep(p, 4)); do("nested-ip-in-ip-forty-deep", lambda p: deep(p, 40), four[:6])
save("same-flow-inside-and-outside-vxlan", [q for p in four for q in (u4(p, 4789, vx(p)), bytes(p))])
save("same-flow-in-gre-and-in-geneve", [q for p in four for q in (o4(p, 47, g(0, et(p)) + ip(p)), gn(p, 0x6558, bytes(p)))])
def addr(p, n): q = Ether(bytes(p)); q[IP].src, q[IP].dst = (q[IP].src, q[IP].dst); return q
save("same-addresses-in-two-vlans", [q for p in four for q in (vlan(p, 10), vlan(p, 20))])
