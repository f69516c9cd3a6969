/** A service of the user that wakes what becomes due, also after a restart of the machine. */
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { messageOf, NightshiftError } from "../core/errors.ts";
import type { Environment } from "../runtime/config.ts";

/** Where the service was written, and what starts it. */
export interface InstalledService {
  readonly path: string;
  readonly commands: readonly string[];
  /** A file for keys of models, which a service does not get from any shell. */
  readonly keyFile: string;
}

/** Which program a service runs, for which state folder. */
export interface ServiceRequest {
  readonly stateFolder: string;
  readonly node: string;
  readonly program: string;
  readonly environment: Environment;
  readonly platform: NodeJS.Platform;
}

/** Writes the service, and starts nothing. @throws NightshiftError `E_USAGE` where there is no such thing */
export function installService(request: ServiceRequest): InstalledService {
  const { environment, platform, stateFolder } = request;
  const home = environment.HOME;
  if (home === undefined || home === "")
    throw new NightshiftError("E_USAGE", "HOME is not set, so there is no place for a service of the user");
  const name = `nightshift-${basename(stateFolder)}`;
  const config = environment.XDG_CONFIG_HOME ?? join(home, ".config");
  const keyFile = join(config, "nightshift", "environment");
  if (platform === "darwin") {
    const label = `dev.${name}`;
    const path = join(home, "Library/LaunchAgents", `${label}.plist`);
    write(path, launchAgent(label, request));
    return { path, keyFile, commands: [`launchctl bootstrap gui/$(id -u) ${path}`] };
  }
  const path = join(config, "systemd/user", `${name}.service`);
  write(path, systemdUnit(request, keyFile));
  const commands = [
    "systemctl --user daemon-reload",
    `systemctl --user enable --now ${name}`,
    "loginctl enable-linger",
  ];
  return { path, keyFile, commands };
}

function write(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  } catch (cause) {
    throw new NightshiftError("E_USAGE", `${path} cannot be written: ${messageOf(cause)}`, { cause });
  }
}

function wordsOf({ node, program, stateFolder }: ServiceRequest): string[] {
  return [node, program, "resume", "--all", "--stay", "--state", stateFolder];
}

/** systemd's own quoting: `%` and `$` mean something else there. */
function systemdWord(word: string): string {
  const escaped = word.replace(/["\\]/g, "\\$&").replaceAll("%", "%%").replaceAll("$", "$$$$");
  return `"${escaped}"`;
}

function systemdUnit(request: ServiceRequest, keyFile: string): string {
  return [
    "[Unit]",
    "Description=Nightshift: carries on what is due",
    "",
    "[Service]",
    `ExecStart=${wordsOf(request).map(systemdWord).join(" ")}`,
    `EnvironmentFile=-${keyFile.replaceAll("%", "%%")}`,
    `Environment=${systemdWord(`PATH=${request.environment.PATH ?? ""}`)}`,
    "Restart=always",
    "RestartSec=5",
    "",
    "[Install]",
    "WantedBy=default.target",
    "",
  ].join("\n");
}

function launchAgent(label: string, request: ServiceRequest): string {
  const xml = (text: string): string =>
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0"><dict>',
    `  <key>Label</key><string>${xml(label)}</string>`,
    "  <key>ProgramArguments</key><array>",
    ...wordsOf(request).map((word) => `    <string>${xml(word)}</string>`),
    "  </array>",
    "  <key>RunAtLoad</key><true/>",
    "  <key>KeepAlive</key><true/>",
    "</dict></plist>",
    "",
  ].join("\n");
}
