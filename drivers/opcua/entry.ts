import type { CreateIsolated, IsolatedContext } from '../../gateway/contract/index.js';
import { remembered } from '../lib/remembered.js';
import type { OpcuaAddress } from './address.js';
import type { UaSession } from './client.js';
import type { OpcuaConfig } from './config.js';
import { connect } from './connection.js';
import { OpcuaDriver, type Connect } from './driver.js';
import { LibrarySession } from './library.js';
import { keepValid, pkiOf } from './pki.js';
import { RequestSizes, type Service } from './sizes.js';

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
