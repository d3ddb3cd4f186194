import { type MakeRow, numberField, optionsOf, textField } from '../make';
import { detectBambu, listenForBambu } from './discovery';
import { createBambuDriver } from './driver';
import { anyBambu, bambuModels, judgeModel, refusedModels } from './models';
import { packForBambu } from './pack';
import { bambuTraits } from './traits';

/** Bambu Lab's printers, in LAN-only and Developer Mode. */
export const bambuMake: MakeRow = {
  make: 'bambu',
  traits: bambuTraits,
  models: bambuModels,
  refused: refusedModels,
  modelNamed(word) {
    const verdict = judgeModel({ token: word });
    if (verdict?.supported) return { token: verdict.model.token };
    return { reason: verdict?.reason ?? `"${word}" is no model.` };
  },
  nodeTypes: [{ type: 'bambu-printer', fallback: anyBambu }],
  fields: [
    { name: 'mqttPort', option: 'mqtt-port', type: 'number' },
    { name: 'ftpsPort', option: 'ftps-port', type: 'number' },
    { name: 'serial', option: 'serial', type: 'text' },
    { name: 'caFile', option: 'ca-file', type: 'text' },
    { name: 'fingerprint', option: 'fingerprint', type: 'text' },
  ],
  secret: { credential: 'accessCode', variable: 'ACCESS_CODE' },
  createDriver: (base, values, accessCode, patienceMs) =>
    createBambuDriver({
      ...base,
      serial: textField(values, 'serial') ?? '',
      accessCode,
      // Silence after the login has its own cause, which must be reported before the time limit ends.
      ...(patienceMs !== undefined && { timing: { firstReportMs: patienceMs * 0.75 } }),
      ...optionsOf(values, numberField, ['mqttPort', 'ftpsPort']),
      ...optionsOf(values, textField, ['caFile', 'fingerprint']),
    }),
  pack: packForBambu,
  discovery: {
    ports: [
      { name: 'ssdp', option: 'ssdp-port', help: 'where Bambu printers announce themselves (default 2021)' },
      { name: 'detect' },
    ],
    search: ({ hosts, ports, signal }) => [
      listenForBambu(ports('ssdp', 2021)[0], signal),
      ...hosts.map((host) => detectBambu(host, ports('detect', 3000)[0], signal)),
    ],
  },
  commandLine: {
    missing(values) {
      if (textField(values, 'serial') === undefined) return 'A Bambu needs its serial number: --serial.';
      const isChecked = textField(values, 'caFile') !== undefined || textField(values, 'fingerprint') !== undefined;
      return isChecked ? undefined : 'Its certificate must be checked: give --ca-file or --fingerprint.';
    },
    options: `  --mqtt-port N, --ftps-port N, --serial S
                        bambu: ports (default 8883, 990), serial number
  --model T             bambu: token of the model that it is to be (O1D, N7 …)`,
    certificate: 'bambu',
    secret: 'bambu',
    discovery: 'Bambu by their announcements',
  },
};
