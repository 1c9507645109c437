import type { CommandProblem } from '@sallyport/model';
import type { CommandEvent } from '../events/command-events.ts';
import type { EventOf } from '../events/events.ts';
import type { Suspicion } from './suspicion.ts';

/** Problems of commands that no mishap explains: somebody made them, changed them or sent them once more. */
const FORGED: ReadonlySet<CommandProblem> = new Set([
  'unsigned',
  'unknown_key',
  'bad_signature',
  'wrong_application',
  'wrong_device',
  'wrong_topic',
  'replayed',
]);

/** Reasons of a boot chain that no bad release explains. */
const TAMPERED: ReadonlySet<string> = new Set([
  'malformed',
  'digest_differs',
  'under_signed',
  'wrong_type',
  'version_too_old',
  'slot_swapped',
  'record_changed',
  'counter_changed',
  'configuration_changed',
]);

/**
 * What a device says of a command. Its word is enough to look into it, not to hold anything against who is said to have sent it; that
 * takes what the server has seen itself: the same bytes, sent by a second principal.
 */
export function ofCommand({ organisation, principal, topic, reason, sender, repeatedBy }: CommandEvent): Suspicion[] {
  if (!FORGED.has(reason)) return [];
  const by = sender === undefined ? '' : ` of ${sender}`;
  const text = `It refused a command${by} on ${topic.slice(0, 200)}: ${reason}.`;
  const found: Suspicion[] = [{ rule: 'refused-command', subject: principal, organisation, text }];
  if (reason === 'replayed' && repeatedBy !== undefined) {
    const replayed = `It sent a command of ${sender ?? 'another'} to ${principal} once more, which refused it.`;
    found.push({ rule: 'replayed-command', subject: repeatedBy, organisation, text: replayed });
  }
  return found;
}

/** What is said of the firmware of a device counts only if the device itself has said it. */
export function ofFirmware(event: EventOf<'firmware.boot' | 'firmware.refused'>): Suspicion[] {
  const { organisation, principal, by } = event;
  if (by !== principal) return [];
  const refused = event.type === 'firmware.refused';
  const reason = refused ? event.detail : event.details.reason;
  if (!refused && !TAMPERED.has(reason ?? '')) return [];
  const stage = refused ? 'an image that it was offered' : `its ${event.details.stage ?? 'firmware'}`;
  const text = `It refused ${stage.slice(0, 50)}: ${(reason ?? '').slice(0, 100)}.`;
  return [{ rule: 'refused-firmware', subject: principal, organisation, text }];
}
