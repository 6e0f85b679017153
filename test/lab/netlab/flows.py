"""Which addresses and ports exchanged how much, from a packet capture (pcap)."""

import ipaddress
import struct
from collections import Counter

LINK_HEADERS = {1: 14, 12: 0, 101: 0}  # Ethernet; IP without any, under both of its numbers
PROTOCOLS = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmp"}


def packets(file):
    """Yields (seconds, bytes kept, length on the wire) for each IP packet of a pcap file."""
    header = file.read(24)
    magic, link = struct.unpack("<I16xI", header) if len(header) == 24 else (None, None)
    if magic != 0xa1b2c3d4 or link not in LINK_HEADERS:
        raise ValueError("not a capture of Ethernet or IP in pcap format")
    skip = LINK_HEADERS[link]
    # A capture that was ended in the middle of a packet is good up to there.
    while len(header := file.read(16)) == 16:
        seconds, micros, kept, length = struct.unpack("<4I", header)
        if len(data := file.read(kept)) < kept:
            return
        yield seconds + micros / 1e6, data[skip:], length - skip


def parse(packet):
    """Returns (protocol, source, source port, target, target port), or None if it is not IP."""
    if len(packet) >= 20 and packet[0] >> 4 == 4:
        protocol, start, addresses, size = packet[9], (packet[0] & 15) * 4, 12, 4
        is_first = struct.unpack_from("!H", packet, 6)[0] & 0x1fff == 0
    elif len(packet) >= 40 and packet[0] >> 4 == 6:
        protocol, start, addresses, size = packet[6], 40, 8, 16
        is_first = True
    else:
        return None
    source = packet[addresses:addresses + size]
    target = packet[addresses + size:addresses + 2 * size]
    ports = (0, 0)
    if protocol in (6, 17) and is_first and len(packet) >= start + 4:
        ports = struct.unpack_from("!HH", packet, start)
    return PROTOCOLS.get(protocol, str(protocol)), source, ports[0], target, ports[1]


def flows(file):
    """Returns the flows of a capture, the greatest first.  Both ways are one flow, whose source
    sent the first packet; bytes are of IP packets, times in seconds since the capture began."""
    found, start = {}, None
    for when, packet, length in packets(file):
        start = when if start is None else start
        parsed = parse(packet)
        if parsed is None:
            continue
        protocol, source, source_port, target, target_port = parsed
        back = (protocol, target, target_port, source, source_port)
        is_back = back in found and back != parsed
        flow = found[back] if is_back else found.setdefault(parsed, Counter(first=when - start))
        flow["receivedBytes" if is_back else "sentBytes"] += length
        flow["receivedPackets" if is_back else "sentPackets"] += 1
        flow["last"] = when - start
    listed = [{"protocol": protocol,
               "source": str(ipaddress.ip_address(source)), "sourcePort": source_port,
               "target": str(ipaddress.ip_address(target)), "targetPort": target_port,
               **{name: flow[name] for name in ("sentBytes", "sentPackets", "receivedBytes",
                                                "receivedPackets", "first", "last")}}
              for (protocol, source, source_port, target, target_port), flow in found.items()]
    return sorted(listed, key=lambda flow: -flow["sentBytes"] - flow["receivedBytes"])
