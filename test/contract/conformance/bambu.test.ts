import { conform } from './conform';

conform('bambu');
