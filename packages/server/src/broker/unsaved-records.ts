import type { Unsaved } from './session-store.ts';

/** Gathers what could not be saved, each thing once however often it was written. */
export class UnsavedRecords implements Unsaved {
  readonly sessions = new Set<number>();
  readonly retained = new Map<string, Set<string>>();

  get empty(): boolean {
    return this.sessions.size === 0 && this.retained.size === 0;
  }

  addSession(id: number): void {
    this.sessions.add(id);
  }

  addRetained(organisation: string, topic: string): void {
    const topics = this.retained.get(organisation) ?? new Set();
    this.retained.set(organisation, topics.add(topic));
  }

  add({ sessions, retained }: Unsaved): void {
    for (const id of sessions) this.addSession(id);
    for (const [organisation, topics] of retained) for (const topic of topics) this.addRetained(organisation, topic);
  }

  clear(): void {
    this.sessions.clear();
    this.retained.clear();
  }
}
