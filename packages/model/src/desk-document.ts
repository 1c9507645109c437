/** What the page of the application desk shows: the whole state, sent anew whenever it has changed. Times in milliseconds since the epoch. */
export interface DeskDocument {
  readonly connection: PageConnection;
  readonly devices: readonly DeskDevice[];
  /** Newest first, bounded. */
  readonly events: readonly DeskEvent[];
  /** Newest first, bounded. */
  readonly commands: readonly DeskCommand[];
  /** Ways in which the desk can send a command: the right one, and those that a device must refuse. */
  readonly manners: readonly DeskManner[];
}

/** How the program behind a page stands with the server. */
export interface PageConnection {
  readonly state: 'connecting' | 'online' | 'offline' | 'ended';
  readonly clientId: string;
  /** Host and port. */
  readonly server: string;
  readonly since: number;
  /** Why it is not online, and what to do about it. */
  readonly problem?: string;
  readonly cure?: string;
}

export interface DeskDevice {
  readonly type: string;
  readonly id: string;
  readonly connected: boolean | undefined;
  readonly address?: string;
  readonly lastSeen: number;
  readonly events: number;
  readonly commands: number;
}

export interface DeskEvent {
  readonly number: number;
  readonly at: number;
  readonly type: string;
  readonly id: string;
  readonly name: string;
  readonly format: string;
  /** The content as text, shortened; absent where it is sealed and the desk has no key. */
  readonly text?: string;
  readonly protection: 'clear' | 'opened' | 'sealed';
}

/** One way of sending a command. */
export interface DeskManner {
  readonly id: string;
  readonly name: string;
  /** What the device is expected to do with it. */
  readonly meaning: string;
  readonly honest: boolean;
}

export interface DeskCommand {
  readonly number: number;
  readonly at: number;
  readonly type: string;
  readonly id: string;
  readonly name: string;
  readonly text: string;
  readonly manner: string;
  readonly outcome: 'sending' | 'accepted by the server' | 'refused by the server';
  /** Why the server refused it. */
  readonly problem?: string;
  /** What the device said to it, if it says anything. */
  readonly answer?: string;
}

/** What the page asks of the desk. */
export interface DeskCommandRequest {
  readonly type: string;
  readonly id: string;
  readonly name: string;
  /** JSON, or plain text, which is sent as a JSON string. */
  readonly text: string;
  readonly manner: string;
}
