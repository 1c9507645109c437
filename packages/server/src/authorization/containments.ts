import type { Principal } from '@sallyport/model';

/** What a contained principal has left. `throttle` takes no rights: the broker slows it down. */
export type ContainmentLevel = 'throttle' | 'read-only' | 'quarantine';

/** Who is contained at the moment. Asked by every session at each decision that is not cached. */
export class Containments {
  readonly #levels = new Map<string, ContainmentLevel>();
  readonly #onChange: (principal: string, level: ContainmentLevel | undefined) => void;
  /** Changes with every change, so that no earlier answer is believed. */
  version = 0;

  /** `onChange` is told of each change before anybody else acts on it. */
  constructor(onChange: (principal: string, level: ContainmentLevel | undefined) => void = () => {}) {
    this.#onChange = onChange;
  }

  all(): readonly (readonly [principal: string, level: ContainmentLevel])[] {
    return [...this.#levels];
  }

  /** By written form of the principal. */
  of(principal: string): ContainmentLevel | undefined {
    return this.#levels.size === 0 ? undefined : this.#levels.get(principal);
  }

  set(principal: string, level: ContainmentLevel | undefined): void {
    if (this.#levels.get(principal) === level) return;
    if (level === undefined) this.#levels.delete(principal);
    else this.#levels.set(principal, level);
    this.version++;
    this.#onChange(principal, level);
  }
}

/** Why a containment forbids something; undefined if it does not. */
export function containedFrom(
  level: ContainmentLevel | undefined,
  principal: Principal,
  action: 'connect' | 'publish' | 'subscribe' | 'receive',
  resource: string,
): string | undefined {
  if (level === undefined || level === 'throttle' || action === 'connect') return undefined;
  if (level === 'read-only') {
    return action === 'publish' ? 'It is contained as read-only: it may receive and not publish.' : undefined;
  }
  if (principal.kind === 'device' || principal.kind === 'gateway') {
    const own = `iot-2/type/${principal.type}/id/${principal.id}/`;
    if (resource.startsWith(own)) return undefined;
  }
  return 'It is in quarantine: it may use its own topics only.';
}
