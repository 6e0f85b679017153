"""Pings the server end of tuntox-vpn as a client end does: an IPv4 packet in a datagram. ping-vpn.py PORT FROM TO; fails without an answer."""
import socket
import struct
import sys

PATIENCE = 2.0


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def echo_request(source, target):
    body = struct.pack("!BBHHH", 8, 0, 0, 1, 1) + b"tuntox-vpn"
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, 1, 0, source, target)
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + body


port, source, target = int(sys.argv[1]), *map(socket.inet_aton, sys.argv[2:4])
end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end.settimeout(PATIENCE)
end.connect(("127.0.0.1", port))
end.send(echo_request(source, target))
while True:
    packet = end.recv(2048)
    # The kernel also sends packets of its own to a new device.
    if packet[0] == 0x45 and packet[9] == 1 and packet[12:20] == target + source and packet[20] == 0:
        break
