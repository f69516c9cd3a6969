/**
 * Why a sandbox backend does or does not work on this machine. A diagnosis tries the real thing first and asks for
 * causes only when that fails; what a person is told names one cause and one next step.
 */

/** The backends that isolate, in the order in which they are tried. */
export const ISOLATED_BACKENDS = ["bubblewrap", "docker"] as const;

/** A backend that isolates. */
export type IsolatedBackend = (typeof ISOLATED_BACKENDS)[number];

/** Every outcome there is. */
export type DiagnosisCode =
  | "ready"
  /** Of another operating system. */
  | "not_linux"
  | "not_installed"
  /** Installed, but without options that are needed. */
  | "too_old"
  /** Ubuntu's limit on user namespaces of programs without a profile. */
  | "apparmor"
  | "user_namespaces_off"
  /** This is a container itself, and its engine forbids what the sandbox is made of. */
  | "nested_container"
  /** The engine's daemon does not answer. */
  | "daemon_down"
  /** This user may not talk to the engine. */
  | "no_permission"
  /** The engine is on another machine, which sees no files of this one. */
  | "remote_engine"
  /** None of the above; the text has what the program said. */
  | "failed";

/** What was found out about one backend. */
export interface Diagnosis {
  readonly backend: IsolatedBackend;
  readonly code: DiagnosisCode;
  /** One sentence for people, without a final full stop. */
  readonly text: string;
  /** The next step: a command, or what to do. Absent when it is ready. */
  readonly fix?: string;
  /** Lines that the next step needs as they are, such as a profile to install. */
  readonly verbatim?: readonly string[];
}

/** How a probe ended. */
export interface ProbeResult {
  /** Null when it could not be started or took too long. */
  readonly exitCode: number | null;
  readonly output: string;
}

/** How an engine answered to a request; the errors are those of the connection. */
export type EngineAnswer =
  | { readonly status: number; readonly body: string }
  | { readonly error: string; readonly message: string };

/** What a diagnosis may look at and try; injected by tests. */
export interface DiagnosisHost {
  readonly platform: string;
  readonly isRoot: boolean;
  /** Absolute path of a program, as the user's PATH has it. */
  findProgram(name: string): string | undefined;
  /** A small file, or undefined when it is not there or not readable. */
  read(path: string): string | undefined;
  /** Runs a program for a moment. */
  probe(argv: readonly string[]): Promise<ProbeResult>;
  /** As DOCKER_HOST has it, or the default. */
  readonly engine: string;
  /** Asks the engine behind a unix socket. */
  ask(socket: string, path: string): Promise<EngineAnswer>;
}
