/** Names in the folder that is mounted into the container; all are gone once the runner is connected. */
export const WIRE_FILES = { socket: "wire.sock", token: "token", pipes: "pipes" } as const;
