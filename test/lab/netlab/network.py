"""The lab itself: namespaces, links and routers, made, changed and taken away."""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import zlib
from pathlib import Path

from .sites import (EXTRA_HOSTS_MOST, HOSTS, HTTP_PORT, HUB, HUB6, MINIUPNPD, PROXY_PASSWORD,
                    PROXY_USER, SOCKS_PORT, TOPOLOGIES, extra_host, firewall, sites_of, udp_block)
from .system import LabError, end_processes, private_directory, run, start_time

LINK_SOURCE = Path(__file__).resolve().parent.parent / "link.c"
PROXY = Path(__file__).resolve().parent / "proxy.py"
NODE = r"hub|core|nata|natb|alice|bob|h\d{1,3}"
# seconds for which a full cone keeps an unused UDP mapping unless told otherwise, as the kernel does
CONE_TIMEOUT = 120
# seconds until a daemon of the lab must be ready
DAEMON_PATIENCE = 10
# bytes of a packet that a capture keeps: headers are enough, and contents are encrypted anyway
CAPTURED = 96


def base_directory():
    return private_directory(Path(f"/tmp/netlab-{os.geteuid()}"))


def link_program():
    """Returns the path of the link emulator, compiled if it has not been yet."""
    source = LINK_SOURCE.read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "/tmp") / f"netlab-cache-{os.geteuid()}"
    program = private_directory(cache) / f"link-{hashlib.sha256(source).hexdigest()[:16]}"
    if not program.exists():
        # Several labs may start at once; a rename puts the program there whole.
        unfinished = program.with_suffix(f".{os.getpid()}")
        run(os.environ.get("CC", "cc"), "-std=gnu11", "-O2", "-o", str(unfinished),
            str(LINK_SOURCE), "-lm")
        unfinished.rename(program)
    return str(program)


class Lab:
    def __init__(self, name):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}", name):
            raise LabError(f"LAB={name}: not usable in a name")
        self.name = name
        self.directory = base_directory() / name

    # ---- What there is ----

    def namespace(self, node):
        return f"{self.name}-{node}"

    def nodes(self):
        """Returns the nodes whose namespaces exist."""
        place = Path("/run/netns")
        names = [path.name for path in place.iterdir()] if place.exists() else []
        own = re.compile(f"{re.escape(self.name)}-({NODE})")
        return sorted(match[1] for name in names if (match := own.fullmatch(name)))

    def note(self, state):
        """Notes down what other calls of this program will need to know."""
        (self.directory / "state.json").write_text(json.dumps(state, indent=2) + "\n")

    def state(self):
        try:
            return json.loads((self.directory / "state.json").read_text())
        except FileNotFoundError:
            raise LabError(f"no lab {self.name!r} is up") from None

    def processes(self, node):
        """Returns the processes in a node, as {pid: start time}."""
        pids = run("ip", "netns", "pids", self.namespace(node)).split()
        started = {int(pid): start_time(pid) for pid in pids}
        return {pid: since for pid, since in started.items() if since}

    # ---- Links ----

    def start_link(self, name, ends, options):
        """Starts a link between two ends, each a pair of a node and a device to make there."""
        command = [link_program(), "--control", str(self.directory / f"{name}.socket")]
        if ends[0][1] == "eth0":
            command += ["--tap"]
        if options.seed is not None:
            command += ["--seed", str(options.seed + zlib.crc32(name.encode()))]
        command += [f"{self.namespace(node)}:{device}" for node, device in ends]
        if name in HOSTS:
            command += options.settings
        elif name != "hub" and name != "uplink":
            command += [f"delay={options.hosts_delay}"]
        log_path = self.directory / f"{name}.log"
        with log_path.open("w") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=log, start_new_session=True)
        (self.directory / f"{name}.pid").write_text(f"{process.pid} {start_time(process.pid)}")
        if process.stdout.readline() != b"ready\n":
            raise LabError(log_path.read_text().strip())
        process.returncode = 0  # leave it running without a warning

    def links(self):
        """Returns the links' processes, as {name: (pid, start time)}."""
        links = {}
        for path in sorted(self.directory.glob("*.pid")):
            pid, started = path.read_text().split()
            links[path.stem] = (int(pid), started)
        return links

    def ask_link(self, name, message):
        """Sends a message to a link and returns its answer."""
        self.state()  # complains if the lab is not up
        if name not in self.links():
            raise LabError(f"no link {name!r}; there are {', '.join(self.links())}")
        own = self.directory / f"client-{os.getpid()}.socket"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            try:
                client.bind(str(own))
                client.settimeout(5)
                client.connect(str(self.directory / f"{name}.socket"))
                client.send(message.encode())
                answer = client.recv(65536).decode()
            except OSError as error:
                raise LabError(f"the link {name!r} does not answer: {error.strerror or error}; "
                               f"its log is {self.directory / name}.log") from None
            finally:
                own.unlink(missing_ok=True)
        if answer.startswith("error: "):
            raise LabError(f"{name}: {answer[7:].strip()}")
        return answer

    def change_link(self, name, settings, direction="both"):
        prefix = "" if direction == "both" else direction + "."
        self.ask_link(name, " ".join(prefix + setting for setting in settings))

    def link_report(self, name):
        """Returns what a link tells, as {"mtu": 1500, "up": {...}, "down": {...}}."""
        report = {"up": {}, "down": {}}
        for line in self.ask_link(name, "").splitlines():
            key, value = line.split("=")
            place, _, key = key.rpartition(".")
            (report[place] if place else report)[key] = json.loads(value)
        # Packets that the kernel dropped because the emulator was too busy to take them.
        for direction, (node, device) in zip(("up", "down"), self.state()["links"][name]):
            shown = run("ip", "-n", self.namespace(node), "-s", "-j", "link", "show", device)
            report[direction]["overrun"] = json.loads(shown)[0]["stats64"]["tx"]["dropped"]
        return report

    # ---- Up ----

    def up(self, options):
        if self.nodes() or self.directory.exists():
            raise LabError(f"a lab {self.name!r} is up already; take it down first")
        self.directory.mkdir()
        if options.owner:
            unfinished = self.directory / "owner.new"
            unfinished.write_text(f"{options.owner} {start_time(options.owner)}")
            unfinished.rename(self.directory / "owner")  # whole, as a sweep may read it any time
        try:
            self.build(options)
        except BaseException:
            self.down()
            raise

    def build(self, options):
        kinds = dict(zip(HOSTS, TOPOLOGIES[options.topology]))
        for host in HOSTS:
            kinds[host] = getattr(options, host) or kinds[host]
        if kinds["alice"] != kinds["bob"] and options.topology == "lan":
            raise LabError("alice and bob are at one site in this topology")
        if not 0 <= options.hosts <= EXTRA_HOSTS_MOST:
            raise LabError(f"there can be at most {EXTRA_HOSTS_MOST} more hosts")
        sites = sites_of(options.topology, kinds)
        single = [("hub", HUB, HUB6)]
        single += [extra_host(number) for number in range(1, options.hosts + 1)]
        families = (6,) if options.ipv6_only else (4, 6) if options.ipv6 else (4,)

        routers = ["core"] + [site.router for site in sites]
        for node in (*routers, *HOSTS, *(name for name, *_ in single)):
            run("ip", "netns", "add", self.namespace(node))
            # No waiting for duplicate addresses, which cannot be.
            settings = ["net.ipv6.conf.default.accept_dad=0"]
            if node in routers:
                settings += ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]
            if node not in HOSTS and 6 not in families:
                settings += ["net.ipv6.conf.default.disable_ipv6=1"]  # no chatter on the links
            self.sysctl(node, *settings)

        links = {name: ((name, "wan0"), ("core", name)) for name, *_ in single}
        links |= {site.link: ((site.router, "wan0"), ("core", site.link)) for site in sites}
        if options.topology == "lan":
            links |= {host: ((host, "eth0"), ("nata", host)) for host in HOSTS}
        for name, ends in links.items():
            self.start_link(name, ends, options)

        addresses = {}
        self.ip("core", "link set lo up")
        for name, ipv4, ipv6 in single:
            self.set_up_single(name, ipv4, ipv6, families)
            addresses[name] = ipv4 if 4 in families else ipv6
        for site in sites:
            if options.topology == "lan":
                self.ip(site.router, "link add lan0 type bridge\n" + "".join(
                    f"link set {host} master lan0 up\n" for host in site.hosts))
            else:
                self.ip(site.hosts[0], "link add eth0 type veth peer name lan0 "
                                       f"netns {self.namespace(site.router)}")
            self.set_up_core(site.link, f"{site.public}0/24", f"{site.ipv6}/64", families)
            self.set_up_router(site, options, families)
            addresses[site.router] = f"{site.public}1" if 4 in families else f"{site.ipv6}1"
            for number, host in enumerate(site.hosts, start=10):
                self.set_up_host(host, site, number, families)
                addresses[host] = f"{site.inner if 4 in families else site.ipv6}{number}"

        self.note({"topology": options.topology, "kinds": kinds, "links": links,
                   "addresses": addresses})
        for site in sites:
            self.start_daemon(site)

    def ip(self, node, commands):
        """Carries out the lines of a text as commands of ip(8) in a node."""
        run("ip", "-n", self.namespace(node), "-batch", "-", text=commands)

    def sysctl(self, node, *settings):
        run("ip", "netns", "exec", self.namespace(node), "sysctl", "-qw", *settings)

    def set_up_single(self, name, ipv4, ipv6, families):
        """Sets up a host that is a site by itself, and core's end of its link."""
        self.set_up_core(name, f"{ipv4}/32", f"{ipv6}/128", families)
        self.ip(name, "link set lo up\nlink set wan0 addrgenmode none up\n")
        if 4 in families:
            self.ip(name, f"address add {ipv4}/32 dev wan0\nroute add default dev wan0\n")
        if 6 in families:
            self.ip(name, f"address add {ipv6}/128 dev wan0\nroute add ::/0 dev wan0\n")

    def set_up_core(self, link, ipv4, ipv6, families):
        """Sets up core's end of a link to a site that has the networks given."""
        self.ip("core", f"link set {link} addrgenmode none up")
        if 4 in families:
            # Core's own address is for ICMP errors only, so that all links can have the same.
            self.ip("core", f"address add 192.88.99.1/32 dev {link}\nroute add {ipv4} dev {link}\n")
        if 6 in families:
            self.ip("core", f"address add 2001:db8::1/128 dev {link}\nroute add {ipv6} dev {link}\n")

    def set_up_router(self, site, options, families):
        self.ip(site.router, "link set lo up\nlink set lan0 up\n"
                             "link set wan0 addrgenmode none up\n")
        if 4 in families:
            self.ip(site.router, f"address add {site.inner}1/24 dev lan0\n"
                                 "route add default dev wan0\n")
        if 6 in families:
            self.ip(site.router, f"address add {site.ipv6}1/64 dev lan0\n"
                                 "route add ::/0 dev wan0\n")
        if site.kind == "public":
            return

        if 4 in families:
            self.ip(site.router, f"address add {site.public}1/32 dev wan0")
        self.nft(site.router, firewall(site.kind, options.nat_timeout or CONE_TIMEOUT))
        if options.nat_timeout:
            timeout = "net.netfilter.nf_conntrack_udp_timeout"
            self.sysctl(site.router, f"{timeout}={options.nat_timeout}",
                        f"{timeout}_stream={options.nat_timeout}")

    def nft(self, node, rules):
        run("ip", "netns", "exec", self.namespace(node), "nft", "-f", "-", text=rules)

    def set_up_host(self, host, site, number, families):
        self.ip(host, "link set lo up\nlink set eth0 up\n")
        if 4 in families:
            self.ip(host, f"address add {site.inner}{number}/24 dev eth0\n"
                          f"route add default via {site.inner}1\n")
        if 6 in families:
            self.ip(host, f"address add {site.ipv6}{number}/64 dev eth0\n"
                          f"route add ::/0 via {site.ipv6}1\n")

    def start_daemon(self, site):
        """Starts what a router of this kind serves, and waits until it does."""
        log = self.directory / f"{site.router}.log"
        if site.kind == "proxy-only":
            command = [sys.executable, str(PROXY), f"{site.private}1", str(SOCKS_PORT),
                       str(HTTP_PORT), PROXY_USER, PROXY_PASSWORD]
            ready = "ready"
        elif site.kind == "upnp":
            self.ip(site.router, "route add 239.0.0.0/8 dev lan0")
            settings = self.directory / f"{site.router}.conf"
            settings.write_text(MINIUPNPD)
            command = ["miniupnpd", "-d", "-f", str(settings), "-P",
                       str(self.directory / f"{site.router}.number")]
            ready = "Listening for NAT-PMP"
        else:
            return
        with log.open("w") as output:
            process = subprocess.Popen(["ip", "netns", "exec", self.namespace(site.router), *command],
                                       stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                       start_new_session=True)
        deadline = time.monotonic() + DAEMON_PATIENCE
        while ready not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise LabError(f"{command[0]} does not come up: {log.read_text().strip()}")
            time.sleep(0.01)
        process.returncode = 0  # leave it running without a warning

    # ---- Down ----

    def down(self):
        """Removes everything there is of this lab, which may be nothing."""
        processes = {}
        for node in self.nodes():
            processes |= self.processes(node)
        end_processes(processes)
        end_processes(dict(self.links().values()))
        for node in self.nodes():
            run("ip", "netns", "delete", self.namespace(node))
        if self.directory.exists():
            for path in self.directory.iterdir():
                path.unlink()
            self.directory.rmdir()

    # ---- The rest ----

    def exec(self, node, command):
        if node not in self.nodes():
            raise LabError(f"no node {node!r}; there are {', '.join(self.nodes()) or 'none'}")
        os.execvp("ip", ["ip", "netns", "exec", self.namespace(node), *command])

    def capture(self, place, path, most):
        """Becomes a capture of what passes a device, which is a node's outermost unless named."""
        node, _, device = place.partition(":")
        device = device or ("eth0" if node in HOSTS else "any" if node == "core" else "wan0")
        if device == "any":
            raise LabError("core has no device of its own; name one, such as core:hub")
        self.exec(node, ["tcpdump", "-i", device, "-n", "-U", "-Z", "root", "--immediate-mode",
                         "-s", str(CAPTURED), "-B", "16384", "-c", str(most), "-w", path,
                         "ip or ip6"])

    def renumber(self, host):
        """Gives a NAT another public address, which voids its mappings too."""
        state = self.state()
        if state["kinds"][host] == "public":
            raise LabError(f"{host} is not behind a NAT")
        site = self.site_of(host)
        old = state["addresses"][site.router]
        new = site.public + str(int(old.rpartition(".")[2]) % 100 + 1)
        self.ip(site.router, f"""
            address add {new}/32 dev wan0
            address delete {old}/32 dev wan0
        """)
        state["addresses"][site.router] = new
        self.note(state)
        return new

    def site_of(self, host):
        state = self.state()
        sites = sites_of(state["topology"], state["kinds"])
        return next(site for site in sites if host in site.hosts)

    def block_udp(self, host, is_blocked):
        """Drops all UDP from and to a host, or no longer."""
        state = self.state()
        if host in HOSTS and state["topology"] == "lan":
            node, device = "nata", host
        elif host in HOSTS:
            node, device = self.site_of(host).router, "lan0"
        elif host in state["links"]:
            node, device = "core", host
        else:
            raise LabError(f"no host {host!r}")
        # A table for each host; deleting one needs it to be there.
        table = f"table netdev udp_block_{device}"
        self.nft(node, f"{table}\ndelete {table}\n" + (udp_block(device) if is_blocked else ""))

    def status(self):
        state = self.state()
        nodes = {node: {"namespace": self.namespace(node),
                        "address": state["addresses"].get(node),
                        "processes": sorted(self.processes(node))} for node in self.nodes()}
        links = {name: {"pid": pid, "log": str(self.directory / f"{name}.log"),
                        **self.link_report(name)} for name, (pid, _) in self.links().items()}
        return {"lab": self.name, "topology": state["topology"], "kinds": state["kinds"],
                "nodes": nodes, "links": links}


def sweep():
    """Takes down the labs whose owners have ended; returns their names."""
    swept = []
    with (base_directory() / "sweep.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return []  # somebody else is at it
        for path in base_directory().glob("*/owner"):
            with contextlib.suppress(FileNotFoundError):  # its owner has just taken it down
                pid, started = path.read_text().split()
                if start_time(int(pid)) != started:
                    Lab(path.parent.name).down()
                    swept.append(path.parent.name)
    return swept
