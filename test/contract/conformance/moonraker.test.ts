import { conform } from './conform';

conform('moonraker');
