import type { Terminal } from '../src/terminal.ts';

/** A terminal that remembers what was written to it. */
export function recordingTerminal(stdin = '') {
  const out: string[] = [];
  const err: string[] = [];
  const stopping = new AbortController();
  const terminal: Terminal = {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    readStdin: async () => stdin,
    interactive: false,
    stop: stopping.signal,
  };
  return { terminal, out, err, stop: () => stopping.abort() };
}
