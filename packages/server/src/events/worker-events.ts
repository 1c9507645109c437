/** What becomes of the worker processes. */
export type WorkerEvent =
  | {
      readonly type: 'worker.started';
      /** Number of the worker, from 1. */
      readonly worker: number;
      readonly pid: number;
      /** The core that it stays on. */
      readonly core?: number;
    }
  | {
      /** A worker has died: its connections are gone, those of the others are not. */
      readonly type: 'worker.lost';
      readonly worker: number;
      readonly why: string;
      /** Connections that ended with it. */
      readonly connections: number;
      /** Milliseconds after which another is started in its place. */
      readonly restartsIn: number;
    }
  | { readonly type: 'worker.stopped'; readonly worker: number };
