"""Python's ssl module as a client: pyclient.py ssl|https"""
import socket
import ssl
import sys
import urllib.request

ctx = ssl.create_default_context()
ctx.check_hostname = False
ctx.verify_mode = ssl.CERT_NONE
if sys.argv[1] == "https":
    print(urllib.request.urlopen("https://www.example.org/", context=ctx).status)
else:
    with ctx.wrap_socket(socket.create_connection(("192.0.2.20", 443)), server_hostname="www.example.org") as s:
        s.sendall(b"ping\n")
        print(s.version(), s.recv(100))
