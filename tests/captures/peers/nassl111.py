"""OpenSSL 1.1.1w from the nassl wheel as a client: nassl111.py"""
import socket

from nassl.ssl_client import OpenSslVerifyEnum, OpenSslVersionEnum, SslClient

c = SslClient(ssl_version=OpenSslVersionEnum.SSLV23, underlying_socket=socket.create_connection(("192.0.2.20", 443)),
              ssl_verify=OpenSslVerifyEnum.NONE, ignore_client_authentication_requests=True)
c.set_tlsext_host_name("www.example.org")
c.do_handshake()
c.write(b"ping\n")
print(c.get_ssl_version())
c.shutdown()
