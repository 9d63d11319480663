// k6/timers: the global timers as a module.
// @ts-check
import { clearInterval, clearTimeout, setInterval, setTimeout } from 'jsrunner:globals/timers';

export { clearInterval, clearTimeout, setInterval, setTimeout };
