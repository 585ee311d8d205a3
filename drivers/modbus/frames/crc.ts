/** CRC-16/MODBUS (polynomial 0xA001 reflected, initial value 0xFFFF), by table. */
const table = Uint16Array.from({ length: 256 }, (_, i) => {
  let crc = i;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  return crc;
});

/** Of `bytes` from `from` up to, not including, `end`; 0 over a frame with its CRC that is whole. */
export function crc16(bytes: Uint8Array, from: number, end: number): number {
  let crc = 0xffff;
  for (let i = from; i < end; i++)
    crc = (crc >>> 8) ^ (table[(crc ^ (bytes[i] as number)) & 0xff] as number);
  return crc;
}

/** The check of Modbus ASCII: the two's complement of the sum of the bytes. */
export function lrc(bytes: Uint8Array, from: number, end: number): number {
  let sum = 0;
  for (let i = from; i < end; i++) sum += bytes[i] as number;
  return -sum & 0xff;
}
