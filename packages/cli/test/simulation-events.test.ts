import { describe, expect, it } from 'vitest';
import { createOutput } from '../src/output.ts';
import { eventShower } from '../src/simulation/show-event.ts';
import { recordingTerminal } from './recording-terminal.ts';

describe('events of a simulated device', () => {
  it('say of a command whether it was valid, and why', () => {
    const { terminal, out } = recordingTerminal();
    const show = eventShower(createOutput(terminal, false));
    const entry = {
      at: '2026-01-31T12:00:00.000Z',
      name: 'reset',
      text: '{"cmd":"reset"}',
      valid: false,
      why: 'replayed',
    };
    show({ kind: 'command', entry });
    expect(out.join('\n')).toContain('reset {"cmd":"reset"}  Invalid: replayed');
  });

  it('show a download by its tenths, however many pieces it comes in', () => {
    const { terminal, out } = recordingTerminal();
    const show = eventShower(createOutput(terminal, false));
    for (let received = 0; received <= 1_000; received += 10) {
      show({ kind: 'firmware', progress: { phase: 'downloading', text: '1.0.0', received, size: 1_000 } });
    }
    expect(out).toHaveLength(11);
  });
});
