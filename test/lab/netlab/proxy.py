"""The proxies of a proxy-only site: SOCKS5 with a user and a password, and HTTP CONNECT.

Run as "proxy.py ADDRESS SOCKS_PORT HTTP_PORT USER PASSWORD"; prints "ready" when both listen.
SOCKS5 is RFC 1928 and 1929, CONNECT only; HTTP CONNECT asks for nobody's name.
"""

import asyncio
import ipaddress
import sys

CHUNK = 1 << 16
SOCKS_OK, SOCKS_FAILED, SOCKS_NO_COMMAND = 0, 5, 7


async def pipe(reader, writer):
    """Carries bytes one way until the end, and passes that on too."""
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


async def join(client, target):
    await asyncio.gather(pipe(client[0], target[1]), pipe(target[0], client[1]))
    client[1].close()
    target[1].close()


async def socks_target(reader, writer, user, password):
    """Goes through the greeting; returns the target's address and port, or None."""
    version, count = await reader.readexactly(2)
    methods = await reader.readexactly(count)
    if version != 5 or 2 not in methods:
        writer.write(b"\5\xff")
        return None
    writer.write(b"\5\2")
    _, length = await reader.readexactly(2)
    name = await reader.readexactly(length)
    secret = await reader.readexactly((await reader.readexactly(1))[0])
    is_right = (name.decode(), secret.decode()) == (user, password)
    writer.write(b"\1\0" if is_right else b"\1\1")
    if not is_right:
        return None
    _, command, _, kind = await reader.readexactly(4)
    if kind == 3:
        address = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
    else:
        address = str(ipaddress.ip_address(await reader.readexactly(4 if kind == 1 else 16)))
    port = int.from_bytes(await reader.readexactly(2), "big")
    if command != 1:
        writer.write(socks_reply(SOCKS_NO_COMMAND))
        return None
    return address, port


def socks_reply(code):
    return bytes([5, code, 0, 1]) + bytes(6)


async def http_target(reader, writer):
    request = (await reader.readuntil(b"\r\n\r\n")).decode("latin1").split("\r\n")[0].split(" ")
    if request[0] != "CONNECT" or len(request) != 3:
        writer.write(b"HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\n\r\n")
        return None
    address, _, port = request[1].rpartition(":")
    return address.strip("[]"), int(port)


async def serve(reader, writer, find_target, accepted, refused):
    try:
        if target := await find_target(reader, writer):
            try:
                connection = await asyncio.open_connection(*target)
            except OSError:
                writer.write(refused)
            else:
                writer.write(accepted)
                await join((reader, writer), connection)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, ValueError):
        pass
    finally:
        writer.close()


async def main(address, socks_port, http_port, user, password):
    async def socks(reader, writer):
        await serve(reader, writer, lambda r, w: socks_target(r, w, user, password),
                    socks_reply(SOCKS_OK), socks_reply(SOCKS_FAILED))

    async def http(reader, writer):
        await serve(reader, writer, http_target, b"HTTP/1.1 200 Connection established\r\n\r\n",
                    b"HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n")

    servers = [await asyncio.start_server(socks, address, int(socks_port)),
               await asyncio.start_server(http, address, int(http_port))]
    print("ready", flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
