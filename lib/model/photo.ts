/** The supported kinds of photo. */
export type PhotoType = 'image/jpeg' | 'image/png';

/** A photo as a camera returns it. */
export interface Photo {
  bytes: Buffer;
  type: PhotoType;
}

const beginnings: readonly { type: PhotoType; bytes: Buffer }[] = [
  { type: 'image/jpeg', bytes: Buffer.from([0xff, 0xd8, 0xff]) },
  { type: 'image/png', bytes: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) },
];

/** Returns the kind of photo by its first bytes, because the declared type may be wrong; undefined: not supported. */
export function photoTypeOf(content: Buffer): PhotoType | undefined {
  return beginnings.find(({ bytes }) => content.subarray(0, bytes.length).equals(bytes))?.type;
}
