/**
 * Clocks of meters and relays. The device says nothing of its zone: as text they are given without one
 * (`2026-11-24T20:51:07.250`), as number they are seconds since 1970 if its clock shows UTC.
 */
import type { Value } from '../../../gateway/contract/index.js';
import type { Format } from './formats.js';

interface Moment {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  /** With its fraction. */
  readonly second: number;
}

type Reader = (bytes: Uint8Array) => Moment | undefined;
type ClockName = 'clock-registers' | 'clock-bcd' | 'clock-iec870' | 'clock-cp56';

const readers: Readonly<Record<ClockName, readonly [registers: number, read: Reader]>> = {
  'clock-registers': [6, fromRegisters],
  'clock-bcd': [3, fromBcd],
  'clock-iec870': [4, fromIec870],
  'clock-cp56': [4, fromCp56],
};

export function clockFormats(name: ClockName, asText: boolean): Format {
  const [registers, read] = readers[name];
  return {
    name,
    registers,
    decode(bytes) {
      const moment = read(bytes);
      return moment && valueOf(moment, asText);
    },
  };
}

function valueOf(m: Moment, asText: boolean): Value | undefined {
  const isReal =
    m.year >= 1970 &&
    m.year < 10_000 &&
    m.month >= 1 &&
    m.month <= 12 &&
    m.day >= 1 &&
    m.day <= daysOf(m.year, m.month) &&
    m.hour < 24 &&
    m.minute < 60 &&
    m.second < 61;
  if (!isReal) return undefined;
  return asText ? text(m) : secondsSince1970(m);
}

/** Counts days from 1 March of year 0, so that the leap day is the last of its year. */
function secondsSince1970(m: Moment): number {
  const year = m.month > 2 ? m.year : m.year - 1;
  const dayOfYear = Math.floor((153 * ((m.month + 9) % 12) + 2) / 5) + m.day - 1;
  const leapDays = Math.floor(year / 4) - Math.floor(year / 100) + Math.floor(year / 400);
  const days = year * 365 + leapDays + dayOfYear - 719_468;
  return days * 86_400 + m.hour * 3_600 + m.minute * 60 + m.second;
}

function daysOf(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function text(m: Moment): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const whole = Math.floor(m.second);
  const thousandths = Math.round((m.second - whole) * 1_000);
  const fraction = thousandths === 0 ? '' : `.${String(thousandths).padStart(3, '0')}`;
  return `${String(m.year)}-${two(m.month)}-${two(m.day)}T${two(m.hour)}:${two(m.minute)}:${two(whole)}${fraction}`;
}

function word(bytes: Uint8Array, register: number): number {
  return ((bytes[register * 2] as number) << 8) | (bytes[register * 2 + 1] as number);
}

/** Years of two digits are of this century. */
function century(year: number): number {
  return year < 100 ? 2_000 + year : year;
}

/** Six registers: year, month, day, hour, minute, second. */
function fromRegisters(bytes: Uint8Array): Moment {
  return {
    year: century(word(bytes, 0)),
    month: word(bytes, 1),
    day: word(bytes, 2),
    hour: word(bytes, 3),
    minute: word(bytes, 4),
    second: word(bytes, 5),
  };
}

/** Three registers with two decimal digits a byte: YYMM DDhh mmss. */
function fromBcd(bytes: Uint8Array): Moment | undefined {
  const digits = Array.from(bytes, (byte) =>
    byte >> 4 > 9 || (byte & 15) > 9 ? NaN : (byte >> 4) * 10 + (byte & 15),
  );
  const [year = NaN, month = NaN, day = NaN, hour = NaN, minute = NaN, second = NaN] = digits;
  if (digits.some((n) => Number.isNaN(n))) return undefined;
  return { year: 2_000 + year, month, day, hour, minute, second };
}

/**
 * Four registers after IEC 60870-5-4, as Schneider's meters have them (PowerLogic PM5500 register list,
 * type DATETIME): year, month and day, hour and minute, milliseconds. Other bits are flags.
 */
function fromIec870(bytes: Uint8Array): Moment {
  const [date, time] = [word(bytes, 1), word(bytes, 2)];
  return {
    year: 2_000 + (word(bytes, 0) & 0x7f),
    month: (date >> 8) & 0x0f,
    day: date & 0x1f,
    hour: (time >> 8) & 0x1f,
    minute: time & 0x3f,
    second: word(bytes, 3) / 1_000,
  };
}

/** CP56Time2a of IEC 60870-5-101, seven bytes, the least significant first; the eighth is not used. */
function fromCp56(bytes: Uint8Array): Moment {
  const at = (i: number): number => bytes[i] as number;
  return {
    year: 2_000 + (at(6) & 0x7f),
    month: at(5) & 0x0f,
    day: at(4) & 0x1f,
    hour: at(3) & 0x1f,
    minute: at(2) & 0x3f,
    second: (at(0) | (at(1) << 8)) / 1_000,
  };
}
