import { describe, expect, it } from 'vitest';
import { documentText, printable, tableText } from '../src/table.ts';

describe('tables', () => {
  it('lines columns up and leaves no blanks at the end of a line', () => {
    const rows = [
      { id: 'pump-7', state: 'active' },
      { id: 'p', state: undefined },
    ];
    const text = tableText(rows, [
      { heading: 'id', value: (row) => row.id },
      { heading: 'state', value: (row) => row.state },
    ]);
    expect(text).toBe('ID      STATE\npump-7  active\np       -');
  });

  it('shows a document as one line per key that has a value', () => {
    expect(documentText({ id: 'desk', createdAt: 'today', suspendedAt: undefined, metadata: { a: 1 } })).toBe(
      'id          desk\ncreated at  today\nmetadata    {"a":1}',
    );
  });

  it('does not let text from elsewhere steer the terminal', () => {
    expect(printable('a\u001b[2Jb\r\nc\u202e')).toBe('a\\u001b[2Jb\\u000d\\u000ac\\u202e');
    expect(tableText([{ id: '\u001b[31m' }], [{ heading: 'id', value: (row) => row.id }])).not.toContain('\u001b');
  });
});
