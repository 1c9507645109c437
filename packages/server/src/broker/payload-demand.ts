import {
  type CommandProtection,
  IDENTITY_MESSAGE,
  type PayloadEncryption,
  type Principal,
  REFUSAL_MESSAGE,
  type RefusalReason,
  SEALED_FORMATS,
  SIGNED_FORMATS,
} from '@sallyport/model';
import { type DocumentType, readSealed, readSigned, type SignedEncoding } from '@sallyport/trust';

/** What the messages of a device type must be. */
export interface PayloadDemand {
  readonly commands: CommandProtection;
  readonly encryption: PayloadEncryption;
}

/** The demands of all device types. Asked for each message, so it answers at once. */
export interface PayloadDemands {
  /** Changes whenever an earlier answer may no longer hold. */
  readonly version: number;
  /** Undefined if the type takes anything. */
  of(organisation: string, type: string): PayloadDemand | undefined;
}

/** A demand on one topic. */
export interface TopicDemand extends PayloadDemand {
  readonly kind: 'evt' | 'cmd' | 'other';
  readonly name: string;
  readonly format: string;
}

/** What a message is instead of what it must be. */
export interface FormProblem {
  readonly reason: RefusalReason;
  readonly text: string;
}

const OF_DEVICE = /^iot-2\/type\/([^/]+)\/id\/[^/]+\/(evt|cmd)(?:\/([^/]*)\/fmt\/([^/]*))?/;
/** Device management is between the device and the server. */
const MANAGEMENT = /^(?:iotdevice-1|iotdm-1)\//;
/** Statements and refusals are small; more would be a way to send in clear. Bytes. */
const LARGEST_OPEN = 8_192;

/** The demand on a full topic; undefined if its payload may be anything. */
export function demandOn(
  demands: PayloadDemands,
  { principal, organisation }: { readonly principal: Principal; readonly organisation: string },
  topic: string,
): TopicDemand | undefined {
  const [, type, kind, name = '', format = ''] = OF_DEVICE.exec(topic) ?? [];
  if (type !== undefined) {
    const demand = demands.of(organisation, type);
    return demand && { ...demand, kind: kind === 'cmd' ? 'cmd' : 'evt', name, format };
  }
  if ((principal.kind !== 'device' && principal.kind !== 'gateway') || MANAGEMENT.test(topic)) return undefined;
  const own = demands.of(organisation, principal.type);
  return own?.encryption === 'required' ? { ...own, kind: 'other', name: '', format: '' } : undefined;
}

/** What is wrong with the form of a payload. It is read as far as anybody can read it, and never opened. */
export function formProblem(demand: TopicDemand, payload: Uint8Array): FormProblem | undefined {
  const { kind, name, format, commands, encryption } = demand;
  if (kind === 'other') {
    const sealed = readSealed('cose', payload) ?? readSealed('jwe', payload);
    return sealed === undefined ? problem('payload_not_sealed', 'the payload') : undefined;
  }
  // Both sides show their keys in the open, and a device says what it refused: signed, small, and nothing else.
  if (name === IDENTITY_MESSAGE && isSigned(format, 'sallyport-statement', payload)) return undefined;
  if (kind === 'evt' && name === REFUSAL_MESSAGE && isSigned(format, 'sallyport-refusal', payload)) return undefined;
  const names = isOneOf(SEALED_FORMATS, format);
  const sealed = names && readSealed(format === 'jwe' ? 'jwe' : 'cose', payload) !== undefined;
  if (encryption === 'required' && !sealed) {
    return problem('payload_not_sealed', names ? `the payload, which is no ${format}` : `the format "${format}"`);
  }
  if (encryption === 'off' && names) return problem('payload_sealed', `the format "${format}"`);
  if (kind === 'evt' || sealed) return undefined;
  if (commands === 'signed' && !isSigned(format, 'sallyport-command', payload, Number.POSITIVE_INFINITY)) {
    return problem('command_not_signed', `the payload of the format "${format}"`);
  }
  return commands === 'uid' && !hasUid(format, payload)
    ? problem('command_without_uid', `the payload of the format "${format}"`)
    : undefined;
}

function problem(reason: RefusalReason, text: string): FormProblem {
  return { reason, text };
}

function isSigned(format: string, type: DocumentType, payload: Uint8Array, largest = LARGEST_OPEN): boolean {
  if (!isOneOf(SIGNED_FORMATS, format) || payload.length > largest) return false;
  const message = readSigned(format satisfies SignedEncoding, type, payload);
  return message?.payload !== undefined;
}

/** The published commands of docs/guide/signed-commands.md: JSON, and those that ask for something with the id. */
function hasUid(format: string, payload: Uint8Array): boolean {
  if (format !== 'json') return false;
  try {
    const content = JSON.parse(Buffer.from(payload).toString('utf8')) as { cmd?: unknown; uid?: unknown } | null;
    if (typeof content !== 'object' || content === null || typeof content.cmd !== 'string') return false;
    return content.cmd !== 'command' || (typeof content.uid === 'string' && content.uid !== '');
  } catch {
    return false;
  }
}

function isOneOf<T extends string>(words: readonly T[], word: string): word is T {
  return (words as readonly string[]).includes(word);
}
