import type { Protection } from '../protection.ts';
import type { MetCommand } from './simulated-events.ts';

/** A command as it came. */
export interface CameAs {
  readonly name: string;
  readonly format: string;
  readonly payload: Uint8Array;
}

/** Commands are shown, so they are kept short. */
const LONGEST_TEXT = 500;

/** Judges a command as the protection of the device does, answers it, and says what is shown of it. */
export async function meetCommand(
  { name, format, payload }: CameAs,
  protection: Protection | undefined,
): Promise<Omit<MetCommand, 'at'> & { readonly followed: boolean }> {
  if (!protection) {
    const why = 'this device takes every command that the policy lets through';
    return { name, text: shownText(payload, format), valid: true, why, followed: false };
  }
  const verdict = await protection.judge(name, format, payload);
  await protection.answer(verdict, format, payload);
  if (verdict.outcome === 'valid') {
    const { application, sequence, content, sealed } = verdict.command;
    const why = `signed by ${application}, number ${sequence}${sealed ? ', sealed' : ''}`;
    return { name, text: shownText(content, verdict.command.format), valid: true, why, followed: true };
  }
  const reason = verdict.outcome === 'invalid' ? `${verdict.reason}: ` : '';
  const valid = verdict.outcome === 'introduced';
  return { name, text: shownText(payload, format), valid, why: `${reason}${verdict.detail}`, followed: false };
}

/** A payload as a person reads it, clipped. */
function shownText(payload: Uint8Array, format: string): string {
  if (format !== 'json' && format !== 'text') return `${payload.length} bytes as ${format}`;
  return new TextDecoder().decode(payload.subarray(0, LONGEST_TEXT));
}
