import type { SimulatedEvent } from '@sallyport/device/simulator';
import type { Output } from '../output.ts';
import { printable } from '../table.ts';

/** Shows what happens to a simulated device, a line for each event; a download is shown by tenths. */
export function eventShower(output: Output): (event: SimulatedEvent) => void {
  let tenth = -1;
  return (event) => {
    const line = (what: string, text: string) => output.line(`${what.padEnd(11)}${printable(text)}`, event);
    switch (event.kind) {
      case 'stage':
        return line(event.stage, event.text);
      case 'connection':
        return line(event.state, event.text);
      case 'boot-step': {
        const { stage, held, text, reason } = event.step;
        return line('boot', `${held ? '✓' : '✗'} ${stage}: ${text}${reason === undefined ? '' : ` (${reason})`}`);
      }
      case 'booted': {
        const { outcome, version, slot, trial } = event.report;
        const what =
          version === undefined ? 'nothing runs' : `${version} runs from slot ${slot}${trial ? ' on trial' : ''}`;
        return line('boot', `${outcome}: ${what}`);
      }
      case 'sent': {
        const { at, reading, sent, why, wire = [] } = event.entry;
        const sealed = wire.flatMap(({ sealedFor }) => sealedFor ?? []);
        const how = sealed.length === 0 ? 'ok' : `ok, sealed for ${sealed.join(', ')}`;
        const text = `${at}  ${JSON.stringify(reading)}  ${sent ? how : `not sent: ${why}`}`;
        const shown = wire.map(({ bytes, ...one }) => ({ ...one, size: bytes.length }));
        return output.line(`${'sent'.padEnd(11)}${printable(text)}`, {
          ...event,
          entry: { ...event.entry, wire: shown },
        });
      }
      case 'command': {
        const { at, name, text, valid, why } = event.entry;
        return line('command', `${at}  ${name} ${text}  ${valid ? 'Valid' : 'Invalid'}: ${why}`);
      }
      case 'unlock': {
        const { status, by, expiresIn, attemptsLeft, retryAfter } = event.status;
        const more = [
          by && `by ${by.join(', ')}`,
          expiresIn !== undefined && `good for ${expiresIn} s`,
          attemptsLeft !== undefined && `${attemptsLeft} tries left`,
          retryAfter !== undefined && `again in ${retryAfter} s`,
        ].filter(Boolean);
        return line('unlock', more.length === 0 ? status : `${status}: ${more.join(', ')}`);
      }
      case 'certificate':
        return line('proof', `certificate ${event.phase}: ${event.text}`);
      case 'firmware': {
        const { phase, text, received, size } = event.progress;
        if (received === undefined || size === undefined) return line('firmware', `${phase}: ${text}`);
        const reached = Math.floor((received * 10) / size);
        if (reached === tenth) return;
        tenth = reached;
        return line('firmware', `${phase}: ${text}, ${reached * 10} % of ${size} bytes`);
      }
      case 'problem':
        return output.note(event.failure.message);
    }
  };
}
