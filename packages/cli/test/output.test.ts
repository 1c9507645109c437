import { describe, expect, it } from 'vitest';
import { createOutput } from '../src/output.ts';
import { recordingTerminal } from './recording-terminal.ts';

const COLUMNS = [{ heading: 'id', value: (row: { id: string }) => row.id }];

describe('output', () => {
  it('writes results as JSON to standard output and remarks to standard error', () => {
    const { terminal, out, err } = recordingTerminal();
    const output = createOutput(terminal, true);
    output.list([{ id: 'desk' }], COLUMNS);
    output.note('by the way');
    expect(JSON.parse(out.join('\n'))).toEqual([{ id: 'desk' }]);
    expect(err).toEqual(['by the way']);
  });

  it('writes an empty list as JSON too', () => {
    const { terminal, out } = recordingTerminal();
    createOutput(terminal, true).list([], COLUMNS);
    expect(out).toEqual(['[]']);
  });

  it('says to a person that a list is empty without writing a result', () => {
    const { terminal, out, err } = recordingTerminal();
    createOutput(terminal, false).list([], COLUMNS);
    expect(out).toEqual([]);
    expect(err).toHaveLength(1);
  });

  it('writes one line of JSON for each thing of a stream', () => {
    const { terminal, out } = recordingTerminal();
    createOutput(terminal, true).line('received', { received: { times: 3 } });
    expect(out).toEqual(['{"received":{"times":3}}']);
  });
});
