import type { EventOf, ServerEvent, ServerEventType } from './events.ts';

type Listener<T extends ServerEventType> = (event: EventOf<T>) => void;

/**
 * The one stream of what happens in the server. Listeners are called in the order in which they came, in the same turn.
 * A listener that throws stops neither the others nor the emitter: it is told as `defect` and counted.
 */
export class EventStream {
  #listeners = new Map<ServerEventType | '*', readonly Listener<ServerEventType>[]>();
  #defects = 0;
  #reporting = false;

  /** How often a listener has thrown. */
  get defects(): number {
    return this.#defects;
  }

  emit(event: ServerEvent): void {
    this.#tell(this.#listeners.get(event.type), event);
    this.#tell(this.#listeners.get('*'), event);
  }

  /** Listens to one type or, with `*`, to all. The answer ends it. */
  on<T extends ServerEventType>(type: T, listener: Listener<T>): () => void;
  on(type: '*', listener: (event: ServerEvent) => void): () => void;
  on(type: ServerEventType | '*', listener: unknown): () => void {
    const added = listener as Listener<ServerEventType>;
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), added]);
    let listening = true;
    return () => {
      if (!listening) return;
      listening = false;
      const left = [...(this.#listeners.get(type) ?? [])];
      left.splice(left.indexOf(added), 1);
      this.#listeners.set(type, left);
    };
  }

  #tell(listeners: readonly Listener<ServerEventType>[] | undefined, event: ServerEvent): void {
    if (listeners === undefined) return;
    for (const listener of listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#report(event.type, error);
      }
    }
  }

  #report(where: ServerEventType, error: unknown): void {
    this.#defects += 1;
    // A listener of `defect` that throws must not call itself without end.
    if (this.#reporting) return;
    this.#reporting = true;
    try {
      const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.emit({ type: 'defect', where: `listener of ${where}`, problem });
    } finally {
      this.#reporting = false;
    }
  }
}
