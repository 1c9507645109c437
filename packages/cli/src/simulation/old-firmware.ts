import type { SimulatedDevice } from '@sallyport/device/simulator';
import { Failure } from '@sallyport/model';
import { connectAsOperator } from '../administration.ts';
import type { Invocation } from '../invocation.ts';
import { UsageError } from '../report-failure.ts';

/**
 * Has a device ask for a release that is older than what runs, and answers why it did not take it.
 *
 * @throws UsageError if there is no older release
 * @throws Failure `demonstration_failed` if the device took it
 */
export async function askForOldFirmware(
  { options, output }: Pick<Invocation, 'options' | 'output'>,
  simulated: SimulatedDevice,
  { organisation, type }: { readonly organisation: string; readonly type: string },
): Promise<Failure> {
  const running = simulated.state.boot;
  const management = connectAsOperator(options);
  const { items } = await management.firmware.list(organisation).finally(() => management.close());
  const older = items.find((one) => one.type === type && one.sequence < (running?.sequence ?? 0));
  if (!older) {
    throw new UsageError(
      'There is no older release than what runs.',
      'Release two versions, give the device the newer one with --flash FOLDER --update, and try again.',
    );
  }
  output.note(`${running?.version} runs; asking for ${older.version} …`);
  try {
    await simulated.update(older.version);
  } catch (failure) {
    if (failure instanceof Failure && failure.code === 'firmware_rejected') return failure;
    throw failure;
  }
  throw new Failure('demonstration_failed', 'The device took an older image.');
}
