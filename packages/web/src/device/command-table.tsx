import type { SimulatorCommand } from '@sallyport/model';
import { Card } from '../page/card.tsx';
import { clock } from '../page/clock.ts';
import { Rows } from '../page/rows.tsx';

/** Commands received: time, text, valid or invalid, and why. */
export function CommandTable({
  commands,
  pinned,
}: {
  readonly commands: readonly SimulatorCommand[];
  readonly pinned: readonly string[] | undefined;
}) {
  const aside =
    pinned === undefined
      ? undefined
      : pinned.length === 0
        ? 'no application pinned yet'
        : `pinned: ${pinned.join(', ')}`;
  return (
    <Card title="Commands received" aside={aside}>
      <Rows
        label="Commands received"
        heads={['Time', 'Command', 'Content', 'Status']}
        empty="No command has come yet."
        rows={commands.map(({ number, at, name, text, valid, why }) => ({
          key: number,
          cells: [clock(at), name, text, `${valid ? 'Valid' : 'Invalid'}: ${why}`],
          good: valid,
        }))}
      />
    </Card>
  );
}
