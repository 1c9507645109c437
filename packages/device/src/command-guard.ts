import { type CommandProblem, IDENTITY_MESSAGE, SIGNED_FORMATS, type SignedFormat } from '@sallyport/model';
import { judgeNumber, type ReadCommand, readCommand } from '@sallyport/trust';
import type { GuardMemory } from './guard-memory.ts';
import { type KeyRing, signingKeyOf } from './key-ring.ts';
import { type SealDesk, sealedEncoding } from './seal-desk.ts';

/** A command that the guard has found good. Times are milliseconds since the epoch. */
export interface GuardedCommand {
  readonly name: string;
  /** Format of the content. */
  readonly format: string;
  readonly content: Uint8Array<ArrayBuffer>;
  /** Written form of the application that signed it. */
  readonly application: string;
  readonly sequence: number;
  readonly issuedAt: number;
  /** True if nobody between the two could read it. */
  readonly sealed: boolean;
}

/** What the guard says of each command that comes. */
export type CommandVerdict =
  | { readonly outcome: 'valid'; readonly name: string; readonly command: GuardedCommand }
  | {
      readonly outcome: 'invalid';
      readonly name: string;
      readonly reason: CommandProblem;
      /** What was looked at. */
      readonly detail: string;
      /** The application whose signature was good; absent if none was. */
      readonly application?: string;
    }
  /** No command: keys of an application were shown, and taken or not. */
  | { readonly outcome: 'introduced'; readonly name: string; readonly detail: string }
  | { readonly outcome: 'not_introduced'; readonly name: string; readonly detail: string };

/** An application that a device listens to, and for which commands; `+` stands for all. */
export interface CommandRights {
  /** Id of the application. */
  readonly application: string;
  readonly commands: readonly string[];
}

export interface GuardRules {
  readonly organisation: string;
  /** Written form of this device. */
  readonly device: string;
  /** The beginning of its full topics: `iot-2/type/TYPE/id/ID/`. */
  readonly prefix: string;
  readonly applications: readonly CommandRights[];
  /** Commands of the application that introduces itself first; absent: only those that are named. */
  readonly firstUse?: readonly string[];
  /** Commands that came in clear are ignored. */
  readonly sealedOnly: boolean;
  /** Milliseconds by which clocks may differ. */
  readonly skew: number;
  /** Milliseconds for which a command may be valid. */
  readonly longestLifetime: number;
  /** How many commands may overtake one; 0: a later one ends the earlier. */
  readonly tolerance: number;
}

export interface GuardParts {
  readonly rules: GuardRules;
  readonly ring: KeyRing;
  readonly memory: GuardMemory;
  /** Absent if the device opens nothing. */
  readonly desk: SealDesk | undefined;
  readonly now: () => number;
}

/**
 * The last door: judges one command as it came. Whatever is not wholly good is not followed, and nothing is good before the memory of it
 * is safe. To be called for one command after the other.
 *
 * @param name second level but two of the topic, `format` the last
 */
export async function judgeCommand(
  { rules, ring, memory, desk, now }: GuardParts,
  name: string,
  format: string,
  payload: Uint8Array,
): Promise<CommandVerdict> {
  const invalid = (reason: CommandProblem, detail: string, application?: string): CommandVerdict => ({
    outcome: 'invalid',
    name,
    reason,
    detail,
    ...(application === undefined ? {} : { application }),
  });
  const topic = `${rules.prefix}cmd/${name}/fmt/${format}`;

  // 1. Open.
  let signed = { format, bytes: Uint8Array.from(payload) };
  let sealedBy: string | undefined;
  let rememberOpening = (): void => {};
  const sealing = sealedEncoding(format);
  if (sealing !== undefined) {
    if (desk === undefined) return invalid('cannot_open', 'this device has no key to open with');
    const opened = await desk.open(sealing, topic, payload);
    if (opened.outcome === 'not_for_me') return invalid('cannot_open', 'it was sealed for another key');
    if (opened.outcome !== 'opened') return invalid(opened.outcome, 'as it was sealed');
    signed = opened.content;
    sealedBy = opened.sender;
    rememberOpening = opened.remember;
  } else if (rules.sealedOnly) return invalid('not_sealed', `it came as ${format}`);

  // 2. Signature: by a key that the platform has stated.
  if (!isSigned(signed.format)) return invalid('unsigned', `it came as ${signed.format}`);
  const read = readCommand(signed.format, signed.bytes);
  if (read === undefined) return invalid('malformed', `it is no command in ${signed.format}`);
  const { command, keyId } = read;
  const finding = ring.find(keyId);
  if (finding.outcome === 'unknown') return invalid('unknown_key', `key ${keyId}`);
  if (finding.outcome === 'ended') return invalid('key_ended', `key ${keyId}`);
  const { key } = finding;
  if (!(await read.message.signedBy(signingKeyOf(key)))) return invalid('bad_signature', `key ${keyId}`);

  // 3. Application.
  const application = key.principal;
  if (command.application !== application || (sealedBy !== undefined && sealedBy !== application)) {
    const named = `it names ${command.application}${sealedBy === undefined ? '' : `, was sealed by ${sealedBy}`}`;
    return invalid('wrong_application', `${named}, and was signed by ${application}`, application);
  }
  if (!rightsOf(rules, memory, application).some((each) => each === '+' || each === name)) {
    return invalid('not_permitted', `${application} may not send "${name}"`, application);
  }

  // 4. Device, topic, freshness.
  const misplaced = misplacement(read, rules, topic, now());
  if (misplaced !== undefined) return invalid(misplaced.reason, misplaced.detail, application);

  // 5. Replay: remembered first, so that a crash cannot make it fresh again.
  const verdict = judgeNumber(memory.commandsOf(keyId), command.sequence, rules.tolerance);
  if (verdict.outcome !== 'fresh') return invalid(verdict.outcome, `sequence ${command.sequence}`, application);
  memory.followed(keyId, verdict.memory);
  rememberOpening();
  if (!(await memory.save())) return invalid('memory_failing', 'the store does not take writes', application);

  const { sequence, issuedAt, content } = command;
  const sealed = sealedBy !== undefined;
  return {
    outcome: 'valid',
    name,
    command: { name, format: command.format, content, application, sequence, issuedAt, sealed },
  };
}

/** Judges a statement that an application shows: taken if the platform has signed it and the device listens to that application. */
export async function judgeIntroduction(
  { rules, ring, memory }: GuardParts,
  format: string,
  payload: Uint8Array,
): Promise<CommandVerdict> {
  const answer = (outcome: 'introduced' | 'not_introduced', detail: string): CommandVerdict => ({
    outcome,
    name: IDENTITY_MESSAGE,
    detail,
  });
  if (!isSigned(format)) return answer('not_introduced', `it came as ${format}`);
  const judged = await ring.judge(format, payload);
  if (!judged.ok) return answer('not_introduced', judged.problem);
  const { statement } = judged;
  const { principal } = statement;
  if (!principal.startsWith('application:')) return answer('not_introduced', `${principal} is no application`);
  if (rules.firstUse !== undefined && !isNamed(rules, principal)) memory.takeFirst(principal);
  if (rightsOf(rules, memory, principal).length === 0) {
    return answer('not_introduced', `${principal} is not one that this device listens to`);
  }
  if (ring.keep(statement) && !(await memory.save())) {
    return answer('not_introduced', 'the store does not take writes');
  }
  return answer('introduced', `${principal}, key ${statement.keyId}`);
}

function rightsOf(rules: GuardRules, memory: GuardMemory, application: string): readonly string[] {
  const named = rules.applications.filter((each) => isPrincipal(rules, each.application, application));
  if (named.length > 0) return named.flatMap(({ commands }) => commands);
  return memory.firstUsed === application ? (rules.firstUse ?? []) : [];
}

function isNamed(rules: GuardRules, principal: string): boolean {
  return rules.applications.some(({ application }) => isPrincipal(rules, application, principal));
}

function isPrincipal({ organisation }: GuardRules, id: string, principal: string): boolean {
  return `application:${organisation}/${id}` === principal;
}

function misplacement(
  { command }: ReadCommand,
  rules: GuardRules,
  topic: string,
  now: number,
): { readonly reason: CommandProblem; readonly detail: string } | undefined {
  const { device, issuedAt, expiresAt } = command;
  const at = (time: number) => (time < 8.64e15 ? new Date(time).toISOString() : String(time));
  if (device !== rules.device) return { reason: 'wrong_device', detail: `it is for ${device}` };
  if (command.topic !== topic) return { reason: 'wrong_topic', detail: `it was signed for ${command.topic}` };
  if (issuedAt - rules.skew > now) return { reason: 'not_yet_valid', detail: `issued at ${at(issuedAt)}` };
  if (expiresAt + rules.skew <= now) return { reason: 'expired', detail: `ended at ${at(expiresAt)}` };
  if (expiresAt - issuedAt > rules.longestLifetime) {
    return { reason: 'lifetime_too_long', detail: `from ${at(issuedAt)} to ${at(expiresAt)}` };
  }
  return undefined;
}

function isSigned(format: string): format is SignedFormat {
  return (SIGNED_FORMATS as readonly string[]).includes(format);
}
