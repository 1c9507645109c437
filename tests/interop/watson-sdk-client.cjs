// Runs an unmodified Watson IoT client library in a process of its own, because it finds the server by name and trusts by environment.
// argv: library, role, JSON options. Prints one JSON line per happening; commands come as JSON lines on standard input.
const dns = require('node:dns');

const [library, role, json] = process.argv.slice(2);
const options = JSON.parse(json);
const lookup = dns.lookup;
dns.lookup = (host, ...rest) =>
  host.endsWith('.wiot.test') ? lookup(options.address, ...rest) : lookup(host, ...rest);

const say = (happening) => process.stdout.write(`${JSON.stringify(happening)}\n`);
const { organisation, type, id, token, key } = options;

function modern() {
  const { DeviceClient, DeviceConfig, ApplicationClient, ApplicationConfig } = require('@wiotp/sdk');
  const connection = { domain: 'wiot.test', mqtt: { port: 8883, transport: 'tcp' } };
  const client =
    role === 'device'
      ? new DeviceClient(new DeviceConfig({ orgId: organisation, typeId: type, deviceId: id }, { token }, connection))
      : new ApplicationClient(new ApplicationConfig({ appId: id }, { key, token }, connection));
  return client;
}

function old() {
  const { IotfDevice, IotfApplication } = require('ibmiotf');
  const server = { 'mqtt-server': `${organisation}.messaging.wiot.test`, domain: 'wiot.test' };
  return role === 'device'
    ? new IotfDevice({ org: organisation, type, id, 'auth-method': 'token', 'auth-token': token, ...server })
    : new IotfApplication({ org: organisation, id, 'auth-key': key, 'auth-token': token, ...server });
}

const client = library === 'ibmiotf' ? old() : modern();
client.on('connect', () => say({ happened: 'connect' }));
client.on('error', (error) => say({ happened: 'error', text: String(error?.message ?? error) }));
// The older library calls it `disconnect`.
client.on('disconnect', () => say({ happened: 'close' }));
client.on('close', () => say({ happened: 'close' }));
client.on('reconnect', () => say({ happened: 'reconnect' }));
client.on('command', (name, format, payload) => say({ happened: 'command', name, format, payload: String(payload) }));
client.on('deviceEvent', (deviceType, deviceId, name, format, payload) =>
  say({ happened: 'event', deviceType, deviceId, name, format, payload: String(payload) }),
);
client.connect();

const does = {
  event: ({ name, payload }) =>
    library === 'ibmiotf'
      ? client.publish(name, 'json', JSON.stringify(payload), 1)
      : client.publishEvent(name, 'json', JSON.stringify(payload), 1),
  subscribe: () =>
    library === 'ibmiotf' ? client.subscribeToDeviceEvents() : client.subscribeToEvents('+', '+', '+', '+', 1),
  command: ({ type, id, name, payload }) =>
    library === 'ibmiotf'
      ? client.publishDeviceCommand(type, id, name, 'json', JSON.stringify(payload), 1)
      : client.publishCommand(type, id, name, 'json', JSON.stringify(payload), 1),
  stop: () => {
    client.disconnect();
    setTimeout(() => process.exit(0), 50);
  },
};
require('node:readline')
  .createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { do: what, ...rest } = JSON.parse(line);
    try {
      does[what](rest);
      say({ happened: 'did', what });
    } catch (error) {
      say({ happened: 'threw', what, text: String(error) });
    }
  })
  .on('close', () => process.exit(0));
