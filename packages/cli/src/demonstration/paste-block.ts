import { join } from 'node:path';
import { shellWord } from './shell-word.ts';

/** What the lines to paste speak of. None of these clients is used by the demonstration, so that pasting takes nothing over. */
export interface PasteBlock {
  /** As it is to be written in the lines: relative to the folder where they are pasted, or absolute. */
  readonly dataDirectory: string;
  readonly host: string;
  readonly mqttPort: number;
  readonly httpPort: number;
  readonly organisation: string;
  readonly device: { readonly type: string; readonly id: string };
  /** The device of the demonstration, which answers commands. */
  readonly simulated: { readonly type: string; readonly id: string };
  readonly listener: { readonly id: string; readonly key: string };
  readonly script: { readonly id: string; readonly key: string };
  /** A ticket of a refusal that was just shown. */
  readonly ticket: string;
  /** The data directory is not where the command would look by itself. */
  readonly nameDataDirectory: boolean;
}

/** Lines for a POSIX shell; each block works by itself as printed. */
export function pasteBlock(block: PasteBlock): string {
  const { dataDirectory, host, mqttPort, httpPort, organisation, device, simulated, listener, script } = block;
  const file = (...parts: string[]) => join(dataDirectory, ...parts);
  const secret = (path: string) => `"$(cat ${shellWord(path)})"`;
  const token = (id: string) => secret(file('demo', `${id}.token`));
  const mosquitto = `--cafile ${shellWord(file('pki', 'root.pem'))} -h ${host} -p ${mqttPort}`;
  const explain = block.nameDataDirectory ? ` --data-dir ${shellWord(dataDirectory)}` : '';
  return `# 1. Watch every event of the organisation (stays open; use a second terminal for the rest)
mosquitto_sub ${mosquitto} -i a:${organisation}:${listener.id} \\
  -u ${listener.key} -P ${token(listener.id)} -v -t 'iot-2/type/+/id/+/evt/+/fmt/+'

# 2. Send an event as the device ${device.id}
mosquitto_pub ${mosquitto} -i d:${organisation}:${device.type}:${device.id} \\
  -u use-token-auth -P ${token(device.id)} -q 1 -t iot-2/evt/status/fmt/json -m '{"temperature":21}'

# 3. Send a command to ${simulated.id} from Node; it is shown here when it arrives
node --input-type=module <<'END'
import { readFileSync } from 'node:fs';
import mqtt from 'mqtt';
const client = await mqtt.connectAsync('mqtts://${host}:${mqttPort}', {
  ca: readFileSync(${JSON.stringify(file('pki', 'root.pem'))}),
  clientId: 'a:${organisation}:${script.id}',
  username: '${script.key}',
  password: readFileSync(${JSON.stringify(file('demo', `${script.id}.token`))}, 'utf8'),
  protocolVersion: 5,
});
await client.publishAsync('iot-2/type/${simulated.type}/id/${simulated.id}/cmd/blink/fmt/json', '{"times":3}', { qos: 1 });
console.log('the command is on its way');
await client.endAsync();
END

# 4. Ask the API
curl --cacert ${shellWord(file('pki', 'root.pem'))} -H "Authorization: Bearer $(cat ${shellWord(file('operator.token'))})" \\
  https://${host}:${httpPort}/api/v1/organisations/${organisation}/devices

# 5. Ask why a refusal above happened
npx sallyport explain ${block.ticket}${explain}`;
}
