import type { SimulatorDocument } from '@sallyport/model';
import { Frame } from '../page/frame.tsx';
import { useDocument } from '../page/use-document.ts';
import { AuthenticationCard } from './authentication-card.tsx';
import { BootChain } from './boot-chain.tsx';
import { CommandTable } from './command-table.tsx';
import { ConnectionStages } from './connection-stages.tsx';
import { FirmwareCard } from './firmware-card.tsx';
import { MisdeedCard } from './misdeed-card.tsx';
import { PayloadCard } from './payload-card.tsx';
import { ReadingChart } from './reading-chart.tsx';
import { ReadingTable } from './reading-table.tsx';
import { UnlockCard } from './unlock-card.tsx';

/** The simulated device: how it proves who it is on the left, what it says and hears in the middle, what is inside on the right. */
export function DevicePage() {
  const { document: device, lost } = useDocument<SimulatorDocument>();
  return (
    <Frame title="Simulated device" connection={device?.connection} lost={lost}>
      {device === undefined ? (
        <p className="quiet p-4 text-sm">{lost === undefined ? 'Loading…' : null}</p>
      ) : (
        <div className="grid items-start gap-3 md:grid-cols-[20rem_minmax(0,1fr)] xl:grid-cols-[20rem_minmax(0,1fr)_21rem]">
          <div className="flex flex-col gap-3">
            <AuthenticationCard device={device} />
            {device.unlock === undefined ? null : <UnlockCard unlock={device.unlock} />}
            <ConnectionStages stages={device.stages} />
          </div>
          <div className="flex min-w-0 flex-col gap-3">
            <ReadingChart readings={device.readings} />
            <PayloadCard device={device} />
            <ReadingTable readings={device.readings} />
            <CommandTable commands={device.commands} pinned={device.pinned} />
          </div>
          <div className="flex flex-col gap-3 md:col-span-2 md:grid md:grid-cols-2 md:items-start xl:col-span-1 xl:items-stretch xl:flex">
            {device.boot === undefined ? null : <BootChain boot={device.boot} />}
            {device.firmware === undefined ? null : (
              <FirmwareCard firmware={device.firmware} certificate={device.certificate} />
            )}
            <MisdeedCard device={device} />
          </div>
        </div>
      )}
    </Frame>
  );
}
