/** What a datagram-sender and a datagram-sink agree upon: number u32 || ms of the monotonic clock, in ns, u64 || anything. */

/** Numbers of datagrams that do not count: before the stream, and after it. */
export const [WARM_UP, END] = [0xffff_fffe, 0xffff_ffff] as const;

export function writeStamp(datagram: Buffer, number: number): Buffer {
  datagram.writeUInt32BE(number);
  datagram.writeBigUInt64BE(process.hrtime.bigint(), 4);
  return datagram;
}
