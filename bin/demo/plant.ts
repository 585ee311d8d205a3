import { createServer, type AddressInfo, type Server } from 'node:net';
import { ServerTCP } from 'modbus-serial';

/**
 * A simulated pumping station behind real Modbus TCP: pump P101 with its converter, flow meter FT101,
 * suction level LT100, a push-button, and an energy meter on a port of its own. The servers are the ones
 * of the `modbus-serial` package: nothing that the gateway's own client shares.
 */
export class Plant {
  /** Suction valve HV100 open? Closed, the pump runs dry. */
  suctionOpen = true;
  /** Does the push-button HS101 stand pressed? */
  resetPressed = false;
  /** Does the contactor follow the command? A welded one does not. */
  obeys = true;
  runCommand = true;
  running = true;
  flow = 42;
  level = 64;
  speed = 45;
  speedSetpoint = 45;
  current = 26;
  power = 14;
  totalLitres = 1_234_567_890n;
  energyWh = 98_765_432n;
  seconds = 0;

  /** Advances the physics by `dt` seconds. */
  step(dt: number): void {
    this.seconds += dt;
    // The contactor follows the command; the converter ramps at 15 Hz/s.
    if (this.obeys) this.running = this.runCommand;
    const wantedSpeed = this.running ? this.speedSetpoint : 0;
    this.speed += clamp(wantedSpeed - this.speed, -15 * dt, 15 * dt);
    const full = (this.speed / 50) * 48;
    const wantedFlow = this.suctionOpen ? full : full * 0.03;
    this.flow += (wantedFlow - this.flow) * Math.min(1, dt / 0.8);
    const load = this.suctionOpen ? 1 : 0.55;
    this.current =
      this.speed < 1 ? 0 : (4 + (this.speed / 50) ** 2 * 27 * load) * this.#ripple(0.01, 1.7);
    this.power = this.speed < 1 ? 0.1 : this.current * 0.53;
    this.level = 60 + 8 * Math.sin(this.seconds / 20);
    this.totalLitres += BigInt(Math.round((Math.max(0, this.flow) / 3.6) * dt));
    this.energyWh += BigInt(Math.round((this.power * 1000 * dt) / 3600));
  }

  #ripple(share: number, frequency: number): number {
    return 1 + share * Math.sin(this.seconds * frequency * 2 * Math.PI);
  }

  /** Registers of unit 3 (pump), 7 (flow meter), 8 (level). */
  readonly station = {
    getCoil: (address: number): boolean => this.#only(address, 0, this.runCommand),
    setCoil: (address: number, value: boolean): void => {
      this.#only(address, 0, true);
      this.runCommand = value;
    },
    getDiscreteInput: (address: number): boolean => {
      if (address === 8) return this.resetPressed;
      return this.#only(address, 0, this.running);
    },
    getInputRegister: (address: number, unit: number): number => {
      if (unit === 8) return this.#only(address, 0, Math.round(this.level * 10));
      throw refused();
    },
    getHoldingRegister: (address: number, unit: number): number => {
      if (unit === 3) return this.#pump(address);
      if (unit === 7) return this.#flowMeter(address);
      throw refused();
    },
    setRegister: (address: number, value: number, unit: number): void => {
      if (unit !== 3 || address !== 2) throw refused();
      this.speedSetpoint = value / 100;
    },
  };

  /** Registers of the energy meter, unit 1. */
  readonly metering = {
    getInputRegister: (address: number): number => {
      const voltage = 400 * this.#ripple(0.002, 0.1);
      if (address < 2) return float32(this.power)[address] ?? 0;
      if (address < 4) return float32(voltage)[address - 2] ?? 0;
      if (address < 8) return word64(this.energyWh, address - 4);
      throw refused();
    },
  };

  #pump(address: number): number {
    const registers = [this.current * 10, this.speed * 100, this.speedSetpoint * 100];
    return Math.round(registers[address] ?? refusedValue());
  }

  /** Float32 with swapped words, as many meters have it. */
  #flowMeter(address: number): number {
    if (address === 100) return float32(Math.max(0, this.flow))[1];
    if (address === 101) return float32(Math.max(0, this.flow))[0];
    if (address >= 102 && address < 106) return word64(this.totalLitres, address - 102);
    if (address === 110) return 0b1000;
    if (address === 121) return 1;
    if (address > 101 && address < 121) return 0;
    throw refused();
  }

  #only<T>(address: number, wanted: number, value: T): T {
    if (address !== wanted && address > 8) throw refused();
    return value;
  }
}

/** Running servers of a plant. */
export interface PlantServers {
  readonly stationPort: number;
  readonly meteringPort: number;
  /** Connections that the station, and the meter, have accepted so far. */
  accepted: () => number;
  meteringAccepted: () => number;
  /** Takes the station off the network, or puts it back on the same port. */
  setStation: (on: boolean) => Promise<void>;
  close: () => Promise<void>;
}

/** Serves the plant on loopback; a port of 0 takes any free one. */
export async function servePlant(
  plant: Plant,
  stationPort = 0,
  meteringPort = 0,
): Promise<PlantServers> {
  const ports = [await freePort(stationPort), await freePort(meteringPort)] as const;
  const accepted = { station: 0, metering: 0 };
  const start = (): Promise<ServerTCP> => serve(plant.station, ports[0], () => accepted.station++);
  let station: ServerTCP | undefined = await start();
  const metering = await serve(plant.metering, ports[1], () => accepted.metering++);
  const timer = setInterval(() => plant.step(0.1), 100);
  return {
    stationPort: ports[0],
    meteringPort: ports[1],
    accepted: () => accepted.station,
    meteringAccepted: () => accepted.metering,
    setStation: async (on) => {
      if (on) station ??= await start();
      else if (station) {
        await closeServer(station);
        station = undefined;
      }
    },
    close: async () => {
      clearInterval(timer);
      if (station) await closeServer(station);
      await closeServer(metering);
    },
  };
}

type Vector = ConstructorParameters<typeof ServerTCP>[0];

function serve(vector: Vector, port: number, onConnection: () => void): Promise<ServerTCP> {
  return new Promise((resolve, reject) => {
    const server = new ServerTCP(vector, { host: '127.0.0.1', port, unitID: 255 });
    // The package hides its listener; the sockets that it accepts are all that counts here.
    (server as unknown as { _server: Server })._server.on('connection', onConnection);
    server.once('initialized', () => resolve(server));
    server.once('serverError', reject);
    server.on('socketError', () => undefined);
  });
}

function closeServer(server: ServerTCP): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** The port if it is free, else any. */
function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => {
      if (wanted === 0) reject(error);
      else resolve(freePort(0));
    });
    probe.listen(wanted, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

/** The error object by which a server of `modbus-serial` answers with an exception. */
function refused(): Error {
  return Object.assign(new Error('illegal data address'), { modbusErrorCode: 2 });
}
function refusedValue(): never {
  throw refused();
}

/** High and low word of a 32-bit float. */
function float32(value: number): [number, number] {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return [view.getUint16(0), view.getUint16(2)];
}

function word64(value: bigint, word: number): number {
  return Number((value >> BigInt(48 - 16 * word)) & 0xffffn);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
