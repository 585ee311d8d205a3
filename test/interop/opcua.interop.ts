/** The whole gateway against a server of the `node-opcua` package in another process. */
import { Helper } from '../support/helper.js';
import { faultsOf } from './opcua-faults.js';

faultsOf('node-opcua', {
  path: '/line',
  lacks: [],
  start: (t, options) => Helper.start(t, 'opcua', [JSON.stringify(options)]),
});
