/** An OPC UA server in a process of its own, to be killed, stopped and full. */
import { serve } from './helper.js';
import { raise } from './opcua-equipment.js';
import { UaServer, type UaServerOptions } from './opcua-server.js';

// The package prints; standard output is for answers.
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = (text) => (String(text).startsWith('{') ? write(text) : true);

/** The server's clock, apart from the real one by so many milliseconds. */
let shift = 0;
const RealDate = Date;
globalThis.Date = new Proxy(RealDate, {
  construct: (_, args: readonly unknown[]) =>
    args.length > 0 ? new RealDate(...(args as [])) : new RealDate(RealDate.now() + shift),
  get: (date, key) =>
    key === 'now' ? () => RealDate.now() + shift : (Reflect.get(date, key) as unknown),
});

const options = JSON.parse(process.argv[2] ?? '{}') as UaServerOptions;
const server = await UaServer.start(options);

serve(
  { port: options.port },
  {
    count: (everyMs) => server.count(Number(everyMs)),
    counted: () => server.counted,
    set: (name, value, status) => server.set(String(name), value, status as string | undefined),
    value: (name) => server.value(String(name)),
    load: () => ({ sessions: server.sessions, subscriptions: server.subscriptions }),
    dropSessions: () => server.dropSessions(),
    dropSubscriptions: () => server.dropSubscriptions(),
    stepClock: (ms) => {
      shift += Number(ms);
    },
    raise: (severity, text) => raise(server.server, Number(severity), String(text)),
    calls: () => server.calls,
    stop: () => server.stop(),
  },
);
