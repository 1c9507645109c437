import { decodeContent } from '@sallyport/device';
import { Failure } from '@sallyport/model';

/** A `mon` message: that a device connected, disconnected or was refused. Everything but `action` may be absent. */
export interface ConnectionStatus {
  readonly device: { readonly type: string; readonly id: string };
  readonly action: string;
  /** ISO 8601. */
  readonly time?: string;
  readonly address?: string;
  readonly clientId?: string;
  readonly secure?: boolean;
  readonly protocol?: string;
  readonly closeCode?: number;
  readonly reason?: string;
}

/**
 * Reads a `mon` message.
 *
 * @throws Failure `invalid_request` if it is not a JSON object
 */
export function connectionStatus(topic: string, bytes: Uint8Array): ConnectionStatus {
  const [, , type = '', , id = ''] = topic.split('/');
  const content = decodeContent(bytes, 'json');
  if (typeof content !== 'object' || content === null) {
    throw new Failure('invalid_request', `The status message on ${topic} is not a JSON object.`);
  }
  const fields = new Map<string, unknown>(Object.entries(content));
  const text = (name: string) => optional(fields.get(name), 'string');
  return {
    device: { type, id },
    action: text('Action') ?? 'Unknown',
    ...present('time', text('Time')),
    ...present('address', text('ClientAddr')),
    ...present('clientId', text('ClientID')),
    ...present('secure', optional(fields.get('Secure'), 'boolean')),
    ...present('protocol', text('Protocol')),
    ...present('closeCode', optional(fields.get('CloseCode'), 'number')),
    ...present('reason', text('Reason')),
  };
}

interface Kinds {
  readonly string: string;
  readonly boolean: boolean;
  readonly number: number;
}

function optional<K extends keyof Kinds>(value: unknown, kind: K): Kinds[K] | undefined {
  return typeof value === kind ? (value as Kinds[K]) : undefined;
}

function present<N extends string, V>(name: N, value: V | undefined): { readonly [key in N]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { [key in N]: V });
}
