/** The kinds of picture that are kept. */
export type PhotoType = 'image/jpeg' | 'image/png';

/** A picture as a camera gives it. */
export interface Photo {
  bytes: Buffer;
  type: PhotoType;
}

const beginnings: readonly { type: PhotoType; bytes: Buffer }[] = [
  { type: 'image/jpeg', bytes: Buffer.from([0xff, 0xd8, 0xff]) },
  { type: 'image/png', bytes: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) },
];

/** What kind of picture begins with these bytes; undefined: none that is kept. Whatever sent them may call them anything. */
export function photoTypeOf(content: Buffer): PhotoType | undefined {
  return beginnings.find(({ bytes }) => content.subarray(0, bytes.length).equals(bytes))?.type;
}
