import { Socket } from 'node:net';
import type { BusWord, OfficeCalls, SocketWord, WorkerCalls } from './calls.ts';
import { Line } from './line.ts';
import { buildWorker, type ServingWorker } from './worker.ts';

/** The inherited end of the line to the office. */
const LINE = 4;

/** The main program of a worker process. It ends with the office, whatever becomes of that. */
function run(): void {
  if (process.send === undefined) {
    process.stderr.write('This program is started by the server.\n');
    process.exit(1);
  }
  // Ctrl-C and service managers tell every process: the office says when it is time.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  const office = new Line<OfficeCalls, WorkerCalls>(new Socket({ fd: LINE, readable: true, writable: true }));
  let worker: ServingWorker | undefined;
  const calls = {
    async begin(plan: Parameters<WorkerCalls['begin']>[0]): Promise<void> {
      process.title = `sallyport worker ${plan.number}`;
      worker = buildWorker(plan, office);
      Object.assign(calls, worker.calls);
    },
  };
  office.serve(calls as unknown as WorkerCalls, { onEnd: () => process.exit(0) });
  process.on('message', (word: SocketWord | BusWord, socket: Socket | undefined) => {
    if (worker === undefined || socket === undefined) socket?.destroy();
    else worker.take(word, socket);
  });
  process.on('disconnect', () => process.exit(0));
}

run();
