"""SMTP conversations no ordinary client has. smtp_client.py inject|plain-starttls-word"""
import socket, ssl, sys
s = socket.create_connection(("192.0.2.20", 25)); s.settimeout(3)
def line(sock):
    d = b""
    while not (d.endswith(b"\r\n") and d.splitlines()[-1][3:4] == b" "): d += sock.recv(2000)
    return d
def say(sock, text): sock.sendall(text.encode()); return line(sock)
line(s); say(s, "EHLO client.example.test\r\n")
if sys.argv[1] == "inject":
    s.sendall(b"STARTTLS\r\nMAIL FROM:<injected@example.test>\r\n"); line(s)
    ctx = ssl.create_default_context(); ctx.check_hostname = False; ctx.verify_mode = ssl.CERT_NONE
    t = ctx.wrap_socket(s, server_hostname="mail.example.test")
    print(say(t, "NOOP\r\n")); say(t, "QUIT\r\n")
elif sys.argv[1] == "starttls-then-mail":     # asks for TLS, hears the consent and goes on in clear
    say(s, "STARTTLS\r\n"); s.sendall(b"MAIL FROM:<alice@example.test>\r\n")
    try: s.recv(2000)
    except OSError: pass
elif sys.argv[1] == "starttls-then-close":
    say(s, "STARTTLS\r\n"); s.close()
