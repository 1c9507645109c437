import {
  IDENTITY_MESSAGE,
  principalName,
  REFUSAL_MESSAGE,
  SEALED_FORMATS,
  SIGNED_FORMATS,
  type SignedFormat,
} from '@sallyport/model';
import { readRefusal } from '@sallyport/trust';
import type { Overhear } from '../broker/attend.ts';
import type { EventStream } from '../events/stream.ts';
import { SentCommands } from '../incidents/sent-commands.ts';
import type { Registry } from '../registry/registry.ts';

const TOPIC = /^iot-2\/type\/([^/]+)\/id\/([^/]+)\/(cmd|evt)\/([^/]+)\/fmt\/([^/]+)$/;
const PROTECTED: ReadonlySet<string> = new Set([...SIGNED_FORMATS, ...SEALED_FORMATS]);
/** Refusals of one device that are judged in a minute, and of all; a device answers no more than 20. */
const JUDGED = 20;
const JUDGED_OF_ALL = 2_000;
const MINUTE = 60_000;
const LONGEST = 8_192;

export interface SentCommandsOptions {
  readonly registry: Pick<Registry, 'identities'>;
  readonly events: EventStream;
  readonly now: () => number;
}

/** Listens to protected commands and to what devices sign about them; tells refusals whose signature is that of the device. */
export function overhearCommands({ registry, events, now }: SentCommandsOptions): Overhear {
  const commands = new SentCommands();
  const judged = new Map<string, number>();
  let all = 0;
  let minute = 0;

  function mayJudge(device: string): boolean {
    const current = Math.floor(now() / MINUTE);
    if (current !== minute) {
      judged.clear();
      all = 0;
      minute = current;
    }
    const count = judged.get(device) ?? 0;
    if (count >= JUDGED || all >= JUDGED_OF_ALL) return false;
    judged.set(device, count + 1);
    all++;
    return true;
  }

  async function judge(organisation: string, names: readonly string[], format: SignedFormat, payload: Uint8Array) {
    const read = readRefusal(format, payload);
    if (read === undefined || !names.includes(read.refusal.device) || !mayJudge(read.refusal.device)) return;
    const { device, topic, reason, message } = read.refusal;
    const key = await registry.identities.get({ organisation, keyId: read.keyId }).catch(() => undefined);
    if (key?.principal !== device || key.revokedAt !== undefined || key.notAfter <= now()) return;
    if (!(await read.message.signedBy({ algorithm: key.algorithm, bytes: key.signingKey }))) return;
    const senders = commands.find(organisation, topic, message);
    events.emit({
      type: 'command.refused',
      organisation,
      principal: device,
      topic,
      reason,
      ...(senders === undefined ? {} : { sender: senders.first }),
      ...(senders?.repeatedBy === undefined ? {} : { repeatedBy: senders.repeatedBy }),
    });
  }

  return (topic) => {
    const kind = overheardKind(topic);
    const [, type = '', id = '', , , format = ''] = TOPIC.exec(topic) ?? [];
    if (kind === 'command') {
      return ({ organisation, principal, payload }) =>
        commands.sent(organisation, topic, payload, principalName(principal));
    }
    if (kind === undefined || !isSigned(format)) return undefined;
    return ({ organisation, payload }) => {
      if (payload.length > LONGEST) return;
      const names = (['device', 'gateway'] as const).map((kind) => principalName({ kind, organisation, type, id }));
      judge(organisation, names, format, payload).catch((problem: unknown) => {
        events.emit({ type: 'defect', where: 'refusal of a command', problem: String(problem) });
      });
    };
  };
}

/** What is overheard on a topic; undefined if nothing is. */
export function overheardKind(topic: string): 'command' | 'refusal' | undefined {
  const [, , , what, name, format = ''] = TOPIC.exec(topic) ?? [];
  if (what === 'cmd' && name !== IDENTITY_MESSAGE && PROTECTED.has(format)) return 'command';
  return what === 'evt' && name === REFUSAL_MESSAGE && isSigned(format) ? 'refusal' : undefined;
}

function isSigned(format: string): format is SignedFormat {
  return (SIGNED_FORMATS as readonly string[]).includes(format);
}
