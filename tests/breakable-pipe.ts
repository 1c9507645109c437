import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a server that can be cut: what a network does. */
export interface BreakablePipe {
  readonly port: number;
  /** Connections that were made through it. */
  readonly connections: () => number;
  /** Breaks what is open; new connections are let through. */
  cut(): void;
  close(): Promise<void>;
}

export async function breakablePipe(to: number): Promise<BreakablePipe> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const pipe = createServer((near) => {
    connections++;
    const far = connect(to, 'localhost');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => pipe.listen(0, 'localhost', resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (pipe.address() as AddressInfo).port,
    connections: () => connections,
    cut,
    async close() {
      cut();
      await new Promise((resolve) => pipe.close(resolve));
    },
  };
}
