import type { SimulatorReading } from '@sallyport/model';
import { useEffect, useRef } from 'react';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { Card } from '../page/card.tsx';
import { clock } from '../page/clock.ts';

const HEIGHT = 180;

/** Acceleration over time. */
export function ReadingChart({ readings }: { readonly readings: readonly SimulatorReading[] }) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<UPlot>(null);
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const ink = () => (document.documentElement.classList.contains('dark') ? '#d6d3d1' : '#44403c');
    const axis: UPlot.Axis = { stroke: ink, grid: { stroke: '#78716c40' }, ticks: { show: false } };
    const made = new UPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        axes: [
          { ...axis, space: 90, size: 28, values: (_chart, splits) => splits.map((at) => clock(at * 1000)) },
          { ...axis, size: 40 },
        ],
        series: [{}, { stroke: '#0d9488', width: 2, fill: '#0d948822', points: { size: 5 } }],
      },
      [[], []],
      element,
    );
    chart.current = made;
    const watcher = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      made.destroy();
    };
  }, []);
  useEffect(() => {
    const inOrder = [...readings].reverse();
    chart.current?.setData([inOrder.map(({ at }) => at / 1000), inOrder.map(({ acceleration }) => acceleration)]);
  }, [readings]);
  const last = readings[0];
  return (
    <Card title="Acceleration" aside={last === undefined ? 'm/s²' : `${last.acceleration} m/s², ${last.motion}`}>
      {last === undefined ? <p className="quiet text-sm">Nothing has been measured yet.</p> : null}
      <div
        ref={place}
        className={last === undefined ? 'invisible h-0 overflow-hidden' : ''}
        role="img"
        aria-label="Acceleration over time in metres per second squared; the table below has the figures"
      />
    </Card>
  );
}
