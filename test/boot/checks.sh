# shellcheck shell=bash
# How the scripts here say what was shown: a line for each thing, `ok - …` or `not ok - …`; the last one is `N passed, N failed`, and the
# status is 0 only when all passed. Sourced; a script may have a function `explain`, whose lines go with a failure at the end.

# Seconds; guards against hanging, and no statements about speed.
# shellcheck disable=SC2034 # The scripts use it.
readonly PATIENCE=60

passed=0
failed=0

# check SENTENCE COMMAND…: what the command prints is shown only when it fails.
check() {
  local output
  if output=$("${@:2}" 2>&1); then
    passed=$((passed + 1))
    echo "ok - $1"
  else
    failed=$((failed + 1))
    echo "not ok - $1"
    printf '%s\n' "$output" | tail -n 15 | sed 's/^/#   /'
  fi
}
note() { echo "# $*"; }

# Waits for a command to succeed: within SECONDS COMMAND…
within() {
  local end=$((SECONDS + $1)) output
  until output=$("${@:2}" 2>&1); do
    if [ $SECONDS -ge $end ]; then printf 'not within %s s: %s\n%s\n' "$1" "${*:2}" "$output"; return 1; fi
    sleep 0.2
  done
}

stop() {
  [ "$failed" -gt 0 ] && declare -F explain >/dev/null && explain 2>/dev/null | sed 's/^/#   /'
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
  exit
}

# What comes next would have nothing to work with: give_up [SENTENCE].
give_up() {
  failed=$((failed + 1))
  echo "not ok - ${1:-the rest could not be tried}"
  stop
}
