/**
 * The demonstration printers, one of each make: the filament loaded into a new one (the same that the farm books when
 * it first sees the printer), and the settings with which its node connects to the simulator, whose values are in
 * environment variables.
 */
export const printers = [
  {
    id: 'bamboo_h2d',
    make: 'bambu',
    name: 'Bambu Lab H2D',
    firstLoads: { 'ams0-0': 'pla_black_esun', 'ams0-1': 'pla_white_esun', 'ams0-2': 'petg_black_esun' },
    connection: { serial: 'SERIAL', caFile: 'CA_FILE', mqttPort: 'MQTT_PORT', ftpsPort: 'FTPS_PORT' },
  },
  {
    id: 'elegoo_giga',
    make: 'moonraker',
    name: 'Elegoo OrangeStorm Giga',
    firstLoads: { extruder: 'pla_black_esun' },
    connection: { port: 'HTTP_PORT' },
  },
  {
    id: 'snapmaker_artisan',
    make: 'snapmaker',
    name: 'Snapmaker Artisan',
    firstLoads: { nozzle0: 'pla_black_esun', nozzle1: 'pla_white_esun' },
    connection: { port: 'SACP_PORT' },
  },
];
