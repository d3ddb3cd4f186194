/** print_error by what caused it (protocol notes, section 3.3). */
const CODES: Readonly<Record<string, number>> = {
  client: 0x0300400c,
  screen: 0x0300400c,
  bad_path: 0x05004002,
  unreadable_file: 0x05004003,
  busy: 0x05004004,
  wrong_model: 0x05004037,
  wrong_nozzle: 0x05004038,
  file_gone: 0x05008013,
  plate_type: 0x05008051,
  mapping: 0x07008012,
  runout: 0x07008011,
  fault: 0x03008003,
  not_developer_mode: 0x05024007,
};

export function errorCode(cause: string): number {
  return CODES[cause] ?? CODES.fault ?? 0;
}
