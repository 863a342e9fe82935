"""pyftpdlib server. ftp_server.py PORT [CERT [require]]"""
import sys, tempfile, pathlib
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer
d = tempfile.mkdtemp(); pathlib.Path(d, "hello.txt").write_text("an invented file\n")
auth = DummyAuthorizer(); auth.add_user("alice", "invented-password", d, perm="elr")
h = FTPHandler
if len(sys.argv) > 2:
    h = TLS_FTPHandler; h.certfile = sys.argv[2]
    if "require" in sys.argv: h.tls_control_required = h.tls_data_required = True
h.authorizer = auth; h.banner = "example ftp ready"
FTPServer(("192.0.2.20", int(sys.argv[1])), h).serve_forever()
