"""In the place of systemd: prints what a service tells its service manager. python3 notified.py SOCKET"""
import os
import socket
import sys

server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
while True:
    # A descriptor that comes along is closed unread: that is how systemd says that it has read so far.
    print(server.recv(4096).decode(), flush=True)
