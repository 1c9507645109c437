import { useEffect, useState } from 'react';
import { pageKey } from './page-key.ts';

/** What a page knows of the program behind it. */
export interface Watched<T> {
  readonly document: T | undefined;
  /** Why nothing comes: there is no key, or the program has ended. */
  readonly lost: 'no key' | 'gone' | undefined;
}

const PAUSE = 1_000;

/** The document of the program behind this page, again and again, as it changes. */
export function useDocument<T>(): Watched<T> {
  const [watched, setWatched] = useState<Watched<T>>({ document: undefined, lost: undefined });
  useEffect(() => {
    const stop = new AbortController();
    void watch<T>(stop.signal, setWatched);
    return () => stop.abort();
  }, []);
  return watched;
}

async function watch<T>(stop: AbortSignal, set: (update: (before: Watched<T>) => Watched<T>) => void): Promise<void> {
  while (!stop.aborted) {
    try {
      const response = await fetch('/document', { headers: { authorization: `Bearer ${pageKey()}` }, signal: stop });
      if (response.status === 401) {
        set((before) => ({ ...before, lost: 'no key' }));
        return;
      }
      if (response.ok && response.body) {
        for await (const text of events(response.body))
          set(() => ({ document: JSON.parse(text) as T, lost: undefined }));
      }
    } catch {
      // The program has ended or is not there yet: the pause below, then another try.
    }
    if (stop.aborted) return;
    set((before) => ({ ...before, lost: 'gone' }));
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += decoder.decode(value, { stream: true });
    const parts = rest.split('\n\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part.startsWith('data: ')) yield part.slice('data: '.length);
  }
}
