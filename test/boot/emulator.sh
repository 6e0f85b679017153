# shellcheck shell=bash
# Has the kernel run programs of arm64 by qemu, for as long as a test takes: by a rule of binfmt_misc that keeps qemu open (its flag F),
# and so counts in a machine that has no qemu. Where another has made such a rule it is used; ours bears the number of our process and
# is taken away at the end. Sourced, before machine.sh makes a machine of arm64.

readonly RULES=/proc/sys/fs/binfmt_misc
# The rule of Debian's package qemu-user-static, which systemd reads where it runs.
readonly QEMU_RULE=/usr/lib/binfmt.d/qemu-aarch64.conf
# How a rule shows the first bytes that it is for: ELF, 64 bits, little-endian, a program for arm64.
readonly ARM64_MAGIC='^magic 7f454c460201010000000000000000000200b700$'
readonly OUR_RULE=tuntox-arm64-$$

has_mounted_rules=false

emulate() {
  local rule
  if [ ! -e "$RULES/register" ]; then
    mount -t binfmt_misc binfmt_misc "$RULES" || { echo "this kernel has no binfmt_misc, by which qemu would run arm64" >&2; return 1; }
    has_mounted_rules=true
  fi
  for rule in "$RULES"/*; do
    case $rule in
      # One of a run that was killed; one of a run that goes on may vanish while we need it.
      "$RULES"/tuntox-arm64-*) kill -0 "${rule##*-}" 2>/dev/null || echo -1 >"$rule" ;;
      */register | */status) ;;
      *) grep -q '^enabled$' "$rule" && grep -q '^flags:.*F' "$rule" && grep -q "$ARM64_MAGIC" "$rule" && return ;;
    esac
  done
  sed "s/^:qemu-aarch64:/:$OUR_RULE:/" "$QEMU_RULE" >"$RULES/register" && [ -e "$RULES/$OUR_RULE" ] ||
    { echo "the kernel takes no rule by which qemu would run arm64" >&2; return 1; }
}

emulate_no_more() {
  [ ! -e "$RULES/$OUR_RULE" ] || echo -1 >"$RULES/$OUR_RULE"
  ! $has_mounted_rules || umount "$RULES" 2>/dev/null || umount --lazy "$RULES"
}
