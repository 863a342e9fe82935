"""An RDP server that insists on network level authentication: answers RDP_NEG_FAILURE, HYBRID_REQUIRED_BY_SERVER."""
import socket
l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); l.bind(("192.0.2.20", 3389)); l.listen()
while True:
    s, _ = l.accept(); s.recv(1000)
    s.sendall(bytes.fromhex("030000130ed0000012340003000800") + b"\5\0\0\0"); s.settimeout(1)
    try: s.recv(10)
    except OSError: pass
    s.close()
