import t from 'tap';
import { Quality } from '../../../gateway/contract/index.js';
import { qualityOf } from '../service/status.js';

const dataValue = 0x0400;
const low = dataValue | 0x0100;
const high = dataValue | 0x0200;
const constant = dataValue | 0x0300;

void t.test('limit bits give the side of a value that is measured, and of no other', (t) => {
  const { aboveRange, belowRange } = Quality;
  const cases: readonly (readonly [name: string, code: number, quality: number])[] = [
    ['Good, no limit', 0x0000_0000, Quality.good],
    ['Good, low', low, belowRange],
    ['Good, high', high, aboveRange],
    ['Good, constant', constant, Quality.good],
    ['bits of another info type', 0x0200, Quality.good],
    ['UncertainSensorNotAccurate, high', 0x4093_0000 | high, aboveRange],
    ['UncertainEngineeringUnitsExceeded, low', 0x4094_0000 | low, belowRange],
    ['Uncertain, high', 0x4000_0000 | high, aboveRange],
    ['UncertainLastUsableValue, high: it is old', 0x4090_0000 | high, Quality.lastKnown],
    ['GoodLocalOverride, high: somebody set it', 0x0096_0000 | high, Quality.forced],
    ['BadSensorFailure, high', 0x808c_0000 | high, Quality.sensorFailure],
    ['BadDeviceFailure, low', 0x808b_0000 | low, Quality.deviceFailure],
    ['Good with overflow, high', 0x0480 | 0x0200, aboveRange],
  ];
  for (const [name, code, quality] of cases) t.equal(qualityOf(code >>> 0), quality, name);
  t.end();
});
