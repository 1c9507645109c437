import type { Properties } from '@sallyport/mqtt';
import type { Exchange } from '../authentication/exchange.ts';
import type { Timed } from './timer-wheel.ts';

/** What an exchange needs of its connection. */
export interface AuthLine {
  /** Writes AUTH 0x18, and listens for the answer. */
  challenge(exchange: AuthExchange, data: Uint8Array, patience: number | undefined): void;
  /** The client has not come to an end in time. */
  late(): void;
}

/** One exchange of AUTH packets with one client (MQTT 5 section 4.12). */
export class AuthExchange implements Exchange, Timed {
  readonly method: string;
  readonly data?: Uint8Array;
  readonly renewal: boolean;
  /** What goes with the success. */
  conclusion: Uint8Array | undefined;
  due = 0;
  slot = -1;
  readonly #line: AuthLine;
  #answer: ((answer: { readonly data?: Uint8Array } | undefined) => void) | undefined;
  #abandoned = false;

  constructor(line: AuthLine, method: string, data: Uint8Array | undefined, renewal: boolean) {
    this.#line = line;
    this.method = method;
    if (data !== undefined) this.data = data;
    this.renewal = renewal;
  }

  /** The client owes an answer. */
  get waiting(): boolean {
    return this.#answer !== undefined;
  }

  ask(data: Uint8Array, patience?: number): Promise<{ readonly data?: Uint8Array } | undefined> {
    if (this.#abandoned) return Promise.resolve(undefined);
    const answer = new Promise<{ readonly data?: Uint8Array } | undefined>((resolve) => {
      this.#answer = resolve;
    });
    // Not before the connection has stopped reading for the doors.
    queueMicrotask(() => this.#line.challenge(this, data, patience));
    return answer;
  }

  conclude(data: Uint8Array): void {
    this.conclusion = data;
  }

  /** Hands over what AUTH carried. */
  answered(data: Uint8Array | undefined): void {
    const answer = this.#answer;
    this.#answer = undefined;
    answer?.(data === undefined ? {} : { data });
  }

  /** Nothing more will come. */
  abandon(): void {
    this.#abandoned = true;
    const answer = this.#answer;
    this.#answer = undefined;
    answer?.(undefined);
  }

  elapsed(): void {
    this.#line.late();
  }
}

/** What AUTH and CONNACK say of an exchange [MQTT-4.12.0-5]. Never a reason string: nothing of it could be too large. */
export function authProperties({ method }: AuthExchange, data: Uint8Array | undefined): Properties {
  return { authenticationMethod: method, ...(data === undefined ? {} : { authenticationData: data }) };
}
