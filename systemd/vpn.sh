#!/bin/sh
# vpn.sh up|run|down NAME: one end of a VPN through a UDP forward, for tuntox-vpn@NAME.service; docs/vpn.md has the whole.
#
#   up     creates the TUN device with its addresses, for the user VPN_USER; needs CAP_NET_ADMIN, like `down`
#   run    passes packets between the device and the forward until it fails; needs no rights
#   down   removes the device, but after a failure: then the next start finds it, with routes and connections
#
# The settings are variables, in /etc/tuntox-vpn/NAME.conf:
#   ROLE       `server` waits on 127.0.0.1 for the other end, `client` has the forward to it
#   PORT       where it waits, or the local port of the forward
#   ADDRESS    of this end with the length of the network, such as 10.77.0.1/24
#   PEER       address of the other end
#   ADDRESS6   of IPv6, if wanted
#   ROUTES     networks behind the other end, if there are any
#   MTU        bytes; 1369, which fit into one packet of a path that takes 1428 bytes of IPv4
#   DEVICE     its name; vpn-NAME
set -eu

fail() {
  echo "tuntox-vpn: $*" >&2
  # RestartPreventExitStatus: a restart does not help.
  exit 78
}

[ $# -eq 2 ] || fail "usage: vpn.sh up|run|down NAME"
name=$2
settings="the settings of $name (/etc/tuntox-vpn/$name.conf)"
device=${DEVICE:-vpn-$name}
mtu=${MTU:-1369}

[ ${#device} -le 15 ] || fail "the device $device would have a name of more than 15 letters: set DEVICE in $settings"
case ${ROLE-} in server | client) ;; *) fail "ROLE must be server or client, in $settings" ;; esac
case ${PORT-} in '' | *[!0-9]*) fail "PORT must be a number from 1 to 65535, in $settings" ;; esac
case $mtu in *[!0-9]*) fail "MTU must be a number of bytes, in $settings" ;; esac
[ -n "${ADDRESS-}" ] || fail "ADDRESS is missing, such as 10.77.0.1/24, in $settings"
[ -n "${PEER-}" ] || fail "PEER is missing, the address of the other end, in $settings"

up() {
  [ -e /dev/net/tun ] || fail "this machine has no /dev/net/tun: modprobe tun"
  if ! [ -e "/sys/class/net/$device" ]; then
    ip tuntap add dev "$device" mode tun user "${VPN_USER:?}"
  fi
  # By this tuntox knows that it carries the device itself, and does not look for the other end there.
  ip link set dev "$device" alias tuntox-vpn
  # The kernel takes no address of IPv6 where the MTU is below 1280.
  if [ -n "${ADDRESS6-}" ] && [ "$mtu" -lt 1280 ]; then fail "ADDRESS6 needs an MTU of 1280 or more, in $settings"; fi
  ip link set dev "$device" mtu "$mtu" up
  ip address replace "$ADDRESS" dev "$device"
  if [ -n "${ADDRESS6-}" ]; then ip address replace "$ADDRESS6" dev "$device" nodad; fi
  for network in ${ROUTES-}; do ip route replace "$network" dev "$device"; done
}

run() {
  command -v socat >/dev/null || fail "socat is missing: apt-get install socat"
  # socat's own address TUN also sets flags of the device, which needs CAP_NET_ADMIN. So the device is attached by TUNSETIFF alone, with a
  # struct ifreq of 40 bytes: the name in 16, the flags IFF_TUN | IFF_NO_PI (0x1001, little endian), zeros.
  name_hex=$(printf %s "$device" | od -An -tx1 | tr -d ' \n')
  tun="OPEN:/dev/net/tun,ioctl-bin=0x400454ca:x$(printf %-32s "$name_hex" | tr ' ' 0)0110$(printf %044d 0)"
  # A session ends after a minute without packets, and only the client begins another one.
  if [ "$ROLE" = server ]; then
    exec socat -T 60 "$tun" "UDP4-LISTEN:$PORT,bind=127.0.0.1,reuseaddr"
  fi
  if command -v ping >/dev/null; then
    # Until this process ends, which socat becomes.
    (while kill -0 $$ 2>/dev/null; do ping -n -q -c 1 -W 1 -I "$device" "$PEER" >/dev/null 2>&1 || true; sleep 15; done) &
  fi
  # From a fixed port, so that a new socat is in the session of the old one.
  exec socat "$tun" "UDP4:127.0.0.1:$PORT,bind=127.0.0.2:$PORT"
}

down() {
  case ${SERVICE_RESULT:-success} in success) ;; *) return ;; esac
  if [ -e "/sys/class/net/$device" ]; then ip link delete dev "$device"; fi
}

case $1 in
  up) up ;;
  run) run ;;
  down) down ;;
  *) fail "usage: vpn.sh up|run|down NAME" ;;
esac
