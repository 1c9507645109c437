import type { Application, ConnectionStatus, Event } from '@sallyport/application';
import {
  type DeskCommand,
  type DeskCommandRequest,
  type DeskDevice,
  type DeskDocument,
  type DeskEvent,
  Failure,
  type PageConnection,
} from '@sallyport/model';
import { eventText } from './event-text.ts';
import { type Manner, readCommand } from './manners.ts';
import { Newest } from './newest.ts';

const EVENTS = 300;
const COMMANDS = 100;
const DEVICES = 500;

export interface DeskOptions {
  readonly application: Application;
  /** Host and port, for people. */
  readonly server: string;
  /** Ways of sending a command, the honest one first. */
  readonly manners: readonly Manner[];
  readonly now: () => number;
  /** Told after each change of the document. */
  readonly changed: () => void;
  /** Told of each event, as it is shown. */
  readonly onEvent?: (event: DeskEvent) => void;
}

/** An application that a person works with: hears all devices, and sends them commands, right and wrong ones. */
export class Desk {
  readonly #options: DeskOptions;
  readonly #devices = new Map<string, DeskDevice>();
  readonly #events = new Newest<DeskEvent>(EVENTS);
  readonly #commands = new Newest<DeskCommand>(COMMANDS);
  /** What refusals of devices are to be shown at, by what they call the command. */
  readonly #answerable = new Map<string, (answer: string) => void>();
  readonly #early = new Map<string, string>();
  #connection: PageConnection;
  #number = 0;

  private constructor(options: DeskOptions) {
    this.#options = options;
    const { application, server, now } = options;
    this.#connection = { state: 'online', clientId: application.clientId, server, since: now() };
  }

  /** @throws Failure `subscribe_refused` */
  static async open(options: DeskOptions): Promise<Desk> {
    const desk = new Desk(options);
    const { application } = options;
    application.on('offline', () => desk.#stands('offline'));
    application.on('online', () => desk.#stands('online'));
    application.on('problem', (failure) => desk.#stands(desk.#connection.state, failure));
    void application.closed.then((failure) => desk.#stands('ended', failure));
    application.onRefusal(({ message, reason }) => desk.#answer(message, `refused it, signed: ${reason}`));
    application.onUnreadable((event) => desk.#hear(event));
    await application.subscribeEvents({}, (event) => desk.#hear(event));
    await application.subscribeStatus({}, (status) => desk.#learn(status));
    return desk;
  }

  document(): DeskDocument {
    return {
      connection: this.#connection,
      devices: [...this.#devices.values()],
      events: this.#events.items,
      commands: this.#commands.items,
      manners: this.#options.manners.map(({ id, name, meaning, honest }) => ({ id, name, meaning, honest })),
    };
  }

  /**
   * Sends a command in the manner asked for. What the server says to it is seen in the document.
   *
   * @throws Failure `invalid_request`
   */
  async send(request: unknown): Promise<void> {
    const { manner, ...asked } = readCommand(request, this.#options.manners);
    const { now, changed } = this.#options;
    let command: DeskCommand = { number: ++this.#number, at: now(), ...asked, manner: manner.name, outcome: 'sending' };
    const become = (more: Partial<DeskCommand>) => {
      const next = { ...command, ...more };
      this.#commands.replace(command, next);
      command = next;
      changed();
    };
    this.#commands.add(command);
    this.#touch(asked, { commands: 1 });
    changed();
    try {
      const message = await manner.send(asked satisfies Omit<DeskCommandRequest, 'manner'>);
      become({ outcome: 'accepted by the server' });
      if (message !== undefined) this.#awaitAnswer(message, (answer) => become({ answer }));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      become({ outcome: 'refused by the server', problem: error.message });
    }
  }

  #awaitAnswer(message: string, show: (answer: string) => void): void {
    const early = this.#early.get(message);
    if (early !== undefined) show(early);
    this.#answerable.set(message, show);
    if (this.#answerable.size > COMMANDS) this.#answerable.delete(this.#answerable.keys().next().value ?? '');
  }

  #answer(message: string, answer: string): void {
    const show = this.#answerable.get(message);
    if (show !== undefined) {
      show(answer);
      return;
    }
    // A device may be quicker than the server's word to us; what answers other programs is kept for a moment too.
    this.#early.set(message, answer);
    if (this.#early.size > COMMANDS) this.#early.delete(this.#early.keys().next().value ?? '');
  }

  #hear(event: Event): void {
    const { device, name, format } = event;
    const number = ++this.#number;
    const shown = { number, at: this.#options.now(), ...device, name, format, ...eventText(event) };
    this.#events.add(shown);
    this.#touch(device, { events: 1 });
    this.#options.onEvent?.(shown);
    this.#options.changed();
  }

  #learn(status: ConnectionStatus): void {
    const { device, action, address } = status;
    if (action !== 'Connect' && action !== 'Disconnect') return;
    this.#touch(device, {}, { connected: action === 'Connect', ...(address === undefined ? {} : { address }) });
    this.#options.changed();
  }

  #touch(
    { type, id }: { readonly type: string; readonly id: string },
    more: { readonly events?: number; readonly commands?: number },
    facts: Partial<DeskDevice> = {},
  ): void {
    const key = `${type}/${id}`;
    const known = this.#devices.get(key);
    if (known === undefined && this.#devices.size >= DEVICES) return;
    const lastSeen = more.commands === undefined ? this.#options.now() : (known?.lastSeen ?? 0);
    this.#devices.set(key, {
      type,
      id,
      ...(known ?? { connected: undefined }),
      ...facts,
      lastSeen,
      events: (known?.events ?? 0) + (more.events ?? 0),
      commands: (known?.commands ?? 0) + (more.commands ?? 0),
    });
  }

  #stands(state: PageConnection['state'], failure?: Failure): void {
    const { application, server, now, changed } = this.#options;
    const why = failure === undefined ? {} : { problem: failure.message, cure: failure.cure };
    this.#connection = { state, clientId: application.clientId, server, since: now(), ...why };
    changed();
  }
}
