#!/usr/bin/env bash
# A Docker engine for the tests, beside whatever else the machine runs: as root, in a folder of its own, with no bridge
# and no firewall rules, so that nothing of the machine's network changes. Containers outlive its restarts.
#
#   scripts/container-engine.sh start FOLDER   prints what DOCKER_HOST has to be
#   scripts/container-engine.sh stop FOLDER    removes its containers, ends it, and removes the folder
set -euo pipefail

readonly START_TENTHS_MAX=600
readonly STOP_TENTHS_MAX=300

action="${1:?start or stop}"
folder="$(realpath -m "${2:?the folder of the engine}")"
socket="$folder/engine.sock"
group="nightshift-engine-$(basename "$folder")"

ask() {
  curl --silent --show-error --fail --unix-socket "$socket" "$@"
}

answers() {
  ask http://engine/_ping >/dev/null 2>&1
}

start() {
  if ! answers; then
    mkdir -p "$folder"
    chmod 700 "$folder"
    # What is left of an engine that was killed keeps the next one from starting.
    rm -f "$folder/engine.pid" "$folder/exec/containerd/containerd.pid" "$socket"
    setsid dockerd --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/engine.pid" \
      --host "unix://$socket" --bridge none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false \
      --userland-proxy=false --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$group" \
      --live-restore --log-level warn >>"$folder/engine.log" 2>&1 </dev/null &
    for _ in $(seq "$START_TENTHS_MAX"); do
      answers && break
      sleep 0.1
    done
  fi
  if ! answers; then
    tail -n 20 "$folder/engine.log" >&2
    exit 1
  fi
  printf 'unix://%s\n' "$socket"
}

stop() {
  local pid container
  if answers; then
    for container in $(ask 'http://engine/containers/json?all=1' | grep -oE '"Id":"[0-9a-f]{64}"' | cut -d'"' -f4); do
      ask -X DELETE "http://engine/containers/$container?force=1" >/dev/null || true
    done
  fi
  pid="$(cat "$folder/engine.pid" 2>/dev/null || true)"
  if [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ]; then
    kill "$pid"
    for _ in $(seq "$STOP_TENTHS_MAX"); do
      [ -d "/proc/$pid" ] || break
      sleep 0.1
    done
  fi
  find /sys/fs/cgroup -maxdepth 3 -depth -type d -path "*/$group*" -exec rmdir {} + 2>/dev/null || true
  # An engine that was killed before has left its mounts.
  cut -d' ' -f5 /proc/self/mountinfo | grep -F "$folder/" | sort -r | xargs -r umount 2>/dev/null || true
  rm -rf "$folder"
}

case "$action" in
  start) start ;;
  stop) stop ;;
  *)
    printf 'start or stop, not %s\n' "$action" >&2
    exit 2
    ;;
esac
