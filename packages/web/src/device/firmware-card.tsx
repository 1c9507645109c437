import type { SimulatorFirmware } from '@sallyport/model';
import { Card } from '../page/card.tsx';

/** How an update of the firmware stands. */
export function FirmwareCard({
  firmware,
  certificate,
}: {
  readonly firmware: SimulatorFirmware;
  readonly certificate: string | undefined;
}) {
  const { phase, text, received, size } = firmware;
  return (
    <Card title="Firmware" aside={phase}>
      <p className="text-sm break-words">{text}</p>
      {received === undefined || size === undefined || size === 0 ? null : (
        <>
          <progress
            className="mt-2 h-2 w-full accent-teal-700"
            value={received}
            max={size}
            aria-label="Download of the image"
          />
          <p className="quiet text-xs tabular-nums">
            {kilobytes(received)} of {kilobytes(size)}
          </p>
        </>
      )}
      {certificate === undefined ? null : <p className="quiet mt-2 text-xs break-words">Certificate: {certificate}</p>}
    </Card>
  );
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(0)} KiB`;
}
