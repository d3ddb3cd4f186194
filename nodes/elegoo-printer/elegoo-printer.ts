import type { NodeAPI } from 'node-red';
import { registerPrinterType } from '../printer/printer-node';

export = (RED: NodeAPI): void => registerPrinterType(RED, 'elegoo-printer');
