import { conform } from './conform';

conform('snapmaker');
