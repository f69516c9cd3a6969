/** What decides about system calls that are looked into; the same for every kind of filter. */

/** Numbers of errors. */
export const EPERM = 1;
/** As if the kernel were too old. */
export const ENOSYS = 38;
/** As if the kernel did not know the family. */
export const EAFNOSUPPORT = 97;
/** New mount, cgroup, uts, ipc, user, pid and network namespaces. */
export const NAMESPACE_FLAGS = 0x7e02_0000;
/** Typing into somebody's terminal, and the console's variant of it. */
export const TERMINAL_INPUT: readonly number[] = [0x5412, 0x541c];
/** Unix, IPv4, IPv6, netlink: the ones that a network namespace holds. */
export const SOCKET_FAMILIES: readonly number[] = [1, 2, 10, 16];
/** Calls whose first argument names a process; 1 would be the runner. */
export const ON_PROCESS = [
  "sched_setaffinity",
  "sched_setscheduler",
  "sched_setparam",
  "sched_setattr",
] as const;
/** Calls that name a process by their second argument, if the first one is this. */
export const ON_WHICH = { setpriority: 0, ioprio_set: 1 } as const;
/** The number of process 1. */
export const RUNNER = 1;
