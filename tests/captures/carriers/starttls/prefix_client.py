"""Send the bytes of a file, then TLS on the same connection. prefix_client.py FILE"""
import socket, ssl, sys
s = socket.create_connection(("192.0.2.20", 443)); s.sendall(open(sys.argv[1], "rb").read())
ctx = ssl.create_default_context(); ctx.check_hostname = False; ctx.verify_mode = ssl.CERT_NONE
t = ctx.wrap_socket(s, server_hostname="server.example.test")
t.sendall(b"GET / HTTP/1.0\r\n\r\n"); print(t.recv(2000)); t.close()
