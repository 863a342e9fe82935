"""netcat: standard input to a connection, its answers to standard output."""
import socket, sys, threading
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def back():
    while d := s.recv(4096): sys.stdout.buffer.write(d); sys.stdout.flush()
threading.Thread(target=back, daemon=True).start()
while d := sys.stdin.buffer.raw.read(4096): s.sendall(d)
s.close()
