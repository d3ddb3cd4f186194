/**
 * The printers of the demonstration, one of each make: what somebody loads into one that was never used (which is what the farm
 * books when it first sees it), and how its node reaches the simulator, whose values stand in variables of the environment.
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
