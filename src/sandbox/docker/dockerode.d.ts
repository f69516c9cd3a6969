/** What is used of dockerode; the engine's answers are described where they are read. */
declare module "dockerode" {
  interface Container {
    readonly id: string;
    start(): Promise<unknown>;
    inspect(): Promise<unknown>;
    update(options: { readonly PidsLimit: number }): Promise<unknown>;
    logs(options: object): Promise<Buffer>;
    remove(options: { readonly force: boolean; readonly v: boolean }): Promise<unknown>;
  }

  interface Volume {
    inspect(): Promise<unknown>;
    remove(): Promise<unknown>;
  }

  interface Image {
    inspect(): Promise<unknown>;
  }

  interface ListOptions {
    readonly filters: { readonly label: readonly string[] };
  }

  class Docker {
    constructor(options: { readonly socketPath: string; readonly timeout: number; readonly agent: object });
    info(): Promise<unknown>;
    createContainer(options: object): Promise<Container>;
    createVolume(options: object): Promise<unknown>;
    getContainer(id: string): Container;
    getVolume(name: string): Volume;
    getImage(name: string): Image;
    listContainers(options: ListOptions & { readonly all: boolean }): Promise<unknown>;
    listVolumes(options: ListOptions): Promise<unknown>;
    importImage(file: NodeJS.ReadableStream, options: object): Promise<NodeJS.ReadableStream>;
  }

  export = Docker;
}
