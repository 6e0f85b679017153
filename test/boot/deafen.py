"""Makes the UDP sockets of a process deaf, as a dead one is: python3 deafen.py PID. From then on they receive nothing at all."""
import ctypes
import os
import socket
import struct
import sys

PIDFD_GETFD = 438
SO_ATTACH_FILTER = 26
# One instruction of BPF: return 0, which keeps no byte of any packet.
INSTRUCTION = struct.pack("HBBI", 0x06, 0, 0, 0)

pid = int(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
pidfd = os.pidfd_open(pid)
deafened = 0
for name in os.listdir(f"/proc/{pid}/fd"):
    try:
        if not os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
            continue
    except FileNotFoundError:
        continue
    fd = libc.syscall(PIDFD_GETFD, pidfd, int(name), 0)
    if fd < 0:
        sys.exit(os.strerror(ctypes.get_errno()))
    copy = socket.socket(fileno=fd)
    if copy.type == socket.SOCK_DGRAM and copy.family in (socket.AF_INET, socket.AF_INET6):
        code = ctypes.create_string_buffer(INSTRUCTION)
        program = struct.pack("HxxxxxxP", 1, ctypes.addressof(code))
        copy.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
        deafened += 1
print(f"deafened {deafened}")
sys.exit(0 if deafened > 0 else "no UDP socket there")
