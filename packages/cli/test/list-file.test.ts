import { describe, expect, it } from 'vitest';
import { listEntry, listFileEntries } from '../src/list-file.ts';
import { recordingTerminal } from './recording-terminal.ts';

const read = (text: string) => listFileEntries(recordingTerminal(text).terminal, '-');

describe('a file of entries for a list', () => {
  it('has one a line, with a note, and remarks', async () => {
    expect(await read('# scanners\n192.0.2.0/24 # noisy\r\n\n DE\n')).toEqual([
      { entry: '192.0.2.0/24', note: 'noisy' },
      { entry: 'DE' },
    ]);
  });

  it('is refused as a whole, with the line that is no entry, what is wrong and what would be right', async () => {
    await expect(read('192.0.2.7\n\n300.1.1.1 # x\n')).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(/^-:3: .*"300\.1\.1\.1".* Nothing was changed\.$/),
      cure: expect.stringContaining('192.0.2.0/24'),
    });
  });

  it.each(['300.1.1.1', 'DEU', '10.0.0.9-10.0.0.1', '192.0.2.0/33', ''])('does not take %j', (entry) => {
    expect(() => listEntry(entry, 'The entry')).toThrow(/^The entry: /);
  });
});
