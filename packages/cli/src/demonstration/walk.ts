import { type Application, connectApplication } from '@sallyport/application';
import { type Command, connectDevice, type Device, Link, RefusedByServer } from '@sallyport/device';
import { clientIdOf, type Refusal } from '@sallyport/model';
import { refusalText } from '../explanation-text.ts';

/** Who walks, and where. */
export interface WalkOptions {
  readonly host: string;
  readonly mqttPort: number;
  /** Root certificate, PEM or path. */
  readonly ca: string;
  readonly organisation: string;
  readonly device: { readonly type: string; readonly id: string; readonly token: string };
  /** A second device, which will speak in the name of the first. */
  readonly other: { readonly type: string; readonly id: string; readonly token: string };
  readonly application: { readonly id: string; readonly key: string; readonly token: string };
  /** A token that was never issued. */
  readonly wrongToken: string;
  /** Asks the server for the explanation of a refusal. */
  readonly explain: (ticket: string) => Promise<Refusal>;
  readonly say: (line: string) => void;
  /** Milliseconds that a message may take; 10,000 by default. */
  readonly patience?: number;
}

/** How the walk went. The clients stay connected; close them. */
export interface WalkResult {
  readonly held: boolean;
  /** Tickets of the refusals that were provoked. */
  readonly tickets: readonly string[];
  readonly device: Device;
  readonly application: Application;
}

/** Shows the platform at work with real clients: what must pass passes, what must not is refused and explained. */
export async function walk(options: WalkOptions): Promise<WalkResult> {
  const { organisation, device: me, other, application: desk, say, patience = 10_000 } = options;
  const server = { host: options.host, port: options.mqttPort, ca: options.ca, organisation };
  const tickets: string[] = [];
  let held = true;

  const expectation = async (title: string, passes: () => Promise<void>): Promise<void> => {
    say(`\n${title}`);
    try {
      await passes();
    } catch (error) {
      held = false;
      say(`  ✗ This did not hold: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const refused = (title: string, attempt: () => Promise<unknown>): Promise<void> =>
    expectation(title, async () => {
      const refusal = await attempt().then(
        () => undefined,
        (error: unknown) => error,
      );
      if (!(refusal instanceof RefusedByServer)) {
        throw refusal instanceof Error ? refusal : new Error('The server let it pass.');
      }
      say(`  ✓ Refused, as it must be: ${refusal.message}`);
      if (refusal.ticket === undefined) throw new Error('The refusal came without a ticket.');
      tickets.push(refusal.ticket);
      say(indented(refusalText(await options.explain(refusal.ticket))));
    });

  say(`\nA device and an application come in over TLS`);
  const device = await connectDevice({ ...server, ...me });
  say(`  ✓ ${device.clientId} proved who it is with its token`);
  const application = await connectApplication({ ...server, ...desk });
  say(`  ✓ ${application.clientId} proved who it is with its key and token`);

  await expectation('An event goes from the device to the application', async () => {
    const reading = { acceleration: 0.42, motion: 'moving', at: new Date().toISOString() };
    const arrived = expected<string>(patience, 'The event did not arrive.');
    await application.subscribeEvents({ type: me.type, device: me.id, event: 'greeting' }, (event) =>
      arrived.resolve(JSON.stringify(event.payload)),
    );
    await device.publishEvent('greeting', reading);
    const seen = await arrived.promise;
    if (seen !== JSON.stringify(reading)) throw new Error(`Something else arrived: ${seen}`);
    say(`  ✓ ${me.id} said, and ${desk.id} heard: greeting ${seen}`);
  });

  await expectation('A command goes back from the application to the device', async () => {
    const arrived = expected<Command>(patience, 'The command did not arrive.');
    await device.onCommand('set-interval', (command) => arrived.resolve(command));
    await application.sendCommand(me, 'set-interval', { seconds: 5 });
    const command = await arrived.promise;
    say(`  ✓ ${desk.id} asked, and ${me.id} heard: ${command.name} ${JSON.stringify(command.payload)}`);
  });

  await refused('Somebody comes with a wrong token for the same device', () =>
    connectDevice({ ...server, ...me, token: options.wrongToken }).then((impostor) => impostor.close()),
  );

  await refused(`The device ${other.id} speaks in the name of ${me.id}`, async () => {
    // The SDK cannot even say this; a stranger's program can.
    const link = await Link.open(server, {
      clientId: clientIdOf({ kind: 'device', organisation, type: other.type, id: other.id }),
      username: 'use-token-auth',
      password: other.token,
    });
    const topic = `iot-2/type/${me.type}/id/${me.id}/evt/greeting/fmt/json`;
    await link.publish(topic, new TextEncoder().encode('{}'), 1).finally(() => link.close());
  });

  await refused('The application asks for everything there is (#)', () => application.subscribe('#', () => {}));

  return { held, tickets, device, application };
}

function expected<T>(patience: number, otherwise: string) {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((fulfil, reject) => {
    const timer = setTimeout(() => reject(new Error(otherwise)), patience);
    resolve = (value) => {
      clearTimeout(timer);
      fulfil(value);
    };
  });
  // A failure before it is awaited is reported by the step that failed, not by the process.
  promise.catch(() => {});
  return { promise, resolve: (value: T) => resolve(value) };
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : `    ${line}`))
    .join('\n');
}
