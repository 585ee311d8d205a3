import type { CreateIsolated, IsolatedContext } from '../../gateway/contract/index.js';
import { remembered } from '../lib/remembered.js';
import type { OpcuaAddress } from './plan/address.js';
import type { UaSession } from './service/client.js';
import type { OpcuaConfig } from './plan/config.js';
import { connect } from './library/connection.js';
import { OpcuaDriver, type Connect } from './driver.js';
import { LibrarySession } from './library/session.js';
import { keepValid, pkiOf } from './security/pki.js';
import { RequestSizes, type Service } from './library/sizes.js';

/** Certificates of OPC UA, below the folder of the gateway's data. */
export const pkiFolder = 'pki';

/** Loaded in the driver's thread; see `isolated` in index.ts. */
export const create: CreateIsolated<OpcuaConfig, OpcuaAddress> = (config, context) =>
  new OpcuaDriver(config, context, connector(config, context));

function connector(
  config: OpcuaConfig,
  { folder, hostname, log, today, expires, memory }: IsolatedContext,
): Connect {
  return async (url: string, earlier: UaSession | undefined, signal: AbortSignal) => {
    const pki = await pkiOf(`${folder}/${pkiFolder}`, hostname, today());
    await keepValid(pki, today(), log);
    const known = earlier instanceof LibrarySession ? earlier : undefined;
    const sizes = sizesOf(memory, url);
    return connect(
      { url, config, pki, log, today: today(), expires, earlier: known, sizes },
      signal,
    );
  };
}

/** What was found out of the server at this URL. */
function sizesOf(memory: IsolatedContext['memory'], url: string): RequestSizes {
  return new RequestSizes(
    remembered<Map<Service, number>>(memory, `sizes ${url}`, Map, () => new Map()),
  );
}
