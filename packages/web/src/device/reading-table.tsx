import type { SimulatorReading } from '@sallyport/model';
import { Card } from '../page/card.tsx';
import { clock } from '../page/clock.ts';
import { Rows } from '../page/rows.tsx';

/** Data sent: time, value, status. */
export function ReadingTable({ readings }: { readonly readings: readonly SimulatorReading[] }) {
  return (
    <Card title="Data sent">
      <Rows
        label="Data sent"
        heads={['Time', 'Acceleration', 'Motion', 'Position', 'Status']}
        empty="Nothing has been sent yet."
        rows={readings.map((reading) => ({
          key: reading.number,
          cells: [
            clock(reading.at),
            reading.acceleration.toFixed(2),
            reading.motion,
            `${reading.latitude.toFixed(4)}, ${reading.longitude.toFixed(4)}`,
            reading.sent ? 'sent' : `not sent${reading.why === undefined ? '' : `: ${reading.why}`}`,
          ],
          good: reading.sent,
        }))}
      />
    </Card>
  );
}
