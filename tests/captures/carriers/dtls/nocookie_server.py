"""A DTLS server that asks for no cookie (OpenSSL through pyOpenSSL; `openssl s_server` always asks for one)."""
import socket, sys
from OpenSSL import SSL
ctx = SSL.Context(SSL.DTLS_METHOD)
ctx.use_certificate_chain_file(sys.argv[1]); ctx.use_privatekey_file(sys.argv[2])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("192.0.2.20", 4433)); s.settimeout(5)
c = SSL.Connection(ctx, None); c.set_accept_state(); c.set_ciphertext_mtu(1200); up = False
def flush(who):
    while True:
        try: s.sendto(c.bio_read(1500), who)
        except SSL.Error: return
while True:
    d, who = s.recvfrom(2000); c.bio_write(d)
    try:
        if not up: c.do_handshake(); up = True
        else: c.send(c.recv(1000))
    except SSL.WantReadError: pass
    except SSL.ZeroReturnError: c.shutdown(); flush(who); break
    flush(who)
