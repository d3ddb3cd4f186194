import assert from 'node:assert/strict';
import { boardIds, hostIds } from '../../../lib/makes/moonraker/identity';

describe('The id of a Klipper', () => {
  const boards: [serial: string, id: string | undefined][] = [
    ['/dev/serial/by-id/usb-Klipper_stm32f446xx_2C0018000851383531393138-if00', '2C0018000851383531393138'],
    // A hexadecimal number may well have few decimal digits, or none.
    ['/dev/serial/by-id/usb-Klipper_stm32f446xx_ABCDEF0A-if00', 'ABCDEF0A'],
    ['/dev/serial/by-id/usb-Klipper_rp2040_deadbeefcafe-if00', 'deadbeefcafe'],
    ['/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A9007UX7-if00-port0', 'A9007UX7'],
    // All counterfeit FT232R report this number.
    ['/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0', undefined],
    ['/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0', undefined],
    ['/dev/serial/by-id/usb-Klipper_stm32f446xx_00000000-if00', undefined],
    ['/dev/serial/by-id/usb-Silicon_Labs_CP2102_USB_to_UART_Bridge_Controller_0001-if00-port0', undefined],
    ['/dev/serial/by-path/platform-3f980000.usb-usb-0:1.2:1.0', undefined],
    ['/dev/ttyS1', undefined],
  ];
  for (const [serial, id] of boards) {
    it(`of ${serial} is ${id ?? 'none'}`, () => {
      assert.deepEqual(boardIds({ mcu: { serial } }), id === undefined ? {} : { mcu: id });
    });
  }

  it('is that of the CAN bus, if the board has one', () => {
    assert.deepEqual(boardIds({ mcu: { canbus_uuid: 'faebccdeafda' } }), { mcu: 'faebccdeafda' });
  });

  it("is the host's processor together with the configuration", () => {
    const system = (serial_number: string) => ({ cpu_info: { serial_number } });
    assert.deepEqual(hostIds(system('10000000abcdefab'), '/home/pi/printer.cfg'), {
      host: '10000000abcdefab /home/pi/printer.cfg',
    });
    assert.deepEqual(hostIds(system('0000000000000000'), '/home/pi/printer.cfg'), {});
    assert.deepEqual(hostIds(system(''), '/home/pi/printer.cfg'), {});
    assert.deepEqual(hostIds(system('10000000abcdefab'), undefined), {});
  });
});
