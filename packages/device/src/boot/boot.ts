import { Failure } from '@sallyport/model';
import { bootloaderProblem, type FirmwareManifest } from '@sallyport/trust/firmware';
import type { BootReason, BootReport, BootStage, BootStep } from './boot-report.ts';
import { type BootState, readBootState, writeBootState } from './boot-state.ts';
import { readConfiguration } from './configuration.ts';
import type { Flash } from './flash.ts';
import { type Rom, raiseCounter, readRom } from './rom.ts';
import { otherSlot, type Slot } from './slot.ts';
import { verifySlot } from './verify-slot.ts';

export interface BootOptions {
  readonly flash: Flash;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told each link as it is tried. */
  readonly onStep?: (step: BootStep) => void;
}

const BOOTLOADER_IMAGE = 'bootloader/bootloader.bin';
const BOOTLOADER_STATEMENT = 'bootloader/bootloader.json';

/**
 * Starts the device along its chain: ROM, bootloader, image, configuration; each verifies the next and stops where it does not hold. An image
 * on trial that does not verify, or has used up its tries, gives way to the one before.
 *
 * @throws Failure `key_material_invalid` if the device was never made
 */
export function boot({ flash, now, onStep = () => {} }: BootOptions): BootReport {
  const rom = demandRom(flash);
  const steps: BootStep[] = [];
  const step = (one: BootStep): BootStep => {
    steps.push(one);
    onStep(one);
    return one;
  };
  const at = new Date(now()).toISOString();
  const stopped = ({ stage, reason, text }: BootStep): BootReport => ({
    outcome: 'stopped',
    at,
    trial: false,
    stage,
    text,
    ...(reason === undefined ? {} : { reason }),
    steps,
  });

  const bootloader = step(checkBootloader(flash, rom));
  if (!bootloader.held) return stopped(bootloader);

  let fault: BootStep | undefined;
  const state = readBootState(flash);
  const trial = state?.trial;
  if (state && trial && trial.tries <= 0) {
    fault = step(
      broken(
        'image',
        'health_check_failed',
        `The image on trial in slot ${trial.slot} never proved itself.`,
        trial.slot,
      ),
    );
    writeBootState(flash, { active: state.active });
  }
  for (const slot of candidates(flash, rom, state, now())) {
    const onTrial = trial !== undefined && trial.tries > 0 && slot === trial.slot;
    // Counted before it starts: a start that never comes back has used up a try as well.
    if (state && onTrial) writeBootState(flash, { ...state, trial: { slot, tries: trial.tries - 1 } });
    const verified = verifySlot(flash, rom, slot, now());
    if (!verified.ok) {
      const one = step(broken('image', verified.reason, verified.text, slot));
      // An empty slot says less than whatever lies in the other; that the spare slot is empty is no fault at all.
      if (verified.reason !== 'missing') fault = fault === undefined || fault.reason === 'missing' ? one : fault;
      else if (slot === state?.active) fault ??= one;
      if (state && onTrial) writeBootState(flash, { active: state.active });
      continue;
    }
    const { manifest } = verified;
    step({ stage: 'image', slot, held: true, text: `Slot ${slot} holds the signed image ${manifest.version}.` });
    if (!onTrial) settle(flash, rom, slot, manifest, state);
    return finish({ flash, rom, slot, manifest, onTrial, fault, steps, step, at, stopped });
  }
  return stopped(fault ?? broken('image', 'missing', 'No slot holds an image.'));
}

/** The image has proven itself: from now on it is the one that runs, and nothing below its minimum starts again. */
export function confirmBoot(flash: Flash, { slot }: Pick<BootReport, 'slot'>, manifest: FirmwareManifest): void {
  const rom = demandRom(flash);
  const state = readBootState(flash);
  if (slot === undefined || (state?.trial && state.trial.slot !== slot)) return;
  // First the switch, then the counter: in the other order a power cut between them would leave no image that may start.
  writeBootState(flash, { active: slot });
  raiseCounter(flash, rom, manifest.minimumSequence);
}

/** Puts the next start on trial with the image in the other slot. */
export function tryNext(flash: Flash, slot: Slot, tries: number): void {
  const active = readBootState(flash)?.active ?? otherSlot(slot);
  writeBootState(flash, { active, trial: { slot, tries } });
}

function finish({
  flash,
  rom,
  slot,
  manifest,
  onTrial,
  fault,
  steps,
  step,
  at,
  stopped,
}: {
  readonly flash: Flash;
  readonly rom: Rom;
  readonly slot: Slot;
  readonly manifest: FirmwareManifest;
  readonly onTrial: boolean;
  readonly fault: BootStep | undefined;
  readonly steps: readonly BootStep[];
  readonly step: (one: BootStep) => BootStep;
  readonly at: string;
  readonly stopped: (one: BootStep) => BootReport;
}): BootReport {
  const configuration = readConfiguration(flash, rom);
  if (!configuration.ok) return stopped(step(broken('configuration', configuration.reason, configuration.text)));
  step({ stage: 'configuration', held: true, text: 'The configuration was written by this device.' });
  return {
    outcome: fault ? 'rolled-back' : 'booted',
    at,
    slot,
    version: manifest.version,
    sequence: manifest.sequence,
    trial: onTrial,
    ...(fault && { stage: fault.stage, text: fault.text, ...(fault.reason && { reason: fault.reason }) }),
    steps,
  };
}

function checkBootloader(flash: Flash, rom: Rom): BootStep {
  const image = flash.read(BOOTLOADER_IMAGE);
  const statement = flash.read(BOOTLOADER_STATEMENT);
  if (!image || !statement) return broken('bootloader', 'missing', 'The device has no bootloader.');
  const problem = bootloaderProblem(rom.root.roles.root, statement, image);
  if (problem) return broken('bootloader', problem.reason, problem.text);
  return { stage: 'bootloader', held: true, text: 'The bootloader is signed by the root keys in the ROM.' };
}

/** The slots in the order in which they are to be tried. */
function candidates(flash: Flash, rom: Rom, state: BootState | undefined, now: number): readonly Slot[] {
  if (state?.trial && state.trial.tries > 0) return [state.trial.slot, otherSlot(state.trial.slot)];
  if (state) return [state.active, otherSlot(state.active)];
  const sequence = (slot: Slot) => {
    const verified = verifySlot(flash, rom, slot, now);
    return verified.ok ? verified.manifest.sequence : -1;
  };
  return sequence('b') > sequence('a') ? ['b', 'a'] : ['a', 'b'];
}

/** What runs without being on trial is the active one; what a power cut kept from being written down is written now. */
function settle(flash: Flash, rom: Rom, slot: Slot, manifest: FirmwareManifest, state: BootState | undefined): void {
  if (state?.active !== slot) writeBootState(flash, { active: slot });
  else raiseCounter(flash, rom, manifest.minimumSequence);
}

function broken(stage: BootStage, reason: BootReason, text: string, slot?: Slot): BootStep {
  return { stage, held: false, reason, text, ...(slot === undefined ? {} : { slot }) };
}

function demandRom(flash: Flash): Rom {
  const rom = readRom(flash);
  if (rom) return rom;
  throw new Failure('key_material_invalid', 'The device was never made: it has no ROM.', {
    cure: 'Make it first (`makeDevice`).',
  });
}
