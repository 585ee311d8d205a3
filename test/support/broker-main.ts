/**
 * A broker in a process of its own, so that it can be killed. Two doors: the consumer's is always open, the
 * gateway's opens on command: when the consumer has subscribed again. (A broker that nobody listens to
 * acknowledges and forgets.)
 */
import { startBroker } from '../../bin/demo/broker.js';
import { serve } from './helper.js';
import { Relay } from './relay.js';

const [consumerPort = 0, gatewayPort = 0] = process.argv.slice(2).map(Number);
const broker = await startBroker(consumerPort);
const door = new Relay(broker.port);

serve(
  { consumerPort: broker.port },
  {
    open: () => door.open(gatewayPort),
    close: () => door.close(),
    taken: () => broker.taken(),
  },
);
