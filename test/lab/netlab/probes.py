#!/usr/bin/env python3
"""What tests run inside the lab's nodes, as "probes.py NAME ARGUMENTS ..."."""

import contextlib
import hashlib
import json
import random
import socket
import struct
import sys
import threading
import time


def udp_socket(port=0, peer=""):
    """Opens a socket for the family of the peer's address, IPv4 unless that has a colon."""
    made = socket.socket(socket.AF_INET6 if ":" in peer else socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    made.bind(("", int(port)))
    return made


def probe_reflect(*ports):
    """Answers each datagram with its sender's address, after as many seconds as it says."""
    def serve(sock):
        while True:
            delay, sender = sock.recvfrom(100)
            time.sleep(float(delay))
            sock.sendto("{} {}".format(*sender).encode(), sender)

    for port in ports:
        threading.Thread(target=serve, args=(udp_socket(port),)).start()
    say("ready")


def probe_ask(local_port, delay, address, *remote_ports):
    """Prints how each of a host's reflectors sees one socket here."""
    sock = udp_socket(local_port)
    sock.settimeout(float(delay) + 2)
    for port in remote_ports:
        sock.sendto(delay.encode(), (address, int(port)))
        try:
            say(sock.recv(100).decode())
        except TimeoutError:
            say("no answer")


def probe_punch(local_port, address, port, rounds=15):
    """Sends to a peer that does the same; prints whether anything came from there.  Goes on for
    a few rounds after that, so that the peer hears something too."""
    sock = udp_socket(local_port, address)
    sock.settimeout(0.1)
    came, more = False, 3
    for _ in range(int(rounds)):
        sock.sendto(b"hello", (address, int(port)))
        with contextlib.suppress(TimeoutError):
            came |= sock.recvfrom(100)[1][:2] == (address, int(port))
            time.sleep(0.05)
        more -= came
        if more < 0:
            break
    say("yes" if came else "no")


def probe_map_port(gateway, port):
    """Asks a gateway by NAT-PMP (RFC 6886) for a UDP port; prints the one that it gives."""
    sock = udp_socket()
    sock.settimeout(2)
    sock.sendto(struct.pack("!BBHHHI", 0, 1, 0, int(port), int(port), 60), (gateway, 5351))
    _, _, result, _, _, mapped, _ = struct.unpack("!BBHIHHI", sock.recv(16))
    say(str(mapped) if result == 0 else f"refused: {result}")


def probe_find_gateway():
    """Looks for a UPnP gateway; prints where it describes itself."""
    sock = udp_socket()
    sock.settimeout(2)
    sock.sendto(b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
                b'MAN: "ssdp:discover"\r\nMX: 1\r\n'
                b"ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n",
                ("239.255.255.250", 1900))
    headers = sock.recv(2000).decode().split("\r\n")
    say(next(line for line in headers if line.startswith("LOCATION: "))[10:])


def probe_socks(proxy, port, user, password, address, target_port):
    """Prints what a SOCKS5 proxy (RFC 1928, 1929) says about a connection: 0 is success."""
    with socket.create_connection((proxy, int(port)), timeout=5) as sock:
        stream = sock.makefile("rwb", buffering=0)
        stream.write(b"\5\1\2")
        if stream.read(2) != b"\5\2":
            return say("no such method")
        stream.write(bytes([1, len(user)]) + user.encode()
                     + bytes([len(password)]) + password.encode())
        if stream.read(2) != b"\1\0":
            return say("wrong password")
        stream.write(b"\5\1\0\1" + socket.inet_aton(address)
                     + int(target_port).to_bytes(2, "big"))
        say(str(stream.read(10)[1]))


def probe_http_connect(proxy, port, address, target_port):
    """Prints the status that an HTTP proxy answers to CONNECT."""
    with socket.create_connection((proxy, int(port)), timeout=5) as sock:
        sock.sendall(f"CONNECT {address}:{target_port} HTTP/1.1\r\n\r\n".encode())
        say(sock.recv(1000).split(b" ")[1].decode())


def probe_listen(port):
    """Prints "yes" when a datagram comes."""
    sock = udp_socket(port)
    say("ready")
    sock.recv(100)
    say("yes")


def probe_say(local_port, address, port):
    sock = udp_socket(local_port, address)
    for _ in range(5):
        sock.sendto(b"hello", (address, int(port)))
        time.sleep(0.1)


def probe_accept(port):
    """Accepts TCP connections until ended."""
    server = socket.create_server(("", int(port)))
    say("ready")
    while True:
        server.accept()[0].close()


def probe_connect(address, port):
    """Prints whether a TCP connection can be made."""
    try:
        socket.create_connection((address, int(port)), timeout=2).close()
        say("yes")
    except OSError:
        say("no")


def probe_serve(port, length):
    """Sends so many bytes to each that connects, and then ends the connection."""
    content = random.Random(0).randbytes(int(length))
    server = socket.create_server(("", int(port)))
    say(f"ready {hashlib.sha256(content).hexdigest()}")

    def answer(client):
        with client, contextlib.suppress(OSError):
            client.sendall(content)
            client.shutdown(socket.SHUT_WR)
            client.recv(1)

    while True:
        threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()


def probe_fetch(port):
    """Reads all that a port of this host sends, as soon as it listens; prints as JSON when the first
    byte and the last came, in ms of the monotonic clock, how many they were, and their SHA-256."""
    say("ready")
    while True:
        try:
            sock = socket.create_connection(("127.0.0.1", int(port)))
            break
        except ConnectionRefusedError:
            time.sleep(0.002)
    first, length, digest = None, 0, hashlib.sha256()
    while data := sock.recv(1 << 16):
        first = first or time.monotonic()
        length += len(data)
        digest.update(data)
    say(json.dumps({"first": (first or 0) * 1000, "last": time.monotonic() * 1000,
                    "length": length, "sha256": digest.hexdigest()}))


def probe_serve_swap(port, seed):
    """Exchanges bytes with the one that connects, both ways at once."""
    server = socket.create_server(("", int(port)))
    say("ready")
    swap(server.accept()[0], seed)


def probe_swap(port, seed):
    """The same for the one that connects, as soon as a port of this host listens."""
    say("ready")
    while True:
        try:
            sock = socket.create_connection(("127.0.0.1", int(port)))
            break
        except ConnectionRefusedError:
            time.sleep(0.01)
    swap(sock, seed)


def swap(sock, seed):
    """Sends until a line comes on standard input. Prints, ten times a second while something comes, when
    it came in ms of the monotonic clock, and how much it is by then; at the end how much was sent and
    came, each with its SHA-256."""
    told_to_end = threading.Event()

    def send():
        source, length, digest = random.Random(int(seed)), 0, hashlib.sha256()
        with contextlib.suppress(OSError):
            while not told_to_end.is_set():
                content = source.randbytes(1 << 16)
                digest.update(content)
                length += len(content)
                sock.sendall(content)
            sock.shutdown(socket.SHUT_WR)
        say(f"sent {length} {digest.hexdigest()}")

    def listen():
        sys.stdin.readline()
        told_to_end.set()

    threading.Thread(target=listen, daemon=True).start()
    # Not a daemon: the other direction may take longer than this one.
    threading.Thread(target=send).start()
    length, told, digest = 0, 0, hashlib.sha256()
    while data := sock.recv(1 << 16):
        length += len(data)
        digest.update(data)
        now = time.monotonic()
        if now - told > 0.1:
            told = now
            say(f"at {now * 1000:.0f} {length}")
    say(f"at {time.monotonic() * 1000:.0f} {length}\ncame {length} {digest.hexdigest()}")


def probe_reach(port):
    """Connects to a port of this host twice a second until one of the connections brings a byte, and prints
    after how many ms that was."""
    say("ready")
    start = time.monotonic()
    reached = threading.Event()

    def attempt():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(port))) as sock:
            if sock.recv(1):
                reached.set()

    while not reached.is_set():
        threading.Thread(target=attempt, daemon=True).start()
        reached.wait(0.5)
    say(f"{(time.monotonic() - start) * 1000:.0f}")


def probe_send(address, port, count, rate):
    """Sends numbered datagrams, so many a second."""
    sock = udp_socket()
    start = time.monotonic()
    for number in range(int(count)):
        while (wait := start + number / float(rate) - time.monotonic()) > 0:
            time.sleep(wait)
        sock.sendto(b"%d" % number, (address, int(port)))


def probe_receive(port):
    """Prints the numbers of the datagrams that come, until none has for a while."""
    sock = udp_socket(port)
    say("ready")
    numbers = []
    with contextlib.suppress(TimeoutError):
        while True:
            sock.settimeout(1 if numbers else 5)
            numbers.append(int(sock.recv(100)))
    say(json.dumps(numbers))


def say(text):
    """In one piece: print() writes the end of the line by itself, and another thread's line could come in between."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    globals()[f"probe_{sys.argv[1]}"](*sys.argv[2:])
