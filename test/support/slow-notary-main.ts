import { begin } from '../../gateway/host/notary-thread.js';
import { SlowFile } from './slow-notary.js';

begin(({ path }) => new SlowFile(path));
