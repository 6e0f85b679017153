"""Who is where in the lab: addresses, and how the sites of alice and bob are connected."""

from dataclasses import dataclass

# How a site is connected.
KINDS = {
    "public": "without NAT or firewall",
    "nat": "a NAT that keeps ports; only peers that were sent something may answer",
    "full-cone-nat": "the same, but any host can send to a mapped UDP port",
    "symmetric-nat": "a NAT that chooses a random port for each peer",
    "udp-blocked": "as nat, but UDP is dropped",
    "upnp": "as nat, and the router opens ports on request: NAT-PMP, PCP, UPnP",
    "proxy-only": "nothing passes the router but by its proxies: SOCKS5 and HTTP CONNECT",
}

# The kinds of alice's and bob's sites; "lan" is one site for both.
TOPOLOGIES = {
    "lan": ("nat", "nat"),
    "wan": ("public", "public"),
    "nat": ("nat", "nat"),
    "full-cone-nat": ("full-cone-nat", "full-cone-nat"),
    "symmetric-nat": ("symmetric-nat", "symmetric-nat"),
    "udp-blocked": ("udp-blocked", "nat"),
    "upnp": ("upnp", "symmetric-nat"),
    "proxy": ("proxy-only", "nat"),
}

HOSTS = ("alice", "bob")
HUB, HUB6 = "203.0.113.1", "2001:db8:f::1"
EXTRA_HOSTS_MOST = 250

# Where the router of a proxy-only site serves, on its address inside.
SOCKS_PORT, HTTP_PORT = 1080, 3128
PROXY_USER, PROXY_PASSWORD = "alice", "wonderland"


@dataclass(frozen=True)
class Site:
    """A router and the hosts behind it.  Addresses are without their last part."""

    router: str
    hosts: tuple
    link: str  # from the router to core
    number: int
    kind: str

    @property
    def public(self):
        # miniupnpd opens no ports on addresses that are reserved, as those for documentation
        # are; nothing leaves the lab, so that it may use others.
        if self.kind == "upnp":
            return f"11.{self.number}.0."
        return ("192.0.2.", "198.51.100.")[self.number - 1]

    @property
    def private(self):
        return f"10.{self.number}.0."

    @property
    def ipv6(self):
        return f"2001:db8:{'ab'[self.number - 1]}::"

    @property
    def inner(self):
        """The addresses in use behind the router."""
        return self.public if self.kind == "public" else self.private


def sites_of(topology, kinds):
    if topology == "lan":
        return [Site("nata", HOSTS, "uplink", 1, kinds["alice"])]
    return [Site("nata", ("alice",), "alice", 1, kinds["alice"]),
            Site("natb", ("bob",), "bob", 2, kinds["bob"])]


def extra_host(number):
    """Returns the name of one of the hosts beside alice and bob, and its addresses."""
    return f"h{number}", f"198.18.{number}.1", f"2001:db8:{0x100 + number:x}::1"


# Unsolicited packets are dropped, also by the router itself: were one to reach it, the kernel
# would note it down as a connection, which would prevent hole punching later for the
# same ports and would make the NAT choose another.
FIREWALL = """
table inet lab {{
    {more}
    chain input {{
        type filter hook input priority filter
        iifname "wan0" ct state new,invalid drop
    }}
    chain forward {{
        type filter hook forward priority filter
        {forward}
        ct state invalid drop
        iifname "wan0" ct state new drop
    }}
    chain postrouting {{
        type nat hook postrouting priority srcnat
        oifname "wan0" meta nfproto ipv4 masquerade {ports}
    }}
}}
"""

# A port that was used from inside is open to everybody for as long as a cone's mapping lives.
FULL_CONE = """
    map mapped {{
        type inet_service : ipv4_addr
        flags dynamic,timeout
        size 65535
        timeout {timeout}s
    }}
    chain prerouting {{
        type nat hook prerouting priority dstnat
        iifname "wan0" dnat ip to udp dport map @mapped
    }}
"""

FULL_CONE_FORWARD = """
        iifname "lan0" oifname "wan0" ip protocol udp update @mapped {{ udp sport timeout {timeout}s : ip saddr }}
        iifname "wan0" ct status dnat accept
"""

# The three chains that miniupnpd fills.
UPNP = """
    chain upnp_forward {
    }
    chain upnp_in {
    }
    chain upnp_out {
    }
    chain prerouting {
        type nat hook prerouting priority dstnat
        jump upnp_in
    }
"""

MINIUPNPD = """
ext_ifname=wan0
listening_ip=lan0
enable_upnp=yes
enable_natpmp=yes
port=0
secure_mode=yes
uuid=6c616200-0000-4000-8000-000000000000
upnp_table_name=lab
upnp_nat_table_name=lab
upnp_forward_chain=upnp_forward
upnp_nat_chain=upnp_in
upnp_nat_postrouting_chain=upnp_out
allow 1024-65535 0.0.0.0/0 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
"""


def firewall(kind, mapping_timeout):
    """Returns the rules of a router, for nft; mapping_timeout is in seconds."""
    more, forward, ports = "", "", ""
    if kind == "udp-blocked":
        forward = "meta l4proto udp drop"
    elif kind == "symmetric-nat":
        ports = "random,fully-random"
    elif kind == "proxy-only":
        forward = "drop"
    elif kind == "full-cone-nat":
        more = FULL_CONE.format(timeout=mapping_timeout)
        forward = FULL_CONE_FORWARD.format(timeout=mapping_timeout)
    elif kind == "upnp":
        more = UPNP
        forward = 'iifname "wan0" ct status dnat accept'
    return FIREWALL.format(more=more, forward=forward, ports=ports)


# Drops UDP both ways where a host's cable enters the network, so that neighbours are cut off too
# and the host itself notices nothing.
def udp_block(device):
    drop = "ip protocol udp drop\n ip6 nexthdr udp drop\n"
    return f"""
table netdev udp_block_{device} {{
    chain from_host {{
        type filter hook ingress device "{device}" priority filter
        {drop}
    }}
    chain to_host {{
        type filter hook egress device "{device}" priority filter
        {drop}
    }}
}}
"""
