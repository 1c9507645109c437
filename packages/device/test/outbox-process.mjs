import { Outbox } from '@sallyport/device';

const outbox = await Outbox.open({ file: process.argv[2] });
for (let n = 1; ; n++) {
  await outbox.queueEvent('count', n);
  process.send(n);
}
